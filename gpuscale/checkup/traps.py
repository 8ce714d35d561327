"""Combinations of versions that install without complaint and do not work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gpuscale.backends.driver.devices import Driver
from gpuscale.checkup.packages import FAMILIES, Installed, cuda_major
from gpuscale.checkup.versions import release

__all__ = ["Trap", "find_traps"]

# Whose requirements are compared with what is installed: an installer that was told to install one
# package at a time does not look back.
_HELD_TOGETHER = ("cupy", "numba-cuda", "rmm", "cudf", "ucxx", "distributed-ucxx", "numba")

# The last numba-cuda of which it is known that it needs np.row_stack, gone from NumPy 2.5.
_NEEDS_ROW_STACK = (0, 30)

# Numba from this version on has its types elsewhere than numba-cuda before that one looks for them.
_MOVED_TYPES, _FINDS_MOVED_TYPES = (0, 66), (0, 30, 4)

# CUDA 13 compiles for no device older than Turing.
_OLDEST_FOR_CUDA_13 = (7, 5)


@dataclass(frozen=True)
class Trap:
    """What does not fit together.

    Parameters
    ----------
    is_broken : bool
        Whether something installed cannot work; else it is advice.
    said : str
        What is the matter, and what to do.
    """

    is_broken: bool
    said: str


def find_traps(installed: Installed, driver: Driver) -> tuple[Trap, ...]:
    """Return all that does not fit together.

    Examples
    --------
    >>> from gpuscale.backends.driver.devices import State
    >>> both = Installed({"cupy-cuda12x": "14.0.1", "cupy-cuda13x": "14.0.1"})
    >>> [trap.is_broken for trap in find_traps(both, Driver(State.ABSENT))]
    [True]
    """
    found = [
        *_twice(installed),
        *_placeholders(installed),
        *_row_stack(installed),
        *_moved_types(installed),
        *_requirements(installed),
        *_mixed_cuda(installed),
        *_archived(installed),
        *_old_devices(installed, driver),
        *_uncut(driver),
        *_prohibited(driver),
    ]
    return tuple(found)


def _twice(installed: Installed) -> Iterator[Trap]:
    for family in FAMILIES:
        names = installed.of(family)
        if len(names) > 1:
            every = " ".join(names)
            yield Trap(
                True,
                f"{' and '.join(names)} overwrite each other's files: pip uninstall {every}, then "
                "install the one for your driver",
            )


def _placeholders(installed: Installed) -> Iterator[Trap]:
    for name in installed.of("distributed-ucxx"):
        if installed.versions[name].startswith("0.0.0"):
            yield Trap(
                True,
                f"{name} {installed.versions[name]} is a placeholder without code, taken because "
                "the real one pins an older distributed: pip install 'gpuscale[ucx]' (0.46 or "
                "newer)",
            )


def _row_stack(installed: Installed) -> Iterator[Trap]:
    ours, numpy = installed.versions.get("numba-cuda"), installed.versions.get("numpy", "")
    if ours and release(ours)[:2] <= _NEEDS_ROW_STACK and release(numpy)[:2] >= (2, 5):
        yield Trap(
            True,
            f"numba-cuda {ours} cannot compile on NumPy {numpy}, where np.row_stack is gone: "
            "pip install 'numpy<2.5'",
        )


def _moved_types(installed: Installed) -> Iterator[Trap]:
    ours, numba = installed.versions.get("numba-cuda"), installed.versions.get("numba", "")
    if ours and release(ours) < _FINDS_MOVED_TYPES and release(numba)[:2] >= _MOVED_TYPES:
        yield Trap(
            True,
            f"numba-cuda {ours} cannot be imported beside Numba {numba}: pip install "
            "'numba-cuda>=0.30.4', or 'numba<0.66' where another package holds numba-cuda back",
        )


def _requirements(installed: Installed) -> Iterator[Trap]:
    for family in _HELD_TOGETHER:
        for name in installed.of(family):
            for bound in installed.requirements(name):
                version = installed.versions.get(bound.name)
                # Conda has other names for what its packages need; wheels for one CUDA are pip's.
                if version is None and cuda_major(name) is not None:
                    found = "which is not installed"
                elif version and not bound.allows(version):
                    found = f"and {version} is installed"
                else:
                    continue
                needs = f"{name} {installed.versions[name]} needs {bound}, {found}"
                yield Trap(True, f"{needs}: pip install '{bound}'")


def _mixed_cuda(installed: Installed) -> Iterator[Trap]:
    built = {
        name: cuda_major(name, installed.versions[name])
        for family in FAMILIES
        if family != "ucx-py"
        for name in installed.of(family)
    }
    known = {name: major for name, major in built.items() if major is not None}
    alone = all(len(installed.of(family)) < 2 for family in FAMILIES)
    if len(set(known.values())) > 1 and alone:
        listed = ", ".join(f"{name} for CUDA {major}" for name, major in known.items())
        yield Trap(False, f"packages for different versions of CUDA: {listed}; install all for one")


def _archived(installed: Installed) -> Iterator[Trap]:
    for name in installed.of("ucx-py"):
        yield Trap(
            False,
            f"{name} is archived and not used: pip uninstall {name}; its successor comes with "
            "'gpuscale[ucx]'",
        )


def _old_devices(installed: Installed, driver: Driver) -> Iterator[Trap]:
    for_13 = [name for name in installed.of("cupy") if cuda_major(name) == 13]
    for each in driver.devices:
        capability = each.compute_capability
        if for_13 and capability is not None and capability < _OLDEST_FOR_CUDA_13:
            yield Trap(
                True,
                f"GPU {each.index} ({each.name}) is older than CUDA 13 compiles for, as "
                f"{for_13[0]} does: pip uninstall {for_13[0]}, then pip install 'gpuscale[cuda12]'",
            )


def _uncut(driver: Driver) -> Iterator[Trap]:
    for each in driver.devices:
        if each.mig and not each.instances and "MIG instances" not in each.unanswered:
            yield Trap(
                False,
                f"GPU {each.index} has MIG on and no instance, so that CUDA does not show it: make "
                "some by nvidia-smi mig -cgi, or switch MIG off by nvidia-smi "
                f"-i {each.index} -mig 0",
            )


def _prohibited(driver: Driver) -> Iterator[Trap]:
    for each in driver.devices:
        if each.compute_mode == "prohibited":
            yield Trap(
                False,
                f"GPU {each.index} is closed to computing: its administrator opens it by "
                f"nvidia-smi -i {each.index} -c DEFAULT",
            )
