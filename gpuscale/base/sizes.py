"""Sizes in bytes as people write them."""

from __future__ import annotations

import re

__all__ = ["AUTO_FRACTION", "format_bytes", "is_fraction", "parse_bytes"]

#: The part of the machine's memory that ``"auto"`` stands for; the rest is the interpreter's,
#: the libraries' and the file cache's.
AUTO_FRACTION = 0.8

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**n for n, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}ib": 1024**n for n, prefix in enumerate("kmgtp", start=1)},
    **{prefix: 1000**n for n, prefix in enumerate("kmgtp", start=1)},
    **{f"{prefix}i": 1024**n for n, prefix in enumerate("kmgtp", start=1)},
}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_SIZE = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*", re.IGNORECASE)


def parse_bytes(size: float | str, total: int) -> int:
    """Turn what a user says about a size into bytes.

    Parameters
    ----------
    size : int, float or str
        A number of bytes; a text such as ``"1 GiB"``, ``"500MB"``, ``"1e9"``; a fraction of
        `total` between 0 and 1, as ``0.5``, ``"0.5"`` or ``"50 %"``; or ``"auto"``
        for 80 % of it.
    total : int
        What fractions refer to, in bytes.

    Raises
    ------
    ValueError
        The text is no size, or the size is negative, not finite or not a whole number of bytes.

    Examples
    --------
    >>> [parse_bytes(size, total=1000) for size in ("1 GiB", "500MB", 1e9, "64")]
    [1073741824, 500000000, 1000000000, 64]
    >>> parse_bytes("0.8", total=1000), parse_bytes("25 %", total=1000)
    (800, 250)
    """
    if isinstance(size, str):
        text = size.strip().lower()
        if text == "auto":
            size = AUTO_FRACTION
        elif text.endswith("%"):
            size = _parse_number(text[:-1], size) / 100
            return int(size * total)
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
        return int(size * total)
    if size != int(size):
        raise ValueError(
            f"{size!r} is not a whole number of bytes, and a fraction of the memory is at most 1"
        )
    return int(size)


def is_fraction(size: float | str) -> bool:
    """Say whether a size is a part of the memory that there is.

    Examples
    --------
    >>> [is_fraction(size) for size in ("auto", "50 %", 0.5, "0.5", "1 GiB", 64, 0)]
    [True, True, True, True, False, False, False]
    """
    return parse_bytes(size, 1 << 62) != parse_bytes(size, 1 << 61)


def format_bytes(nbytes: float) -> str:
    """Write a number of bytes for people, in binary units.

    Examples
    --------
    >>> format_bytes(160), format_bytes(1536), format_bytes(80e9)
    ('160 B', '1.5 KiB', '74.5 GiB')
    """
    size, unit = float(nbytes), 0
    while abs(size) >= 1024 and unit < len(_BINARY) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_BINARY[unit]}"


def _parse_number(digits: str, whole: object) -> float:
    try:
        return float(digits)
    except ValueError:
        raise ValueError(f"cannot read {whole!r} as a size: {digits!r} is no number") from None
