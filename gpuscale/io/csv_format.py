"""What a CSV file is like: its header, its columns and their dtypes, from its first lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gpuscale.base.nearest import with_nearest
from gpuscale.io.csv_dates import IDLE, date_formats, plain_options
from gpuscale.io.csv_encoding import undecodable
from gpuscale.io.quotes import reader_options

__all__ = [
    "CsvFormat",
    "has_long_separator",
    "header_of",
    "needs_whole_files",
    "quote_of",
    "read_format",
    "spans_lines",
]

_REFUSED = {
    "chunksize": "partitions are the chunks",
    "dialect": "say sep=, quotechar= and the others",
    "iterator": "partitions are the chunks",
    "nrows": "take head(n) of the frame",
}
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")


@dataclass(frozen=True)
class CsvFormat:
    """How to read any block of lines of a file.

    Parameters
    ----------
    options : dict
        Of ``pandas.read_csv``, without those about header, names, columns, dtypes and dates.
    names : list of labels
        Of all columns in the file.
    schema : pandas.DataFrame
        Without rows, with the columns that are read.
    dtypes : dict of label to dtype
        What the user has said.
    dates : dict of label to str or None
        Columns of dates that are parsed, and their format; None where each is guessed.
    header : bytes
        All that stands before the first row.
    first_row : bytes
        The first row, with as many fields as there should be.
    usecols : bool
        Whether the user has chosen columns, for which pandas takes rows of any length.
    row_bytes : dict of label to int
        Projected bytes of a value of each column in memory.
    text_bytes : int
        Bytes of the text of a row.
    """

    options: dict[str, Any]
    names: list[Any]
    schema: Any
    dtypes: dict[Any, Any]
    dates: dict[Any, str | None]
    header: bytes
    first_row: bytes
    usecols: bool
    row_bytes: dict[Any, int]
    text_bytes: int


def quote_of(options: Mapping[str, Any]) -> bytes | None:
    """Return the character that quotes texts, None where none does.

    Examples
    --------
    >>> quote_of({}), quote_of({"quoting": csv.QUOTE_NONE})
    (b'"', None)
    """
    if options.get("quoting", csv.QUOTE_MINIMAL) == csv.QUOTE_NONE:
        return None
    quote = options.get("quotechar", '"')
    return quote.encode() if quote else None


def read_format(head: bytes, given: Mapping[str, Any], where: str) -> CsvFormat:
    """Find out what a file is like.

    Parameters
    ----------
    head : bytes
        Whole lines from the start of the file.
    given : mapping
        Arguments of ``pandas.read_csv``.
    where : str
        What messages call the file.

    Raises
    ------
    ValueError
        If an option is of use for whole files only, rows have more fields than there are names, or
        bytes are no text.
    """
    import pandas as pd

    _check_options(given)
    if b"\r" in head and b"\n" not in head:
        raise ValueError(
            f"the lines of {where} end in \\r alone, at which it cannot be cut; pass "
            "lineterminator='\\r' and blocksize=None, which makes one partition of each file"
        )
    options = {name: value for name, value in given.items() if name not in IDLE}
    try:
        sample = pd.read_csv(io.BytesIO(head), **options, low_memory=False)
    except ValueError as error:
        wrong = undecodable(head, options)
        if wrong is not None:
            raise ValueError(f"{where}, line {wrong[0] + 1}: {wrong[1]}") from None
        _named(error, where)
        with suppress(ValueError):  # of which there are none if these lines are no CSV
            with_nearest(error, header_of(head, options, where)[0])
        raise
    names, start = header_of(head, options, where)
    first = next(_records(head, start, options), (start, start))
    plain = plain_options(options)
    first_row = _as_wide(head[first[0] : first[1]], plain, names, where)
    for name in ("header", "names", "skiprows", "dayfirst"):
        plain.pop(name, None)
    if options.get("converters"):
        plain["converters"] = _by_label(options["converters"], names)
    dates = date_formats(head, options, sample, names)
    for label in dates:
        if sample[label].isna().all():  # pandas gives a unit to dates that it has seen
            sample[label] = sample[label].astype("datetime64[us]")
    rows = max(len(sample), 1)
    sizes = sample.memory_usage(index=False, deep=True)
    return CsvFormat(
        plain,
        names,
        sample.iloc[:0],
        _dtypes(options.get("dtype"), names, list(sample.columns)),
        dates,
        head[:start],
        first_row,
        options.get("usecols") is not None,
        {label: -(-int(sizes[label]) // rows) for label in sample.columns},
        max(1, (len(head) - start) // rows),
    )


def header_of(head: bytes, options: Mapping[str, Any], where: str) -> tuple[list[Any], int]:
    """Return the names of all columns, and how many bytes stand before the first row."""
    import pandas as pd

    try:
        names = pd.read_csv(io.BytesIO(head), **plain_options(options), nrows=0).columns
    except ValueError as error:
        _named(error, where)
        raise
    return list(names), _header_end(head, options)


def _named(error: ValueError, where: str) -> None:
    """Have an error of pandas name its file; where it is more than a message, in a note."""
    said = str(error).strip()
    if error.args != (str(error),):
        error.add_note(f"in the first lines of {where}")
        return
    is_empty = type(error).__name__ == "EmptyDataError"
    advice = "; leave out files in which nothing is" if is_empty else ""
    error.args = (f"{where}: {said}{advice}",)


def needs_whole_files(options: Mapping[str, Any]) -> bool:
    """Whether options mean something for whole files only.

    Examples
    --------
    >>> needs_whole_files({"skiprows": 1}), needs_whole_files({"skipfooter": 1})
    (False, True)
    """
    return _of_whole_files(options) is not None


def _of_whole_files(options: Mapping[str, Any]) -> str | None:
    """Say what it is that blocks cannot have."""
    header = options.get("header", "infer")
    if header not in ("infer", None) and not isinstance(header, int):
        return "a header of several rows"
    if not isinstance(options.get("skiprows") or 0, int):
        return "skiprows= that is no number"
    index = options.get("index_col")
    if index is not None and index is not False:  # 0 is the first column
        return "index_col="
    if has_long_separator(options):
        return "a sep= of several characters"
    for name in ("lineterminator", "skipfooter"):
        if options.get(name) not in (None, 0):
            return f"{name}="
    encoding = (options.get("encoding") or "utf-8").lower()
    return f"encoding={encoding!r}" if encoding.startswith(_WIDE) else None


def has_long_separator(options: Mapping[str, Any]) -> bool:
    r"""Whether fields are told apart by more than one character, or by what pandas is to guess.

    Examples
    --------
    >>> has_long_separator({"sep": "||"}), has_long_separator({"sep": r"\s+"})
    (True, False)
    """
    given = [options[name] for name in ("sep", "delimiter") if name in options]
    return any(sep is None or (len(sep) > 1 and sep != r"\s+") for sep in given[:1])


def _check_options(options: Mapping[str, Any]) -> None:
    for name, remedy in _REFUSED.items():
        if options.get(name) not in (None, False):
            raise ValueError(f"read_csv takes no {name}=: {remedy}")
    found = _of_whole_files(options)
    if found is not None:
        remedy = ", or call set_index" if "index" in found else ""
        raise ValueError(
            f"blocks cannot be read with {found}; pass blocksize=None, which makes one partition "
            f"of each file{remedy}"
        )


def _as_wide(row: bytes, plain: dict[str, Any], names: list[Any], where: str) -> bytes:
    """Return the first row with as many fields as there are names."""
    import pandas as pd

    if not row:
        return row
    options = {n: v for n, v in plain.items() if n not in ("header", "names", "skiprows")}
    is_blank = not row.strip(b"\r\n")  # a row of nulls where such lines are not left out
    width = 1 if is_blank else pd.read_csv(io.BytesIO(row), header=None, **options).shape[1]
    if width > len(names) and options.get("index_col") is not False:
        raise ValueError(
            f"the rows of {where} have {width} fields, and there are {len(names)} names; pass "
            "names= for all fields, with header=0 if the file has a header"
        )
    sep = str(plain.get("sep", plain.get("delimiter", ",")))
    line = row.rstrip(b"\r\n")
    return line + sep.encode() * max(len(names) - width, 0) + (row[len(line) :] or b"\n")


def _header_end(head: bytes, options: Mapping[str, Any]) -> int:
    """Return where the lines before the first row end."""
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    for _ in range(options.get("skiprows") or 0):
        at = head.find(b"\n", at) + 1 or len(head)
    header = options.get("header", "infer")
    if header == "infer":
        header = None if options.get("names") is not None else 0
    if header is None:
        return at
    records = _records(head, at, options)
    return next((end for n, (_, end) in enumerate(records) if n == header), len(head))


def _records(head: bytes, at: int, options: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield where the lines of records start and end, without those that pandas leaves out."""
    quote, comment = quote_of(options), (options.get("comment") or "").encode()
    blank = options.get("skip_blank_lines", True)
    while at < len(head):
        end = head.find(b"\n", at) + 1 or len(head)
        line = head[at:end]
        if not (blank and not line.strip() or comment and line.startswith(comment)):
            if quote and quote in line:
                end = _record_end(head, at, options)
            yield at, end
        at = end


def _record_end(head: bytes, at: int, options: Mapping[str, Any]) -> int:
    """Return where a record ends; a quote within a field is a character as any other."""
    lines = io.BytesIO(head[at:])
    reader = csv.reader((line.decode("latin-1") for line in lines), **reader_options(options))
    next(reader, None)
    return at + lines.tell()


def spans_lines(head: bytes, form: CsvFormat, given: Mapping[str, Any]) -> bool:
    """Whether a quoted text goes on in the next line, in some lines."""
    records = _records(head, len(form.header), given)
    return any(head.count(b"\n", start, end - 1) for start, end in records)


def _by_label(values: Mapping[Any, Any], names: list[Any]) -> dict[Any, Any]:
    """Name columns by label that may be named by position; those there are not are left out."""
    places = range(len(names))
    return {
        key if key in names else names[key]: value
        for key, value in values.items()
        if key in names or isinstance(key, int) and key in places
    }


def _dtypes(dtype: Any, names: list[Any], columns: list[Any]) -> dict[Any, Any]:
    """Return the dtypes that the user has said, by label."""
    if dtype is None:
        return {}
    if not isinstance(dtype, Mapping):
        said = dict.fromkeys(columns, dtype)
    elif hasattr(dtype, "default_factory"):
        said = {label: dtype[label] for label in columns}
    else:
        said = {label: each for label, each in _by_label(dtype, names).items() if label in columns}
    for label, each in said.items():
        if each == "category" and getattr(each, "categories", None) is None:
            raise ValueError(
                f"the categories of column {label!r} depend on all of its values: say them, as "
                "dtype=pandas.CategoricalDtype([...]), or read texts and call astype('category')"
            )
    return said
