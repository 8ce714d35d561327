"""Blocks of CSV as pandas reads them, with the dtypes that the first lines have promised."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.io.csv_encoding import undecodable
from gpuscale.io.csv_format import CsvFormat
from gpuscale.io.promised_dtypes import fits

__all__ = ["Surprise", "read_block"]


class Surprise(ValueError):
    """A block that does not fit what its file promised; its reader says where it is.

    Parameters
    ----------
    message : str
    line : int or None
        Where in the block, from 0.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_block(form: CsvFormat, data: bytes, labels: Sequence[Any]) -> Any:
    """Read some columns of a block of lines.

    Raises
    ------
    Surprise
        If the lines cannot be read, or not as the dtypes that the schema has.
    """
    texts = {label: "str" for label in labels if form.schema[label].dtype == "str"}
    dtypes = texts | {label: d for label, d in form.dtypes.items() if label in labels}
    try:
        frame = _read(form, data, labels, dtypes, form.dates)
    except ValueError as error:
        raise _explained(form, data, labels, error) from None
    for label in labels:
        dtype, expected = frame[label].dtype, form.schema[label].dtype
        if dtype == expected:
            continue
        if not fits(frame[label], expected):
            raise _surprise(form, data, label, dtype)
        frame[label] = frame[label].astype(expected)
    return frame


def _read(
    form: CsvFormat,
    data: bytes,
    labels: Sequence[Any],
    dtypes: dict[Any, Any],
    dates: dict[Any, str | None],
) -> Any:
    """Read a block after the first row of the file, so that longer rows are found to be longer."""
    import pandas as pd

    options = dict(form.options)
    # Without usecols= pandas refuses rows that are too long, so all columns are read, if as texts.
    there = list(form.schema.columns)
    dtypes = dict.fromkeys((label for label in there if label not in labels), "str") | dtypes
    if "converters" in options:
        given = options["converters"].items()
        options["converters"] = {label: each for label, each in given if label in labels}
        dtypes = {k: v for k, v in dtypes.items() if k not in options["converters"]}
    parsed = [label for label in dates if label in labels]
    formats = {label: dates[label] for label in parsed if dates[label] is not None}
    frame = pd.read_csv(
        io.BytesIO(form.first_row + data),
        header=None,
        names=form.names,
        usecols=there if form.usecols else None,
        dtype=dtypes,
        parse_dates=parsed,
        date_format=formats or None,
        low_memory=False,
        **options,
    )
    frame = frame.iloc[1:] if form.first_row else frame
    return frame[list(labels)].reset_index(drop=True)


def _explained(form: CsvFormat, data: bytes, labels: Sequence[Any], error: ValueError) -> Surprise:
    """Say in which line or column it was that pandas could not read a block."""
    wrong = undecodable(data, form.options)
    if wrong is not None:
        return Surprise(wrong[1], wrong[0])
    found = re.search(r"\bline (\d+)", str(error))
    if found:
        line = int(found[1]) - 1 - form.first_row.count(b"\n")
        message = re.sub(r"^Error tokenizing data\. C error: ", "", str(error)).strip()
        message = re.sub(r" in line \d+", "", message)
        return Surprise(f"{message}; mend the line, or pass on_bad_lines=", line)
    for label in labels:
        if label not in form.dtypes:
            continue
        try:
            _read(form, data, [label], form.dtypes, {})
        except ValueError:
            return _surprise(form, data, label, None)
    return Surprise(str(error))


def _surprise(form: CsvFormat, data: bytes, label: Any, found: Any) -> Surprise:
    """Name a column whose values are not of its dtype, and the first of them."""
    expected = form.schema[label].dtype
    texts = _read(form, data, [label], {label: "str"}, {})[label]
    reads = _reads_as(expected, form.dates.get(label))
    wrong = [k for k, text in enumerate(texts) if not reads(text)]
    value = "" if not wrong else f", the first {_shown(texts.iloc[wrong[0]])}"
    source = "as dtype= has it" if label in form.dtypes else "as the first lines have it"
    is_number = isinstance(found, np.dtype) and found.kind in "iuf" and expected.kind in "iuf"
    said = "float64" if is_number else "str"
    is_any = isinstance(expected, np.dtype) and expected.kind == "O"
    if found is not None and is_any:  # as are numbers of any size
        return Surprise(
            f"column {label!r} is of objects in the first lines, and {found} here; pass "
            f"dtype={{{label!r}: {said!r}}}"
        )
    message = (
        f"column {label!r} is {expected}, {source}, and there are values that are not{value}; "
        f"pass dtype={{{label!r}: {said!r}}}"
    )
    if expected.kind == "M":
        message += ", without parse_dates for it, or date_format="
    # Lines and rows are the same thing only where no line is left out, and no row spans two.
    plain = len(texts) == data.count(b"\n") + (not data.endswith(b"\n"))
    return Surprise(message, wrong[0] if wrong and plain else None)


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else "none at all"


def _reads_as(expected: Any, date_format: str | None) -> Callable[[Any], bool]:
    """Return what tells whether a text is a value of a dtype."""
    import pandas as pd

    kind = getattr(getattr(expected, "numpy_dtype", expected), "kind", "O")
    nulls = not (isinstance(expected, np.dtype) and kind in "iub")

    def reads(text: Any) -> bool:
        if not isinstance(text, str):
            return nulls
        try:
            if kind in "iu":
                return bool(np.iinfo(expected).min <= int(text) <= np.iinfo(expected).max)
            if kind == "f":
                return float(text) == float(text)  # NAN is a text, unlike nan
            if kind == "M":
                return pd.to_datetime(text, format=date_format) is not None
        except ValueError:
            return False
        return kind != "b" or text.lower() in ("true", "false")

    return reads
