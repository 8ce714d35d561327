#!/usr/bin/env bash

#$ -N gpuscale-worker
#$ -q long.q
#$ -P physics
#$ -l h_vmem=16G
#$ -l h_rt=00:30:00
#$ -cwd
#$ -j y

python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem
