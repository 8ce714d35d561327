#!/usr/bin/env bash

#PBS -N gpuscale-worker
#PBS -q long
#PBS -A physics
#PBS -l nodes=1:ppn=8:gpus=2
#PBS -l walltime=00:30:00

python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem
