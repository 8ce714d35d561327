"""Measure workloads: every run in a process of its own, implementations taken in turn.

Repeats are interleaved (all implementations once, then all again), so that whatever else the
machine does falls on everyone. Times are medians; what takes longer than `worker.PATIENCE` runs
once.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.worker import PATIENCE
from benchmarks.workload import OURS, Workload, installed
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = (
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


@dataclass
class Measurement:
    """What is known about one implementation of one workload."""

    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    above_imports: int = 0
    digest: dict[str, Any] | None = None
    problem: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else math.nan


def call_worker(request: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Run one worker process; on failure return ``{"problem": reason}``."""
    threads = dict.fromkeys(THREAD_VARIABLES, str(request["cores"]))
    environment = os.environ | threads | {"JAX_ENABLE_X64": "1"}
    if not WORKLOADS[request["workload"]].on_device:
        environment |= {"JAX_PLATFORMS": "cpu"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # imports are timed as users know them
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(request)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"longer than {timeout:g} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"problem": lines[-1] if lines else f"ended with code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def measure(
    workload: Workload,
    size: str,
    *,
    repeats: int = 3,
    cores: int = 2,
    timeout: float = 600.0,
    only: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Measurement]:
    """Measure the implementations of a workload, in turn.

    Parameters
    ----------
    workload : Workload
    size : str
        "full" or "quick".
    repeats : int
        Processes for each implementation.
    cores : int
        Cores that each process may use.
    timeout : float
        Seconds after which a process is ended and its implementation given up.
    only : sequence of str
        Measure these implementations; all where it is empty.
    say : callable
        Told about each run.
    """
    names = [name for name in workload.implementations if not only or name in only]
    results = {name: Measurement() for name in names}
    for name in names:
        if not installed(workload, name):
            results[name].problem = "not installed"
    with tempfile.TemporaryDirectory(prefix="gpuscale-bench-") as folder:
        if workload.files is not None:
            workload.files(workload.sizes[size], Path(folder))
        for _ in range(repeats):
            for name, result in results.items():
                if not result.problem and not is_slow(result):
                    request = {
                        "workload": workload.name,
                        "implementation": name,
                        "size": size,
                        "cores": cores,
                        "folder": folder,
                    }
                    record(result, call_worker(request, timeout))
                    say(f"{workload.name:<18} {name:<17} {describe(result)}")
    mark_disagreement(workload, results)
    return results


def is_slow(result: Measurement) -> bool:
    """Whether one run said enough: the table is to be made within an hour."""
    return bool(result.seconds) and result.seconds[-1] > PATIENCE


def record(result: Measurement, answer: dict[str, Any]) -> None:
    """Add one worker's answer to the measurement."""
    if "problem" in answer:
        result.problem = answer["problem"]
        return
    result.seconds.append(answer["seconds"])
    result.peak = max(result.peak, answer["peak"])
    result.above_imports = max(result.above_imports, answer["above_imports"])
    result.digest = answer["digest"]


def describe(result: Measurement) -> str:
    if result.problem:
        return result.problem
    return f"{result.seconds[-1]:8.3f} s {result.above_imports / 1e6:8.0f} MB"


def mark_disagreement(workload: Workload, results: dict[str, Measurement]) -> None:
    """Say so where a result differs from the first peer's (NumPy's where it took part)."""
    answers = {name: r.digest for name, r in results.items() if r.digest is not None}
    if not workload.same or len(answers) < 2:
        return
    reference = "numpy" if "numpy" in answers else next(n for n in answers if n != OURS)
    for name, answer in answers.items():
        if not agree(answer, answers[reference], workload.same, workload.tolerance):
            results[name].problem = f"result differs from that of {reference}"


def agree(a: dict[str, Any], b: dict[str, Any], same: str, tolerance: float) -> bool:
    """Whether two digests are those of equal results, or of results with equal means."""
    if a["shape"] != b["shape"]:
        return False
    pairs: Iterable[tuple[float, float]] = [(a["mean"], b["mean"])]
    if same == "values":
        pairs = [*pairs, *zip(a["sample"], b["sample"], strict=True)]
    scale = max(abs(b["mean"]), *(abs(v) for v in b["sample"]), 1e-300)
    return all(math.isclose(x, y, rel_tol=tolerance, abs_tol=tolerance * scale) for x, y in pairs)
