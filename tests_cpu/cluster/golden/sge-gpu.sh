#!/usr/bin/env bash

#$ -N gpuscale-worker
#$ -q long.q
#$ -P physics
#$ -l h_vmem=16G
#$ -l h_rt=00:30:00
#$ -cwd
#$ -j y
#$ -l gpu=2

python -m gpuscale.cli.cuda_worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 1 --memory-limit 16.00GiB --death-timeout 60 --insecure --rmm-pool-size 0.8
