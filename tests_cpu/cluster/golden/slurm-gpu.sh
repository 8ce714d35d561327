#!/usr/bin/env bash

#SBATCH -J gpuscale-worker
#SBATCH -p long
#SBATCH -A physics
#SBATCH -n 1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH -t 00:30:00
#SBATCH --gres=gpu:2

python -m gpuscale.cli.cuda_worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 1 --memory-limit 16.00GiB --death-timeout 60 --insecure --rmm-pool-size 0.8
