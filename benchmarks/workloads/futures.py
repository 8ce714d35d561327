"""What one future costs: calls that do nothing, submitted one by one and gathered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.workload import OURS, Run, Size, Workload
from benchmarks.workloads.tasks import calls_in_executor, nothing


def submitted(client: Any, n: int) -> int:
    return len(client.gather([client.submit(nothing, k) for k in range(n)]))


def futures(ga: Any, size: Size, folder: Path) -> Run:
    import gpuscale

    def run() -> int:
        with gpuscale.Client(n_workers=1, threads_per_worker=2) as client:
            return submitted(client, size["n"])

    return run


def futures_in_distributed(distributed: Any, size: Size, folder: Path) -> Run:
    one_process = {"processes": False, "n_workers": 1, "threads_per_worker": 2}

    def run() -> int:
        with distributed.Client(**one_process, dashboard_address=None) as client:
            return submitted(client, size["n"])

    return run


WORKLOADS = (
    Workload(
        name="futures",
        about="{n} calls that do nothing: submit and gather",
        sizes={"full": {"n": 100_000}, "quick": {"n": 200}},
        implementations={OURS: futures, "executor": calls_in_executor},
        goals={"executor": 0.5},
    ),
    Workload(
        name="futures-few",
        about="{n} calls that do nothing: submit and gather",
        sizes={"full": {"n": 10_000}, "quick": {"n": 50}},
        implementations={OURS: futures, "distributed": futures_in_distributed},
        goals={"distributed": 20},
    ),
)
