"""What ``map`` gives: the values of a mapping, or what a function makes of made-up values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Rows
from gpuscale.dataframe.promises import (
    Promised,
    all_null,
    as_it_is,
    name_of,
    nulls_as,
    of_a_kind,
    promise,
    widened,
)

__all__: list[str] = []

_EXAMPLES = ("a", "1", "2000-01-01", 1, 0, 100, -1)


def mapped(x: Any, arg: Any, options: dict[str, Any], rows: Rows = "same", meta: Any = None) -> Any:
    """Return what a mapping, a series or a function has for the values of a collection.

    Parameters
    ----------
    x : DataFrame, Series or Index
    arg : mapping, series or callable
        Every partition takes the whole of a lazy series.
    options : dict
        As pandas has them.
    rows : str
        What becomes of the index.
    meta : optional
        What comes out, as users say it; found by trying otherwise.
    """
    lazy = isinstance(arg, Frame)
    if meta is not None:
        out = promise(meta, x._meta)
    else:
        out = _tried(x._meta, nonempty(arg._meta, 1) if lazy else arg, options)
    said = f"map of the function {name_of(arg)}" if callable(arg) else "map"
    cast = widened if meta is not None else nulls_as if x.npartitions > 1 else as_it_is
    checked = Promised(Method("map"), out, said, of_a_kind, cast, meta is not None)
    whole = [arg.repartition(npartitions=1)] if lazy else []
    return call(checked, (x, *(whole or [arg])), options, "map", rows, out, whole)


def _tried(some: Any, arg: Any, options: dict[str, Any]) -> Any:
    try:
        return _found(some, arg, options)
    except Exception as error:
        error.add_note(
            "gpuscale tried map on made-up values, to know what comes out; say what it gives by "
            "meta=, such as meta=('name', 'float64')"
        )
        raise


def _found(some: Any, arg: Any, options: dict[str, Any]) -> Any:
    """Return what comes out for a frame, a series or an index without rows."""
    if some.ndim == 2:
        columns = [_found(column, arg, options) for _, column in some.items()]
        out = pd.DataFrame(dict(enumerate(columns)), index=some.index)
        out.columns = some.columns
        return out
    if isinstance(some.dtype, pd.CategoricalDtype):  # whose values are known
        return emptied(some.map(arg, **options))
    if isinstance(arg, pd.Series) or (isinstance(arg, Mapping) and not hasattr(arg, "__missing__")):
        keys = _with_values(some, arg.index if isinstance(arg, pd.Series) else arg)
        found = (keys if len(keys) else nonempty(some)).map(arg, **options)
    else:
        found = of_function(some, lambda values: values.map(arg, **options))
    if isinstance(some, pd.Index):
        return found[:0]
    return pd.Series(found.array[:0], some.index, name=some.name)


def _with_values(some: Any, values: Iterable[Any]) -> Any:
    """Return a series or an index of those values which its dtype takes."""
    kept = list(values)
    try:
        return _made(some, kept)
    except _NOT_TAKEN:
        return _made(some, [each for each in kept if _takes(some, each)])


_NOT_TAKEN = (TypeError, ValueError, ArithmeticError)


def _takes(some: Any, value: Any) -> bool:
    try:
        _made(some, [value])
    except _NOT_TAKEN:
        return False
    return True


def _made(some: Any, values: list[Any]) -> Any:
    make = pd.Index if isinstance(some, pd.Index) else pd.Series
    return make(values, dtype=some.dtype, name=some.name)


def of_function(some: Any, call_on: Callable[[Any], Any], first: Any = None) -> Any:
    """Call a function on made-up values, until it gives something; objects may be anything.

    Parameters
    ----------
    some : DataFrame, Series or Index
        Without rows.
    call_on : callable
    first : object of pandas, optional
        With what is tried first.
    """
    found, raised = [], []
    is_open = some.ndim == 1 and some.dtype == object
    for made in _examples(some, nonempty(some) if first is None else first):
        try:
            result = call_on(made)
        except Exception as error:  # whatever the user's function raises
            raised.append(error)
            continue
        found.append(result)
        if not is_open and not all_null(result):
            return result
    if not found:
        raise raised[0]
    told = [each for each in found if not all_null(each)] or found[-1:]
    same = len({str(each.dtypes) for each in told}) == 1
    return told[0] if same else told[0].astype(object)


def _examples(some: Any, first: Any) -> Iterator[Any]:
    yield first
    if some.ndim == 2:
        for value in _EXAMPLES:
            yield _with_value(first, value)
    elif some.dtype == object or isinstance(some.dtype, pd.StringDtype) or some.dtype.kind in "iuf":
        for value in _EXAMPLES:
            if _takes(some, value):
                yield _made(some, [value])


def _with_value(made: Any, value: Any) -> Any:
    """Return a table with a value in all numbers or texts that it may be, by their dtype."""
    result = made.copy(deep=False)
    for at, dtype in enumerate(made.dtypes):
        column, is_text = made.iloc[:, at], isinstance(dtype, pd.StringDtype)
        is_alike = is_text == isinstance(value, str)
        if is_alike and (is_text or dtype.kind in "iuf") and _takes(column, value):
            result.isetitem(at, pd.Series([value] * len(made), made.index, dtype))
    return result
