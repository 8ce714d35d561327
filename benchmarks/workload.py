"""What a workload is, and how its implementations reach their libraries."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Size = Mapping[str, int]
Run = Callable[[], Any]
# An implementation gets its library, the size and the folder of input files; it makes its inputs,
# which is not timed, and returns what is timed.
Prepare = Callable[[Any, Size, Path], Run]

OURS = "gpuscale"

# The module each implementation is handed; "hand-fused" kernels are our own.
LIBRARIES = {
    OURS: "gpuscale.array",
    "hand-fused": "benchmarks.hand_fused",
    "hand-fused pairs": "benchmarks.hand_fused",
    "cupy": "cupy",
    "cupy managed": "cupy",
    "dask": "dask.array",
    "dask-array": "dask_array",
    "dask over cupy": "dask.array",
    "dask-graph": "dask.threaded",
    "distributed": "distributed",
    "duckdb": "duckdb",
    "executor": "concurrent.futures",
    "jax": "jax.numpy",
    "numexpr": "numexpr",
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "scikit-learn": "sklearn.model_selection",
    "torch": "torch",
}
LAZY = (OURS, "dask", "dask-array")  # the three that share an interface

FRAMES = {OURS: "gpuscale.dataframe", "dask": "dask.dataframe"}
"""Modules that workloads of frames hand to the two that have others for arrays."""


class Seconds(float):
    """A time that an implementation has taken itself, returned instead of a result."""


@dataclass(frozen=True)
class Limit:
    """What no implementation can do without: bytes moved, random numbers made, operations done.

    `link` is bytes between host and device; the others are of where the work is done.
    """

    bytes: float = 0
    randoms: float = 0
    flops: float = 0
    link: float = 0


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Parameters
    ----------
    name : str
        How it is asked for on the command line.
    about : str
        One line for the reader of the table; may name sizes in braces.
    sizes : mapping
        "full" and "quick" sizes.
    implementations : mapping
        From a name in LIBRARIES to the function that prepares it.
    limit : callable
        Limit for a size.
    same : str
        "values" if all implementations see the same data, "mean" if each makes random numbers of
        its own, "" if there is nothing to compare.
    tolerance : float
        Relative tolerance of that comparison.
    goals : mapping
        How many times faster than a peer gpuscale is to be, at least.
    peak_goal : float
        Megabytes that gpuscale is to stay under; 0 for no goal.
    seconds_goal : float
        Seconds that gpuscale is to stay under; 0 for no goal.
    limit_goal : float
        How many times the physical limit gpuscale is to take at most; 0 for no goal.
    files : callable, optional
        Writes the input files into a folder.
    on_request : bool
        Runs only where it is named or asked for with ``--huge``.
    needs : str
        Module without which no implementation works.
    modules : mapping
        Modules that implementations are handed where these are others than those of LIBRARIES.
    """

    name: str
    about: str
    sizes: Mapping[str, Size]
    implementations: Mapping[str, Prepare]
    limit: Callable[[Size], Limit] = lambda size: Limit()
    same: str = "values"
    tolerance: float = 1e-9
    goals: Mapping[str, float] = field(default_factory=dict)
    peak_goal: float = 0
    seconds_goal: float = 0
    limit_goal: float = 0
    files: Callable[[Size, Path], None] | None = None
    on_request: bool = False
    needs: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_device(self) -> bool:
        """Whether it is for a CUDA device."""
        return self.needs == "cupy"


def installed(workload: Workload, implementation: str) -> bool:
    """Whether what an implementation of a workload needs can be imported."""
    module = workload.modules.get(implementation, LIBRARIES[implementation])
    tops = {module.partition(".")[0], workload.needs} - {""}
    return all(importlib.util.find_spec(top) is not None for top in tops)


def load(workload: Workload, implementation: str, cores: int) -> Any:
    """Import the library of an implementation and hold it to `cores` cores, or to the device."""
    module = workload.modules.get(implementation, LIBRARIES[implementation])
    library = importlib.import_module(module)
    if workload.on_device and implementation == OURS:
        importlib.import_module("gpuscale").config.set({"array.backend": "cupy"})
    if implementation in ("dask", "dask-array", "dask-graph", "dask over cupy"):
        importlib.import_module("dask").config.set(scheduler="threads", num_workers=cores)
    elif implementation == "duckdb":
        library.execute(f"SET threads TO {cores}")
    elif implementation == "numexpr":
        library.set_num_threads(cores)
    return library


def lazily(prepare: Prepare, **others: Prepare) -> dict[str, Prepare]:
    """Return the implementations of a workload that reads the same for all lazy libraries."""
    return dict.fromkeys(LAZY, prepare) | {
        name.replace("_", "-"): other for name, other in others.items()
    }
