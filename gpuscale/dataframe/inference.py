"""What a function gives, found by calling it with frames that have no rows, or made-up ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.nearest import nearest_told
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = [
    "emptied",
    "inferred",
    "inferred_of_values",
    "names_in",
    "nonempty",
    "nulls",
    "of_made_up",
    "of_numbers_made_up",
    "operands_of",
    "sample",
    "with_numbers",
]


def operands_of(args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> list[Node]:
    """Return the nodes among arguments, each once."""
    values = (*args, *(value for _, value in kwargs))
    return list({each.token: each for each in values if isinstance(each, Node)}.values())


def sample(operand: Any, make: Callable[[Any], Any] = lambda frame: frame) -> Any:
    """Return what stands for an operand while nothing is computed."""
    if not isinstance(operand, Node):
        return operand
    meta = operand.meta
    if not isinstance(meta, FrameMeta):
        return meta.value
    return make(meta.frame) if meta.sample is None else meta.sample


def inferred(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> Any:
    """Call a function on frames without rows; what it raises is what the user's line raises."""
    given, named = [*map(sample, args)], {name: sample(value) for name, value in kwargs}
    with nearest_told(chain.from_iterable(map(names_in, (*given, *named.values())))):
        return function(*given, **named)


def names_in(frame: Any) -> list[Any]:
    """Return the names of columns and of levels of the index; none of what is no table.

    Examples
    --------
    >>> names_in(pd.DataFrame({"x": [1]}, pd.Index([2], name="k"))), names_in(3)
    (['x', 'k'], [])
    """
    if not isinstance(frame, pd.DataFrame | pd.Series | pd.Index):
        return []
    names = frame.names if isinstance(frame, pd.Index) else frame.index.names
    columns = frame.columns if isinstance(frame, pd.DataFrame) else ()
    return [*columns, *(name for name in names if name is not None)]


def emptied(result: Any) -> Any:
    """Return an object of pandas without its rows, anything else as it is."""
    if isinstance(result, pd.DataFrame | pd.Series):
        return result.iloc[:0]
    return result[:0] if isinstance(result, pd.Index) else result


def inferred_of_values(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call a function on made-up frames of two rows each."""
    return function(
        *(sample(each, nonempty) for each in args),
        **{name: sample(value, nonempty) for name, value in kwargs.items()},
    )


def nonempty(frame: Any, rows: int = 2, values: Callable[[Any, int], Any] | None = None) -> Any:
    """Make up rows for a frame, a series or an index that has none.

    Parameters
    ----------
    frame : object of pandas
    rows : int
    values : callable, optional
        Makes the elements of a dtype, so many; by default none of them is null.

    Examples
    --------
    >>> nonempty(pd.DataFrame({"x": pd.Series(dtype="int8"), "name": pd.Series(dtype="str")}))
       x name
    0  1    a
    1  1    a
    """
    make = values or _examples
    if isinstance(frame, pd.Index):
        return _index(frame, rows, make)
    index = _index(frame.index, rows, _examples)
    if isinstance(frame, pd.Series):
        return pd.Series(make(frame.dtype, rows), index=index, name=frame.name, dtype=frame.dtype)
    columns = [pd.Series(make(dtype, rows), index=index, dtype=dtype) for dtype in frame.dtypes]
    result = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    result.columns = frame.columns
    return result


def with_numbers(made: Any) -> Any:
    """Return what `nonempty` has made with numbers for objects, as decimals are, and not texts.

    Examples
    --------
    >>> with_numbers(pd.Series(["a", "a"], dtype=object)).tolist()
    [1, 1]
    """
    if isinstance(made, pd.DataFrame):
        return made.apply(with_numbers)
    return made.where(made.isna(), 1) if made.dtype == object else made


def of_made_up(function: Callable[..., Any], *frames: Any) -> Any:
    """Call a function on made-up rows, of which objects may be numbers where texts do not do.

    Examples
    --------
    >>> of_made_up(lambda x: x.diff().dtype, pd.Series([], dtype=object))
    dtype('O')
    """
    made = [nonempty(frame) for frame in frames]
    try:
        return function(*made)
    except _OF_TEXTS:
        if not any(map(_has_objects, frames)):
            raise
        with suppress(*_OF_TEXTS):  # otherwise what is said of texts is told
            return function(*map(with_numbers, made))
        raise


def of_numbers_made_up(function: Callable[..., Any], frame: Any) -> Any:
    """Call what wants numbers on made-up rows; an error names the first column that has none.

    Examples
    --------
    >>> try:
    ...     of_numbers_made_up(lambda x: x.mean(), pd.DataFrame({"x": [1], "name": ["a"]})[:0])
    ... except TypeError as error:
    ...     error.__notes__
    ["column 'name' is str: choose columns, or say numeric_only=True"]
    """
    try:
        return of_made_up(function, frame)
    except Exception as error:
        for label in frame.columns.unique() if isinstance(frame, pd.DataFrame) else ():
            part = frame[[label]]
            try:
                of_made_up(function, part)
            except type(error):
                dtype = part.dtypes.iloc[0]
                error.add_note(
                    f"column {label!r} is {dtype}: choose columns, or say numeric_only=True"
                )
                break
        raise


_OF_TEXTS = (TypeError, ValueError, pd.errors.DataError)


def _has_objects(frame: Any) -> bool:
    dtypes = frame.dtypes if isinstance(frame, pd.DataFrame) else [frame.dtype]
    return any(pd.api.types.is_object_dtype(dtype) for dtype in dtypes)


def nulls(dtype: Any, rows: int) -> Any:
    """Make elements that are null, or zero or false where a dtype has no nulls.

    Examples
    --------
    >>> nonempty(pd.Series([], dtype="datetime64[us]"), 1, nulls).isna().tolist()
    [True]
    """
    has_none = isinstance(dtype, np.dtype) and dtype.kind in "iub"
    return np.zeros(rows, dtype) if has_none else pd.array([None] * rows, dtype=dtype)


def _index(index: pd.Index, rows: int, make: Callable[[Any, int], Any]) -> pd.Index:
    if isinstance(index, pd.MultiIndex):
        arrays = [pd.Index(make(level.dtype, rows), dtype=level.dtype) for level in index.levels]
        return pd.MultiIndex.from_arrays(arrays, names=index.names)
    if isinstance(index, pd.RangeIndex):
        return pd.RangeIndex(rows, name=index.name)
    values = pd.Index(make(index.dtype, rows), dtype=index.dtype, name=index.name)
    if isinstance(index, pd.DatetimeIndex) and make is _examples:
        return pd.date_range("2000-01-01", periods=rows, name=index.name, tz=index.tz).as_unit(
            index.unit
        )
    return values


def _examples(dtype: Any, rows: int) -> Any:
    if isinstance(dtype, pd.CategoricalDtype):
        if len(dtype.categories):
            return pd.Categorical([dtype.categories[0]] * rows, dtype=dtype)
        return pd.Categorical([None] * rows, dtype=dtype)
    if isinstance(dtype, pd.PeriodDtype):  # which takes numbers for years, with a warning
        return pd.array([pd.Period("2000-01-01", freq=dtype.freq)] * rows, dtype=dtype)
    first = ("a",) if getattr(dtype, "kind", "O") == "O" else ()  # texts take numbers, too
    for value in (*first, *_CANDIDATES):
        try:
            return pd.array([value] * rows, dtype=dtype)
        except (TypeError, ValueError, ArithmeticError, NotImplementedError):
            continue
    return pd.array([None] * rows, dtype=dtype)


_CANDIDATES = (
    1,
    "a",
    True,
    pd.Timestamp("2000-01-01"),
    pd.Timestamp("2000-01-01", tz="UTC"),
    pd.Timedelta(1, "D"),
    pd.Interval(0, 1),
    b"a",
    [1],
)
