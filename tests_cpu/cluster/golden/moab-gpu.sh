#!/usr/bin/env bash

#PBS -N gpuscale-worker
#PBS -q long
#PBS -A physics
#PBS -l nodes=1:ppn=8:gpus=2
#PBS -l walltime=00:30:00

python -m gpuscale.cli.cuda_worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 1 --memory-limit 16.00GiB --death-timeout 60 --insecure --rmm-pool-size 0.8
