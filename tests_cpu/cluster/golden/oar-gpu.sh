#!/usr/bin/env bash

#OAR -n gpuscale-worker
#OAR -q long
#OAR -l /nodes=1/gpu=2,walltime=00:30:00

python -m gpuscale.cli.cuda_worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 1 --memory-limit 16.00GiB --death-timeout 60 --insecure --rmm-pool-size 0.8
