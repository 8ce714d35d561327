#!/usr/bin/env bash

#SBATCH -J gpuscale-worker
#SBATCH -p long
#SBATCH -A physics
#SBATCH -n 1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH -t 00:30:00

python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem
