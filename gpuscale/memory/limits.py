"""How much memory tasks may take: what users write, what machine and cgroup allow."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

from gpuscale.base import config
from gpuscale.base.errors import ConfigError, format_bytes

__all__ = [
    "AUTO_FRACTION",
    "chunk_bytes",
    "format_bytes",
    "memory_limit",
    "parse_bytes",
    "total_memory",
]

#: The part of the machine's memory that ``"auto"`` stands for; the rest is the interpreter's,
#: the libraries' and the file cache's.
AUTO_FRACTION = 0.8

#: How many automatic chunks fit into the memory limit.
CHUNKS_IN_MEMORY = 16

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**n for n, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}ib": 1024**n for n, prefix in enumerate("kmgtp", start=1)},
    **{prefix: 1000**n for n, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}i": 1024**n for n, prefix in enumerate("kmgtp", start=1)},
}
_SIZE = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*", re.IGNORECASE)

# What cgroup v1 writes for "no limit" is the largest number of whole pages.
_NO_LIMIT = 1 << 60


def parse_bytes(size: float | str, total: int | None = None) -> int:
    """Turn what a user says about a size into bytes.

    Parameters
    ----------
    size : int, float or str
        A number of bytes; a text such as ``"1 GiB"``, ``"500MB"``, ``"1e9"``; a fraction of
        `total` between 0 and 1, as ``0.5``, ``"0.5"`` or ``"50 %"``; or ``"auto"``
        for 80 % of it.
    total : int, optional
        What fractions refer to, in bytes; by default the machine's memory (`total_memory`).

    Raises
    ------
    ValueError
        The text is no size, or the size is negative, not finite or not a whole number of bytes.

    Examples
    --------
    >>> parse_bytes("1 GiB"), parse_bytes("500MB"), parse_bytes(1e9), parse_bytes("64")
    (1073741824, 500000000, 1000000000, 64)
    >>> parse_bytes("0.8", total=1000), parse_bytes("25 %", total=1000)
    (800, 250)
    """
    if isinstance(size, str):
        text = size.strip().lower()
        if text == "auto":
            size = AUTO_FRACTION
        elif text.endswith("%"):
            size = _parse_number(text[:-1], size) / 100
            return int(size * (total_memory() if total is None else total))
        else:
            match = _SIZE.fullmatch(text)
            if match is None or match[2] not in _UNITS:
                raise ValueError(
                    f"cannot read {size!r} as a size; write bytes (1000000), a size with a unit "
                    "('1 GiB', '500 MB'), a fraction of the memory ('0.5', '50 %') or 'auto'"
                )
            number = _parse_number(match[1], size)
            if match[2]:
                return int(number * _UNITS[match[2]])
            is_whole = "." not in match[1] and "e" not in match[1]
            size = int(number) if is_whole else number
    if not 0 <= size < float("inf"):
        raise ValueError(f"a size in bytes cannot be {size!r}")
    if isinstance(size, float) and 0 < size <= 1:
        return int(size * (total_memory() if total is None else total))
    if size != int(size):
        raise ValueError(
            f"{size!r} is not a whole number of bytes, and a fraction of the memory is at most 1"
        )
    return int(size)


def _option(key: str) -> int:
    """Bytes that an option says; what cannot be read is an error of that option."""
    try:
        return parse_bytes(config.get(key))
    except ValueError as error:
        raise ConfigError(f"option {key}: {error}") from None


def _parse_number(digits: str, whole: object) -> float:
    try:
        return float(digits)
    except ValueError:
        raise ValueError(f"cannot read {whole!r} as a size: {digits!r} is no number") from None


def memory_limit() -> int:
    """Bytes that the option ``memory-limit`` allows tasks of this process to hold.

    Examples
    --------
    >>> with config.set({"memory-limit": "2 GiB"}):
    ...     memory_limit()
    2147483648
    """
    return _option("memory-limit")


def chunk_bytes(wanted: str | int | None = None) -> int:
    """Bytes of a chunk that is chosen automatically.

    Parameters
    ----------
    wanted : str or int, optional
        By default the option ``array.chunk-size``.

    Returns
    -------
    int
        At most a sixteenth of the memory limit, so that tasks side by side fit into it.

    Examples
    --------
    >>> chunk_bytes("1 MiB")
    1048576
    >>> with config.set({"memory-limit": 1600}):
    ...     chunk_bytes()
    100
    """
    size = _option("array.chunk-size") if wanted is None else parse_bytes(wanted)
    return max(1, min(size, memory_limit() // CHUNKS_IN_MEMORY))


def total_memory() -> int:
    """Bytes of memory that this process may use: the machine's, or less if its cgroup says so."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = cgroup_limit()
    return machine if limit is None else min(machine, limit)


@lru_cache
def cgroup_limit(proc: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> int | None:
    """Bytes that the control groups of this process allow, or None without a limit.

    Every group from the process's own up to the root counts. A container sees its own group as
    the root while ``/proc`` names it by its outer path, so the root is always looked at.

    Parameters
    ----------
    proc : str
        The file that names the process's groups.
    root : str
        Where the control group file systems (version 1 or 2) are mounted.
    """
    try:
        groups = Path(proc).read_text().splitlines()
    except OSError:
        return None
    limits = []
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, file = Path(root), "memory.max"
        elif "memory" in controllers.split(","):
            base, file = Path(root, "memory"), "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        limits += [_read_limit(g / file) for g in (group, *group.parents) if g.is_relative_to(base)]
    known = [limit for limit in limits if limit is not None]
    return min(known, default=None)


def _read_limit(file: Path) -> int | None:
    try:
        limit = int(file.read_text())
    except (OSError, ValueError):  # no such group here, or the word "max"
        return None
    return limit if limit < _NO_LIMIT else None
