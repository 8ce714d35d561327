"""What gpuscale is measured against, and how: ``python -m benchmarks run [--quick] [names...]``.

`harness.py` runs every (workload, implementation, repeat) in a process of its own; `workloads/`
holds one file per workload; `hand_fused.py` is the headline computation written by hand;
`demo.py` is what ``make demo`` runs. To add a workload, add a file to `workloads/` that defines
``WORKLOAD``. Nothing here is imported by gpuscale.
"""
