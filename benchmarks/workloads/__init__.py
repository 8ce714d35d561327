"""One file per workload, which defines ``WORKLOADS``; those for a device in `benchmarks.device`.

A file may import NumPy and `benchmarks.workload`; libraries under test are handed to it.
To add a workload, write its file and name it in MODULES: the order is that of the table.
"""

from __future__ import annotations

from importlib import import_module

from benchmarks.workload import Workload

MODULES = (
    "workloads.headline",
    "workloads.headline_files",
    "workloads.black_scholes",
    "workloads.nanmean",
    "workloads.stencil",
    "workloads.reductions",
    "workloads.rechunk",
    "workloads.order_statistics",
    "workloads.matmul",
    "workloads.many_chunks",
    "workloads.graph_build",
    "workloads.long_program",
    "workloads.limited",
    "workloads.tasks",
    "workloads.futures",
    "workloads.grid_search",
    "workloads.tpch",
    "workloads.h2o",
    "workloads.dataframes",
    "workloads.larger_than_memory",
    "workloads.frames_beyond_memory",
    "workloads.clusters",
    "workloads.import_time",
    "device.headline",
    "device.stored",
    "device.chains",
    "device.stencil",
    "device.statistics",
    "device.larger",
    "device.calls",
)

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for module in MODULES
    for workload in import_module(f"benchmarks.{module}").WORKLOADS
}
