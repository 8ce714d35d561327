"""Text files in blocks of whole lines, which many tasks read without knowing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from gpuscale.io.files import Files

__all__ = [
    "NEWLINE",
    "Block",
    "blocks_of",
    "cut_outside_quotes",
    "line_number",
    "lines_of",
    "open_plain",
    "read_plain",
]

Block: TypeAlias = tuple[int, int, int | None]
"""Number of a file, and the bytes in which the lines of a block start; None for the whole file."""

NEWLINE = b"\n"

_AHEAD = 1 << 12  # bytes that are read at a time to find the end of a line
_SCAN = 1 << 24  # bytes that are read at a time where a file is read through


def blocks_of(files: Files, blocksize: int | None, parts: int = 1) -> list[Block]:
    """Cut files into blocks of equal length, each at most ``blocksize`` bytes.

    Parameters
    ----------
    files : Files
    blocksize : int or None
        None for one block of each file.
    parts : int
        How many blocks there should be at least, where they do not become smaller than 1 MiB.
    """
    if blocksize is None:
        return [(number, 0, None) for number in range(len(files))]
    total = sum(files.size(number) for number in range(len(files)))
    size = max(1, min(blocksize, max(-(-total // max(parts, 1)), 1 << 20)))
    blocks: list[Block] = []
    for number in range(len(files)):
        length = files.size(number)
        count = max(1, -(-length // size))
        ends = [length * k // count for k in range(count + 1)]
        blocks += [(number, *pair) for pair in zip(ends, ends[1:], strict=False)]
    return blocks


def cut_outside_quotes(files: Files, blocks: list[Block], quote: bytes) -> list[Block]:
    """Move the ends of blocks to where no quotes are open, for which the files are read once.

    Lines that start between two such ends are whole records, though quoted texts span lines.
    """
    moved: list[Block] = []
    for number, group in _by_file(blocks):
        ends = [stop for _, _, stop in group[:-1]]
        starts = [0, *_line_starts(files, number, [e for e in ends if e is not None], quote)]
        last = group[-1][2]
        stops = [*starts[1:], last]
        moved += [(number, a, b) for a, b in zip(starts, stops, strict=True) if b is None or a < b]
    return moved


def _by_file(blocks: list[Block]) -> Iterator[tuple[int, list[Block]]]:
    for number in dict.fromkeys(number for number, _, _ in blocks):
        yield number, [block for block in blocks if block[0] == number]


def _line_starts(files: Files, number: int, wanted: list[int], quote: bytes) -> Iterator[int]:
    """Yield the first starts of records at or after some positions."""
    with files.open(number) as file:
        at, is_open = 0, False
        for position in wanted:
            if position <= at:
                yield at  # a record that spans all of a block
                continue
            while at < position:
                data = file.read(min(_SCAN, position - at))
                if not data:
                    break
                at, is_open = at + len(data), is_open ^ (data.count(quote) % 2 == 1)
            before = data[-1:]
            while is_open or before != b"\n":
                line = file.readline()
                if not line:
                    break
                at, is_open = at + len(line), is_open ^ (line.count(quote) % 2 == 1)
                before = line[-1:]
            yield at


def lines_of(files: Files, block: Block) -> tuple[int, memoryview]:
    r"""Return where the first line starts that starts in a block, and all of them to their ends.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gpuscale.io.files import find_files
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.txt"
    >>> _ = path.write_bytes(b"one\ntwo\nthree\n")
    >>> files = find_files(path)
    >>> for start in (0, 5, 10):
    ...     position, lines = lines_of(files, (0, start, start + 5))
    ...     print(position, bytes(lines))
    0 b'one\ntwo\n'
    8 b'three\n'
    14 b''
    """
    number, start, stop = block
    length = files.size(number)
    first = _line_start(files, number, start, length)
    end = length if stop is None else _line_start(files, number, stop, length)
    return first, files.view(number, first, end) if first < end else memoryview(b"")


def _line_start(files: Files, number: int, at: int, length: int) -> int:
    """Return where the first line starts that starts at a byte or after it."""
    if at == 0 or at >= length:
        return min(at, length)
    at -= 1  # where the line before may end
    ahead = _AHEAD
    while at < length:
        end = files.read(number, at, min(at + ahead, length)).find(b"\n")
        if end >= 0:
            return at + end + 1
        at, ahead = at + ahead, 2 * ahead
    return length


def line_number(files: Files, number: int, position: int) -> int:
    """Return the number of the line, from 1, in which a byte stands; all before it is read."""
    count, at = 1, 0
    with files.open(number) as file:
        while at < position and (data := file.read(min(_SCAN, position - at))):
            count, at = count + data.count(b"\n"), at + len(data)
    return count


@contextmanager
def open_plain(files: Files, number: int, compression: str | None) -> Iterator[Any]:
    """Open a file to read what was in it before it was compressed."""
    from fsspec.compression import compr

    with files.open(number) as file:
        if compression is None:
            yield file
            return
        with compr[compression](file, mode="rb") as plain:
            yield plain


def read_plain(files: Files, number: int, compression: str | None) -> bytes:
    """Return all that was in a file before it was compressed."""
    with open_plain(files, number, compression) as file:
        return bytes(file.read())
