"""What gpuscale can do, and for each feature whether it works here or what is missing.

A feature is one row: the extra that brings its packages, and what it needs beside them. Which
versions it takes is read from gpuscale's own requirements.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from gpuscale.backends.driver.devices import Driver, State
from gpuscale.checkup.packages import FAMILIES, Installed, cuda_major
from gpuscale.checkup.versions import Requirement

__all__ = ["FEATURES", "Feature", "Finding", "cuda_extra", "find_features", "is_own_module"]

# What these extras bring is for CUDA 13; pip resolves no extra by the driver.
_ON_CUDA_12 = {
    "cudf": "'gpuscale[dataframe]' cudf-cu12",
    "ucx": "'gpuscale[cluster]' 'distributed-ucxx-cu12>=0.46'",
}

SLURM_COMMANDS = ("sbatch", "srun", "squeue", "scancel", "sinfo")


@dataclass(frozen=True)
class Feature:
    """One thing that gpuscale can do.

    Parameters
    ----------
    name : str
    extra : str
        The extra that brings it; ``"cuda"`` is cuda12 or cuda13, empty for the base install.
    packages : tuple of str
        Families of packages that it needs, of those that the extra brings.
    needs_device : bool
        Whether it works with a GPU alone.
    module : str
        The module of gpuscale that does it; a feature whose module is not there yet is to come.
    commands : tuple of str
        Commands that it calls.
    """

    name: str
    extra: str = ""
    packages: tuple[str, ...] = ()
    needs_device: bool = False
    module: str = ""
    commands: tuple[str, ...] = ()


FEATURES = (
    Feature("arrays on the CPU", packages=("numpy", "numba", "llvmlite")),
    Feature("arrays on GPUs", "cuda", ("cupy",), needs_device=True),
    Feature(
        "CUDA kernels",
        "cuda",
        ("cupy", "numba-cuda"),
        needs_device=True,
        module="gpuscale.codegen.target_cuda",
    ),
    Feature("RMM pools", "cuda", ("cupy", "rmm"), needs_device=True, module="gpuscale.memory.pool"),
    Feature("dataframes", "dataframe", ("pandas", "pyarrow"), module="gpuscale.dataframe"),
    Feature(
        "dataframes on GPUs", "cudf", ("cudf",), needs_device=True, module="gpuscale.dataframe"
    ),
    Feature("clusters", "cluster", ("distributed",), module="gpuscale.cluster"),
    Feature(
        "clusters beyond this machine",
        "cluster",
        ("distributed", "cryptography"),
        module="gpuscale.cluster.security",
    ),
    Feature(
        "a worker for each GPU",
        "cluster",
        ("distributed",),
        needs_device=True,
        module="gpuscale.cluster.local_cuda",
    ),
    Feature(
        "UCX between workers", "ucx", ("distributed-ucxx",), module="gpuscale.cluster.transport"
    ),
    Feature(
        "clusters on SLURM",
        "cluster",
        ("distributed", "dask-jobqueue", "cryptography"),
        module="gpuscale.cluster.jobqueue",
        commands=SLURM_COMMANDS,
    ),
    Feature("clusters over SSH", "ssh", ("distributed", "asyncssh"), module="gpuscale.cluster.ssh"),
    Feature(
        "clusters on Kubernetes",
        "kubernetes",
        ("distributed", "dask-kubernetes"),
        module="gpuscale.cluster.kubernetes",
    ),
    Feature("gpuscale.report", "report", ("bokeh",)),
    Feature("Zarr", "zarr", ("zarr",)),
    Feature("HDF5", "hdf5", ("h5py",)),
)


@dataclass(frozen=True)
class Finding:
    """Whether a feature works.

    Parameters
    ----------
    name : str
    state : str
        ``"works"``, ``"missing"`` (something is not there), ``"broken"`` (what is installed cannot
        work) or ``"later"`` (gpuscale does not have it yet).
    why : tuple of str
        What is missing or broken, one sentence each.
    install : str
        The command that installs what is missing; empty if that is not it.
    """

    name: str
    state: str
    why: tuple[str, ...] = ()
    install: str = ""


def cuda_extra(driver: Driver, installed: Installed, extra: str = "cuda") -> str:
    """Name the extra that suits the driver; where none is there the CuPy, else the newest.

    A second CuPy would overwrite files of the first.

    Examples
    --------
    >>> cuda_extra(Driver(State.WORKS, version="550.54.15", cuda=(12, 4)), Installed({}))
    'cuda12'
    >>> cuda_extra(Driver(State.ABSENT), Installed({}))
    'cuda13'
    >>> cuda_extra(Driver(State.ABSENT), Installed({"cupy-cuda12x": "14.0"}))
    'cuda12'
    """
    major = driver.cuda_major
    if major is None:
        major = max(filter(None, map(cuda_major, installed.of("cupy"))), default=None)
    return extra if extra != "cuda" else "cuda12" if major is not None and major < 13 else "cuda13"


def _install(extra: str, driver: Driver, installed: Installed) -> str:
    """Return the command that installs an extra, for CUDA 12 where `cuda_extra` says so."""
    if cuda_extra(driver, installed) == "cuda12" and extra in _ON_CUDA_12:
        return f"pip install {_ON_CUDA_12[extra]}"
    return f"pip install 'gpuscale[{extra}]'" if extra else "pip install gpuscale"


def find_features(
    installed: Installed,
    driver: Driver,
    visible: int,
    which: Callable[[str], str | None] = shutil.which,
    has_module: Callable[[str], bool] | None = None,
) -> tuple[Finding, ...]:
    """Say of all features whether they work.

    Parameters
    ----------
    installed : Installed
    driver : Driver
    visible : int
        How many devices CUDA_VISIBLE_DEVICES leaves.
    which : callable
        Finds a command.
    has_module : callable, optional
        Whether gpuscale has a module of its own; `is_own_module` by default.
    """
    here = is_own_module if has_module is None else has_module
    return tuple(_find(each, installed, driver, visible, which, here) for each in FEATURES)


def is_own_module(name: str) -> bool:
    """Whether a module exists, without running it."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # nor is the package that it would be in
        return False


def _find(
    feature: Feature,
    installed: Installed,
    driver: Driver,
    visible: int,
    which: Callable[[str], str | None],
    here: Callable[[str], bool],
) -> Finding:
    extra = cuda_extra(driver, installed, feature.extra)
    lacking, wrong = _packages(feature, extra, installed, driver)
    install = _install(extra, driver, installed)
    lost = [name for name in feature.commands if which(name) is None]
    why = [*(_device(driver, visible) if feature.needs_device else ()), *wrong]
    if lost:
        why.append(f"not on PATH: {', '.join(lost)}")
    why += lacking
    install = install if lacking or wrong else ""
    if wrong or (lacking and not extra):
        state, why = "broken", wrong or lacking
    elif feature.module and not here(feature.module):
        state, install = "later", ""
        why.insert(0, "gpuscale does not have it yet")
    else:
        state = "missing" if why else "works"
    return Finding(feature.name, state, tuple(why), install)


def _packages(
    feature: Feature, extra: str, installed: Installed, driver: Driver
) -> tuple[list[str], list[str]]:
    """Return what is not installed in a version that gpuscale takes, and what cannot work."""
    bounds = list(installed.requirements("gpuscale", extra or None))
    families = feature.packages
    if not extra:  # all that the base install brings
        families = tuple(dict.fromkeys([*families, *(bound.name for bound in bounds)]))
    absent = [family for family in families if not installed.of(family)]
    lacking = [f"not installed: {', '.join(absent)}"] if absent else []
    wrong = []
    for family in families:
        for name in installed.of(family):
            version = installed.versions[name]
            lacking += [
                f"{name} {version} is installed, gpuscale needs {bound}"
                for bound in bounds
                if bound.name in FAMILIES.get(family, (family,)) and not _fits(bound, version)
            ]
            wrong += too_new_for(name, version, driver)
    if "numba-cuda" in feature.packages and (bindings := installed.versions.get("cuda-bindings")):
        wrong += too_new_for("cuda-bindings", bindings, driver)
    return lacking, wrong


def _fits(bound: Requirement, version: str) -> bool:
    return not version or bound.allows(version)


def too_new_for(name: str, version: str, driver: Driver) -> list[str]:
    """Complain of a package for a newer CUDA than the driver runs; older ones run on any."""
    built, runs = cuda_major(name, version), driver.cuda_major
    if built is None or runs is None or built <= runs:
        return []
    return [
        f"{name} is for CUDA {built}, and this driver runs CUDA {runs}: uninstall it, or install a "
        "newer driver"
    ]


def _device(driver: Driver, visible: int) -> list[str]:
    """Say why there is no device to use."""
    if driver.state is State.UNASKED:
        return []  # there is a driver; --self-test finds out more
    if driver.state is not State.WORKS:
        return ["no NVIDIA driver" if driver.state is State.ABSENT else driver.said]
    if not driver.devices:
        return ["the driver has no device"]
    if not visible:
        return ["CUDA_VISIBLE_DEVICES selects no device"]
    return []
