#!/usr/bin/env condor_submit

MY.DaskWorkerName = "htcondor--$F(MY.JobId)--"
batch_name = dummy-name
RequestCpus = MY.DaskWorkerCores
RequestMemory = floor(MY.DaskWorkerMemory / 1048576)
RequestDisk = floor(MY.DaskWorkerDisk / 1024)
MY.JobId = "$(ClusterId).$(ProcId)"
MY.DaskWorkerCores = 8
MY.DaskWorkerMemory = 34359738368
MY.DaskWorkerDisk = 10737418240

Arguments = "-c 'python -m gpuscale.cli.worker tcp://<insert-scheduler-address-here>:8786 --name dummy-name --nthreads 4 --memory-limit 16.00GiB --death-timeout 60 --nworkers 2 --lifetime 55m --protocol tls:// --tls-ca-file SHARED/.gpuscale-RANDOM.pem --tls-cert SHARED/.gpuscale-RANDOM.pem --tls-key SHARED/.gpuscale-RANDOM.pem'"
Executable = /bin/sh

Queue
