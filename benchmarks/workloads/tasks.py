"""What one task costs: calls that do nothing, a tree of additions, a sum of very many chunks."""

from __future__ import annotations

from concurrent.futures import Executor
from operator import add
from pathlib import Path
from typing import Any

from benchmarks.workload import OURS, Run, Size, Workload, lazily


def nothing(x: Any) -> None:
    return None


def calls(ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    call = gpuscale.delayed(nothing)
    return lambda: len(gpuscale.compute([call(k) for k in range(size["n"])])[0])


def calls_in_dask(da: Any, size: Size, folder: Path) -> Run:
    import dask

    call = dask.delayed(nothing)
    return lambda: len(dask.compute([call(k) for k in range(size["n"])])[0])


def calls_in_raw_graph(dask: Any, size: Size, folder: Path) -> Run:
    def run() -> int:
        graph = {("call", k): (nothing, k) for k in range(size["n"])}
        return len(dask.get(graph, list(graph)))

    return run


def calls_in_executor(executors: Any, size: Size, folder: Path) -> Run:
    def run() -> int:
        with executors.ThreadPoolExecutor(2) as pool:
            return len([f.result() for f in [pool.submit(nothing, k) for k in range(size["n"])]])

    return run


def tree(leaves: int) -> tuple[dict[Any, Any], Any]:
    """Return a plain graph that adds ones in pairs, and the key of the sum."""
    level = [(0, k) for k in range(leaves)]
    graph: dict[Any, Any] = dict.fromkeys(level, 1)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        above = [(level[0][0] + 1, k) for k in range(len(level) // 2)]
        graph.update({key: (add, *pair) for key, pair in zip(above, pairs, strict=True)})
        level = above
    return graph, level[0]


def tree_in_ours(ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    graph, top = tree(size["leaves"])
    return lambda: gpuscale.get(graph, top)


def tree_in_raw_graph(dask: Any, size: Size, folder: Path) -> Run:
    graph, top = tree(size["leaves"])
    return lambda: dask.get(graph, top)


def tree_in_executor(executors: Any, size: Size, folder: Path) -> Run:
    def level_above(pool: Executor, values: list[int]) -> list[int]:
        pairs = zip(values[::2], values[1::2], strict=True)
        return [f.result() for f in [pool.submit(add, a, b) for a, b in pairs]]

    def run() -> int:
        values = [1] * size["leaves"]
        with executors.ThreadPoolExecutor(2) as pool:
            while len(values) > 1:
                values = level_above(pool, values)
        return values[0]

    return run


def sum_of_chunks(xp: Any, size: Size, folder: Path) -> Run:
    return lambda: xp.ones(size["n"], chunks=size["n"] // size["chunks"]).sum().compute()


WORKLOADS = (
    Workload(
        name="delayed",
        about="{n} delayed calls that do nothing: build and compute",
        sizes={"full": {"n": 100_000}, "quick": {"n": 200}},
        implementations={
            OURS: calls,
            "dask-graph": calls_in_raw_graph,
            "executor": calls_in_executor,
        },
        goals={"dask-graph": 3},
        seconds_goal=2,
    ),
    Workload(
        name="delayed-few",
        about="{n} delayed calls that do nothing: build and compute",
        sizes={"full": {"n": 4_000}, "quick": {"n": 50}},
        implementations={OURS: calls, "dask": calls_in_dask},
        goals={"dask": 20},
    ),
    Workload(
        name="delayed-million",
        about="{n} delayed calls that do nothing: build and compute",
        sizes={"full": {"n": 1_000_000}, "quick": {"n": 500}},
        implementations={OURS: calls},
        peak_goal=1000,
        on_request=True,
    ),
    Workload(
        name="tree",
        about="a binary tree of {leaves} leaves, added in pairs",
        sizes={"full": {"leaves": 2**16}, "quick": {"leaves": 2**5}},
        implementations={
            OURS: tree_in_ours,
            "dask-graph": tree_in_raw_graph,
            "executor": tree_in_executor,
        },
        goals={"dask-graph": 3},
    ),
    Workload(
        name="sum-chunks",
        about="ones({n}).sum() over {chunks} chunks",
        sizes={"full": {"n": 20_000_000, "chunks": 20_000}, "quick": {"n": 400, "chunks": 20}},
        implementations=lazily(sum_of_chunks),
        goals={"dask": 10},
    ),
)
