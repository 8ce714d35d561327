"""Formats of dates in CSV files: found once, so that all blocks are read alike."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["IDLE", "date_formats", "is_iso", "plain_options"]

_OF_COLUMNS = frozenset({"converters", "date_format", "dtype", "parse_dates", "usecols"})
#: Options that change nothing of the result, or are said in another way here.
IDLE = frozenset({"cache_dates", "compression", "engine", "low_memory", "memory_map"})

_TIMES = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_ISO = {f"%Y-%m-%d{middle}{time}" for middle in (" ", "T") for time in _TIMES[1:]} | {"%Y-%m-%d"}


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what options say of single columns, and what changes nothing of a result."""
    left_out = _OF_COLUMNS | IDLE
    return {name: value for name, value in options.items() if name not in left_out}


def is_iso(date_format: str | None) -> bool:
    """Whether dates are written as ISO 8601 has them, without a time zone.

    Examples
    --------
    >>> is_iso("%Y-%m-%d %H:%M:%S"), is_iso("%d/%m/%Y")
    (True, False)
    """
    return date_format in _ISO


def date_formats(
    head: bytes, options: Mapping[str, Any], sample: Any, names: list[Any]
) -> dict[Any, str | None]:
    """Return the columns of dates that could be parsed, each with its format.

    Pandas guesses a format from the first date of what it reads; guessed for each block anew,
    ``02/01/2024`` would be January in one and February in another.

    Parameters
    ----------
    head : bytes
    options : mapping
        Arguments of ``pandas.read_csv``.
    sample : pandas.DataFrame
        What these lines hold.
    names : list of labels
        Of all columns in the file.
    """
    asked = options.get("parse_dates")
    if not isinstance(asked, (list, tuple)):
        return {}
    labels = [each if each in names else names[each] for each in asked]
    parsed = [each for each in labels if sample[each].dtype.kind == "M"]
    said = options.get("date_format")
    formats = {each: said.get(each) if isinstance(said, Mapping) else said for each in parsed}
    unsaid = [each for each, form in formats.items() if form is None]
    return formats | (_guessed(head, options, unsaid) if unsaid else {})


def _guessed(head: bytes, options: Mapping[str, Any], labels: list[Any]) -> dict[Any, str | None]:
    import pandas as pd
    from pandas.tseries.api import guess_datetime_format

    texts = pd.read_csv(io.BytesIO(head), **plain_options(options), usecols=labels, dtype="str")
    formats = {}
    for label in labels:
        found = texts[label].dropna()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a month that can only be a day, for instance
            formats[label] = (
                guess_datetime_format(found.iloc[0], dayfirst=options.get("dayfirst", False))
                if len(found)
                else None
            )
    return formats
