"""The machine, the limits in force, and the folders that work goes to."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpuscale.base import config
from gpuscale.base.options import OPTIONS, Option
from gpuscale.base.sizes import parse_bytes
from gpuscale.codegen.cache import kernel_folder
from gpuscale.memory.limits import cgroup_limit, memory_limit, total_memory
from gpuscale.memory.spill_folder import spill_root

__all__ = ["Folder", "Limit", "Machine", "look_at_machine", "read_limits"]

_KERNELS = ("*.kernel", "*.ptx")  # for the CPU, and for devices


@dataclass(frozen=True)
class Folder:
    """A folder that work goes to; sizes in bytes, None where they cannot be known.

    Parameters
    ----------
    files, nbytes : int
        How many files of ours are in it, and what they take.
    free : int or None
        Room on its disk.
    trouble : str
        Why it cannot be used, or empty.
    """

    path: str
    files: int
    nbytes: int
    free: int | None
    trouble: str = ""


@dataclass(frozen=True)
class Limit:
    """An option that limits what may be used, and the bytes that it comes to, if that is known."""

    option: str
    value: Any
    nbytes: int | None


@dataclass(frozen=True)
class Machine:
    """What gpuscale runs on; sizes in bytes.

    Parameters
    ----------
    cores : int
        Cores that this process may use.
    cores_total : int
        Cores that the machine has.
    memory : int
        What this process may use: that of the machine, or of its control group.
    cgroup : int or None
        What the control group allows.
    """

    system: str
    python: str
    executable: str
    cores: int
    cores_total: int
    memory: int
    cgroup: int | None
    workers: int
    kernels: Folder
    spill: Folder
    spill_enabled: bool


def look_at_machine() -> Machine:
    """Look at the machine and the folders, in which nothing is left.

    Raises
    ------
    ConfigError
        If an option has a value that it cannot take.
    """
    cores = len(os.sched_getaffinity(0))
    kernels = kernel_folder()
    compiled = (file for name in _KERNELS for file in kernels.glob(name))
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=sys.executable,
        cores=cores,
        cores_total=os.cpu_count() or cores,
        memory=total_memory(),
        cgroup=cgroup_limit(),
        workers=config.get("num-workers") or cores,
        kernels=look_at_folder(kernels, compiled, private=True),
        spill=look_at_folder(spill_root(), spill_root().glob("*/*")),
        spill_enabled=config.get("spill"),
    )


def look_at_folder(path: Path, files: Iterable[Path], private: bool = False) -> Folder:
    """Look at a folder that need not exist yet, and try whether one can write there.

    Parameters
    ----------
    path : Path
    files : iterable of Path
        Those in it that count.
    private : bool
        Whether a folder that everybody can write to is refused.
    """
    sizes = []
    for file in files:
        with suppress(OSError):  # unreadable, or removed at this moment
            sizes.append(file.stat().st_size)
    nearest = path
    while not os.path.exists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    trouble = ""
    if not os.path.isdir(nearest):
        trouble = f"{nearest} is no folder"
    elif why := _try_to_write(nearest):
        trouble = f"{nearest} cannot be written ({why})"
    elif private and nearest == path and path.stat().st_mode & 0o002:
        trouble = "everybody can write there, so that it is not used; chmod o-w it"
    try:
        free: int | None = shutil.disk_usage(nearest).free
    except OSError:
        free = None
    return Folder(str(path), len(sizes), sum(sizes), free, trouble)


def _try_to_write(folder: Path) -> str:
    """Write a small file and remove it, as permissions do not tell all; say what was in the way."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".gpuscale-") as file:
            file.write(bytes(4096))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def read_limits(
    device_totals: Iterable[int] = (), options: Iterable[Option] = OPTIONS
) -> tuple[Limit, ...]:
    """Return the options that limit memory, and what they come to.

    Parameters
    ----------
    device_totals : iterable of int
        Memory of the devices in bytes: the smallest is what a fraction of a device refers to.
    options : iterable of Option
    """
    smallest = min(device_totals, default=None)
    found = []
    for option in options:
        if not option.key.endswith("memory-limit"):
            continue
        value = config.get(option.key, default=option.default)
        if option.key == "memory-limit":
            nbytes: int | None = memory_limit()
        else:
            known = smallest is not None and isinstance(value, (str, int, float))
            nbytes = parse_bytes(value, total=smallest or 0) if known else None
        found.append(Limit(option.key, value, nbytes))
    return tuple(found)
