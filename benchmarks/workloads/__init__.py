"""One file per workload; each defines ``WORKLOADS``, a tuple.

A file may import NumPy and `benchmarks.workload`; libraries under test are handed to it.
To add a workload, write its file and name it in MODULES: the order is that of the table.
"""

from __future__ import annotations

from importlib import import_module

from benchmarks.workload import Workload

MODULES = (
    "headline",
    "headline_files",
    "black_scholes",
    "nanmean",
    "stencil",
    "reductions",
    "rechunk",
    "order_statistics",
    "matmul",
    "many_chunks",
    "graph_build",
    "long_program",
    "limited",
    "tasks",
    "futures",
    "grid_search",
    "larger_than_memory",
    "import_time",
)

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for module in MODULES
    for workload in import_module(f"benchmarks.workloads.{module}").WORKLOADS
}
