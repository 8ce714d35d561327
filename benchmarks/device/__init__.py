"""Workloads for a CUDA device, and how time, memory and limits are measured there.

What is timed ends with a small result on the host, or with a large one on the device. The files of
workloads are named in `benchmarks.workloads`; ``python -m benchmarks run --device`` runs them.
"""
