"""How diagnostics say things: times, shares, places in programs, tables."""

from __future__ import annotations

from collections.abc import Sequence

from gpuscale.base.sizes import format_bytes
from gpuscale.graph.task import Origin
from gpuscale.memory.projection import LIMITS
from gpuscale.memory.spaces import DEVICE

__all__ = [
    "aligned",
    "bracketed",
    "duration",
    "error_text",
    "line_of",
    "of_device",
    "percent",
    "short",
]


def line_of(origin: Origin | None) -> str:
    """Name the user's line, without the folders of its file.

    Examples
    --------
    >>> line_of(("/home/ada/tour.py", 7))
    'tour.py:7'
    """
    if origin is None:
        return ""
    path, line = origin
    return f"{path.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}"


def error_text(error: BaseException, most: int = 200) -> str:
    """Name what was raised, and what it says, in one line.

    Examples
    --------
    >>> error_text(ValueError("no such" + chr(10) + "  file"))
    'ValueError: no such file'
    >>> error_text(OSError("long" * 9), most=20)
    'OSError: longlong...'
    """
    try:
        said = str(error)
    except Exception:  # of a class of the user's
        said = ""
    name = type(error).__name__
    return short(" ".join(f"{name}: {said}"[: 4 * most].split()) if said else name, most)


def short(text: str, most: int = 80) -> str:
    """Cut a text that is long.

    Examples
    --------
    >>> short("a long text", most=9)
    'a long...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def of_device(limit: float) -> str:
    """Add the limit of the device's memory to a list, if it has one.

    Examples
    --------
    >>> of_device(2 << 30), of_device(float("inf"))
    (', device memory limit 2.0 GiB', '')
    """
    return "" if limit == float("inf") else f", {LIMITS[DEVICE]} {format_bytes(limit)}"


def bracketed(items: Sequence[object]) -> str:
    """Shape or place as Python writes tuples, without the quotes of words.

    Examples
    --------
    >>> bracketed((3, 4)), bracketed(["x"])
    ('(3, 4)', '(x,)')
    """
    return "(" + ", ".join(map(str, items)) + ("," if len(items) == 1 else "") + ")"


def aligned(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of a table; the first two columns and the last are text, the others numbers.

    Examples
    --------
    >>> rows = [("add", "Call", "12", "a.py:1")]
    >>> print(*aligned(("name", "node", "n", "line"), rows), sep=chr(10))
    name  node   n  line
    ----  ----  --  ------
    add   Call  12  a.py:1
    """
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    left = {0, 1, len(header) - 1}
    return [
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [header, tuple("-" * w for w in widths), *rows]
    ]


def duration(seconds: float) -> str:
    """Time for people.

    Examples
    --------
    >>> duration(0.00042), duration(0.042), duration(4.2)
    ('420 us', '42.0 ms', '4.20 s')
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def percent(part: float, whole: float) -> str:
    """Share for people.

    Examples
    --------
    >>> percent(1, 3), percent(1, 0)
    ('33 %', '0 %')
    """
    return f"{100 * part / whole:.0f} %" if whole > 0 else "0 %"
