"""Planning alone: build and optimize ``(x + 1) * 2 - x.mean(0)`` over very many chunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.workload import OURS, Prepare, Run, Size, Workload


def tasks_of_ours(y: Any) -> int:
    from gpuscale.run import graph_of

    return len(graph_of(y))


def tasks_of_dask(y: Any) -> int:
    import dask

    (optimized,) = dask.optimize(y)
    return len(dict(optimized.__dask_graph__()))


def tasks_of_dask_array(y: Any) -> int:
    return len(dict(y.optimize().__dask_graph__()))


def planned(tasks_of: Callable[[Any], int]) -> Prepare:
    def prepare(xp: Any, size: Size, folder: Path) -> Run:
        def run() -> None:
            x = xp.random.random((size["rows"], size["columns"]), chunks=size["chunk"])
            if tasks_of((x + 1) * 2 - x.mean(0)) < size["rows"] // size["chunk"]:
                raise AssertionError("the graph has fewer tasks than the array has rows of chunks")

        return run

    return prepare


WORKLOADS = (
    Workload(
        name="graph-build",
        about="build and optimize (x + 1) * 2 - x.mean(0), {rows} x {columns} in chunks of {chunk}",
        sizes={
            "full": {"rows": 100_000, "columns": 10_000, "chunk": 100},
            "quick": {"rows": 200, "columns": 200, "chunk": 20},
        },
        implementations={
            OURS: planned(tasks_of_ours),
            "dask": planned(tasks_of_dask),
            "dask-array": planned(tasks_of_dask_array),
        },
        same="",
        seconds_goal=3,
    ),
)
