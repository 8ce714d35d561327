"""Options in force that cannot work here: each is named with why, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.checkup.features import Finding
from gpuscale.checkup.machine import Machine, read_limits
from gpuscale.checkup.traps import Trap
from gpuscale.engines.base import get_engine
from gpuscale.memory.pool import pool_plan

__all__ = ["find_lost_files", "find_option_traps"]

# The feature that a value of an option needs, and what to do without it.
_NEEDS = {
    ("array.backend", "cupy"): ("arrays on GPUs", "set it to 'numpy' to compute on the host"),
}
# Where no device is known: large enough that no size in bytes is more than it has.
_ANY_DEVICE = 1 << 60


def find_option_traps(
    machine: Machine, features: Sequence[Finding], device_totals: Iterable[int]
) -> tuple[Trap, ...]:
    """Return what is wrong with the options in force.

    Parameters
    ----------
    machine : Machine
    features : sequence of Finding
        What works here.
    device_totals : iterable of int
        Memory of the devices in bytes.
    """
    found = [*_engine(), *_features(features), *_pool(features, device_totals), *_folders(machine)]
    return (*found, *_limits(device_totals))


def find_lost_files(environment: Mapping[str, str]) -> tuple[Trap, ...]:
    """Return what is wrong with where the configuration is said to be."""
    path = environment.get("GPUSCALE_CONFIG")
    if path is None or os.path.exists(path):
        return ()
    said = f"without effect: the environment variable GPUSCALE_CONFIG names {path!r}, which is not "
    return (Trap(False, f"{said}there; make the file or folder, or unset the variable"),)


def _limits(device_totals: Iterable[int]) -> Iterator[Trap]:
    for limit in read_limits(device_totals):
        if limit.nbytes == 0:
            yield Trap(
                True,
                f"option {limit.option} is {limit.value!r}, which nothing fits; set it to a size "
                "such as '4 GiB', or to 'auto'",
            )


def _engine() -> Iterator[Trap]:
    """Load the engine, which a package may bring."""
    try:
        get_engine()
    except Exception as error:  # whatever the package raises
        said = " ".join(f"{type(error).__name__}: {error}".split())
        yield Trap(
            True,
            f"option engine is {config.get('engine')!r}, which cannot be loaded ({said}): repair "
            "the package that brings it, or set the option to 'threads'",
        )


def _features(features: Sequence[Finding]) -> Iterator[Trap]:
    state = {each.name: each for each in features}
    for (option, value), (feature, instead) in _NEEDS.items():
        if config.get(option) == value and state[feature].state != "works":
            yield Trap(
                True, f"option {option} is {value!r}: {_lacks(state[feature])}, or {instead}"
            )


def _lacks(finding: Finding) -> str:
    """Say what is missing, and the command that brings it."""
    why = "; ".join(finding.why)
    return f"{why}; {finding.install}" if finding.install else f"{why}; mend that"


def _pool(features: Sequence[Finding], device_totals: Iterable[int]) -> Iterator[Trap]:
    try:
        asked = pool_plan(min(device_totals, default=_ANY_DEVICE), can_async=True).asked
    except ConfigError as error:
        yield Trap(True, str(error))
        return
    pools = next(each for each in features if each.name == "RMM pools")
    if asked and pools.state != "works":
        yield Trap(False, f"without effect: option {', '.join(asked)}: {_lacks(pools)}")


def _folders(machine: Machine) -> Iterator[Trap]:
    if machine.spill_enabled and machine.spill.trouble:
        yield Trap(
            True,
            f"spill folder: {machine.spill.trouble}; set the option temporary-directory to a "
            "folder that can be written, or turn the option spill off",
        )
    if machine.kernels.trouble:
        yield Trap(
            False,
            f"kernel cache: {machine.kernels.trouble}; set the option codegen.cache-dir to a "
            "folder that can be written, or kernels are compiled again in every process",
        )
