#!/usr/bin/env bash

#BSUB -J gpuscale-worker
#BSUB -q long
#BSUB -P "physics"
#BSUB -n 8
#BSUB -R "span[hosts=1]"
#BSUB -M 34360
#BSUB -W 01:00

python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem
