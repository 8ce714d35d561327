#!/usr/bin/env bash

#OAR -n gpuscale-worker
#OAR -q long
#OAR -l /nodes=1/core=8,walltime=00:30:00

python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem
