"""Quoted texts in blocks of lines: whether one of them is still open at the end."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

__all__ = ["ends_open", "reader_options"]

_PART = 1 << 18  # bytes that stay in the cache


def reader_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `csv.reader` is told of what ``pandas.read_csv`` is."""
    sep = options.get("sep", options.get("delimiter", ","))
    return {
        "delimiter": sep if isinstance(sep, str) and len(sep) == 1 else " ",
        "quotechar": options.get("quotechar", '"'),
        "doublequote": options.get("doublequote", True),
        "escapechar": options.get("escapechar"),
        "skipinitialspace": options.get("skipinitialspace", False),
    }


def ends_open(data: memoryview, options: Mapping[str, Any]) -> bool:
    r"""Whether a quoted text of some records goes on behind them.

    Where each quote that opens one stands at the start of a field, counting them tells. A quote
    within a field means nothing, and where there is one, the records are read one by one.

    Parameters
    ----------
    data : memoryview
        It starts with a record.
    options : mapping
        Arguments of ``pandas.read_csv``, which say what quotes texts.

    Examples
    --------
    >>> ends_open(memoryview(b'1,"a\n'), {}), ends_open(memoryview(b'1,5" wide\n'), {})
    (True, False)
    """
    dialect = reader_options(options)
    boundary = np.zeros(256, bool)
    boundary[[ord(each) for each in (dialect["delimiter"], dialect["quotechar"], "\n", "\r")]] = (
        True
    )
    if dialect["escapechar"]:
        return _reads_open(data, dialect)
    codes = np.frombuffer(data, np.uint8)
    count = 0
    for at in range(0, len(codes), _PART):
        found = np.flatnonzero(codes[at : at + _PART] == ord(dialect["quotechar"])) + at
        opening = found[count % 2 :: 2]
        opening = opening[opening > 0]
        if not boundary[codes[opening - 1]].all():
            return _reads_open(data, dialect)
        count += len(found)
    return count % 2 == 1


def _reads_open(data: memoryview, dialect: dict[str, Any]) -> bool:
    """Read all records, and see whether what follows them is one of its own."""
    end = "\0end\0"
    lines = (line.decode("latin-1") for line in io.BytesIO(data))
    for record in csv.reader(chain(lines, [end]), **dialect):
        last = record
    return last != [end]
