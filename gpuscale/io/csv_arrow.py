"""Blocks of CSV by the reader of Arrow, wherever it reads them as pandas does, only sooner."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.io.csv_dates import is_iso
from gpuscale.io.csv_format import CsvFormat, quote_of

__all__ = ["ArrowReader"]

_PART = 1 << 18
_BLOCK = 4 << 20  # bytes that Arrow parses at a time; larger ones fall out of the cache

#: What Arrow has words for, apart from header, names, columns, dtypes and dates.
_KNOWN = frozenset(
    {"decimal", "delimiter", "doublequote", "encoding", "false_values", "keep_default_na"}
    | {"na_values", "quotechar", "quoting", "sep", "true_values"}
)
#: Options that may be given, as long as they say what is so by default.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "comment": (None,),
    "dayfirst": (False,),
    "encoding_errors": ("strict",),
    "escapechar": (None,),
    "float_precision": (None,),
    "index_col": (None,),
    "na_filter": (True,),
    "on_bad_lines": ("error",),
    "skip_blank_lines": (True,),
    "skipinitialspace": (False,),
    "thousands": (None,),
}


class ArrowReader:
    """Reads blocks of one format, if it can be trusted with them.

    Parameters
    ----------
    form : CsvFormat
    """

    def __init__(self, form: CsvFormat) -> None:
        self._form = form
        types = {label: _arrow_type(form, label) for label in form.schema.columns}
        self._types = types if _has_words_for(form) else {}

    def read(self, data: memoryview, labels: Sequence[Any]) -> Any:
        """Return some columns of a block of lines, None where pandas has to decide."""
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        if not labels:  # rows are counted by the first column
            frame = self.read(data, list(self._form.schema.columns[:1]))
            return None if frame is None else frame[[]]
        wanted = [self._types.get(label) for label in labels]
        if None in wanted or not data:
            return None
        if any(pa.types.is_integer(each) for each in wanted) and _has_hexadecimals(data):
            return None
        form = self._form
        names = [str(at) for at in range(len(form.names))]
        chosen = [names[form.names.index(label)] for label in labels]
        try:
            table = arrow_csv.read_csv(
                pa.py_buffer(data),
                arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=names),
                _parsing(form.options),
                _converting(form.options, dict(zip(chosen, wanted, strict=True))),
            )
        except pa.ArrowException:
            return None
        read = zip(table.columns, labels, strict=True)
        if any(_differs(column, form.schema[label].dtype) for column, label in read):
            return None
        return self._framed(table, labels)

    def _framed(self, table: Any, labels: Sequence[Any]) -> Any:
        frame = table.to_pandas(use_threads=False, split_blocks=True)
        frame.columns = self._form.schema[list(labels)].columns
        for at, label in enumerate(labels):
            expected = self._form.schema[label].dtype
            if frame.dtypes.iloc[at] != expected:
                convert = getattr(expected, "__from_arrow__", None)
                column = table.column(at)
                values = convert(column) if convert else frame.iloc[:, at].astype(expected)
                frame.isetitem(at, values)
        return frame


def _differs(column: Any, dtype: Any) -> bool:
    """Whether a column has values of which pandas makes another dtype."""
    import pyarrow.compute as pc

    if not isinstance(dtype, np.dtype):
        return False
    if dtype.kind == "f":  # NAN and nAn are texts for pandas
        return bool(pc.any(pc.is_nan(column)).as_py())
    return dtype.kind in "iub" and column.null_count > 0


def _has_words_for(form: CsvFormat) -> bool:
    """Whether all options can be said to Arrow, and mean the same there."""
    options = form.options
    for name, value in options.items():
        if name not in _KNOWN and value not in _DEFAULTS.get(name, ()):
            return False
    sep = options.get("sep", options.get("delimiter", ","))
    encoding = (options.get("encoding") or "utf-8").lower().replace("_", "-")
    one_byte = isinstance(sep, str) and len(sep.encode()) == 1 and sep not in ' "'
    quoting = options.get("quoting", csv.QUOTE_MINIMAL)
    quotings = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE)
    return (
        one_byte
        and encoding in ("utf-8", "utf8", "ascii")
        and quoting in quotings
        and options.get("doublequote", True)
        and len(form.names) > 1  # lines of spaces are no rows for pandas, and a text for Arrow
        and _nulls(options) is not None
    )


def _nulls(options: dict[str, Any]) -> list[str] | None:
    """Return the texts that are null, None where they depend on columns or are numbers."""
    from pandas._libs.parsers import STR_NA_VALUES

    given = options.get("na_values")
    given = [] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(given, (list, tuple, set)) or not all(isinstance(n, str) for n in given):
        return None
    if any(_is_number(each) for each in given):  # pandas compares these as numbers
        return None
    usual = STR_NA_VALUES if options.get("keep_default_na", True) else ()
    return sorted({*usual, *given})


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower().lstrip("+-") not in ("nan",)


def _arrow_type(form: CsvFormat, label: Any) -> Any:
    """Return the type as which Arrow reads a column as pandas does, None where there is none."""
    import pandas as pd
    import pyarrow as pa

    dtype = form.schema[label].dtype
    if isinstance(dtype, pd.StringDtype):
        return pa.string()
    if isinstance(dtype, np.dtype):
        if dtype.kind == "M":
            unit = np.datetime_data(dtype)[0]
            return pa.timestamp(unit) if is_iso(form.dates.get(label)) else None
        if dtype.kind == "f":  # pandas reads all of them as doubles, and rounds then
            return pa.float64()
        return pa.from_numpy_dtype(dtype) if dtype.kind in "iub" else None
    return None


def _has_hexadecimals(data: memoryview) -> bool:
    """Whether there may be integers such as 0x1F, which are texts for pandas.

    Examples
    --------
    >>> _has_hexadecimals(memoryview(b"1,0X1F")), _has_hexadecimals(memoryview(b"10,x1F"))
    (True, False)
    """
    codes = np.frombuffer(data, np.uint8)
    for at in range(0, len(codes), _PART):  # parts stay in the cache
        part = codes[at : at + _PART + 1]
        marks = part[1:] | 0x20 == ord("x")
        if marks.any() and (part[:-1][marks] == ord("0")).any():
            return True
    return False


def _parsing(options: dict[str, Any]) -> Any:
    from pyarrow import csv as arrow_csv

    quote = quote_of(options)
    return arrow_csv.ParseOptions(
        delimiter=options.get("sep", options.get("delimiter", ",")),
        quote_char=quote.decode() if quote else False,
        newlines_in_values=True,
    )


def _converting(options: dict[str, Any], types: dict[str, Any]) -> Any:
    from pyarrow import csv as arrow_csv

    return arrow_csv.ConvertOptions(
        column_types=types,
        include_columns=list(types),
        null_values=_nulls(options),
        strings_can_be_null=True,
        true_values=["True", "TRUE", "true", *(options.get("true_values") or ())],
        false_values=["False", "FALSE", "false", *(options.get("false_values") or ())],
        decimal_point=options.get("decimal", "."),
    )
