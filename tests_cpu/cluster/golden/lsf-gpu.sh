#!/usr/bin/env bash

#BSUB -J gpuscale-worker
#BSUB -q long
#BSUB -P "physics"
#BSUB -n 8
#BSUB -R "span[hosts=1]"
#BSUB -M 34360
#BSUB -W 01:00
#BSUB -gpu "num=2"

python -m gpuscale.cli.cuda_worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 1 --memory-limit 16.00GiB --death-timeout 60 --insecure --rmm-pool-size 0.8
