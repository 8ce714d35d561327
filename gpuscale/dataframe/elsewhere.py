"""Names of pandas and dask that are not here, misspelled ones, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from gpuscale.base.nearest import meant

__all__ = ["FUNCTIONS", "METHODS", "advice", "advice_of_functions"]

_BAGS = "there are no bags; to_delayed() gives the partitions"
_PLOTS = "plots need values in one place: reduce or sample() the rows, then compute()"
_UNKNOWN_COLUMNS = "which columns there are depends on the data: pivot_table computes it"
_DTYPES = "dtypes would depend on all rows: say them by astype"

FUNCTIONS = {
    "annotations": "it is no function of dask either, but Python's `from __future__`",
    "assert_eq": "it is in gpuscale.testing.frames",
    "from_graph": "frames are made by from_map and from_delayed",
    "get_collection_type": "DataFrame, Series, Index and Scalar are the classes",
    "to_bag": _BAGS,
}
"""Functions of dask.dataframe -> what to do."""

_AWAY = "pandas took it away"

METHODS = {
    "analyze": "explain(analyze=True) computes, and says what each step took",
    "append": f"{_AWAY}: gd.concat([a, b]) puts rows together",
    "applymap": f"{_AWAY}: map calls a function on each element",
    "as_matrix": f"{_AWAY}: values is a lazy array",
    "boxplot": _PLOTS,
    "convert_dtypes": _DTYPES,
    "dask": "what dask adds are methods of the frame itself",
    "equals": "(a == b).all() says it of frames of the same labels",
    "factorize": 'astype("category").cat.codes numbers values that are known',
    "hist": _PLOTS,
    "infer_objects": _DTYPES,
    "iteritems": f"{_AWAY}: items() is it",
    "ix": f"{_AWAY}: loc takes labels, iloc positions",
    "lower_once": 'explain("lower") shows it',
    "pivot": _UNKNOWN_COLUMNS,
    "plot": _PLOTS,
    "pprint": 'print(df.explain("expression")) shows the expression',
    "simplify": 'optimize(until="simplify") does it',
    "take": "iloc takes rows by their positions",
    "to_bag": _BAGS,
    "transform": "a function of whole columns needs all rows: assign, or map_partitions by rows",
}
"""Methods of pandas and dask -> what to do."""

_KINDS = {
    "Index": (pd.Index, "to_series() has what a series has"),
    "Series": (pd.Series, "to_frame() has what a table has"),
    "DataFrame": (pd.DataFrame, ""),
}


_MAKE_FRAMES = "read_", "json_", "from_dummies", "lreshape", "merge_ordered", "wide_to_long"


def advice_of_functions(name: str, names: Iterable[str] = ()) -> str:
    """Say what to do instead of asking the module for a function that it has not.

    Examples
    --------
    >>> advice_of_functions("read_excel")
    '; pandas has it: from_pandas makes a frame of what pandas.read_excel gives'
    >>> advice_of_functions("IntervalIndex"), advice_of_functions("unique")
    ('; say pandas.IntervalIndex', '; it is a method: x.unique()')
    """
    if name in FUNCTIONS:
        return f"; {FUNCTIONS[name]}"
    if name.startswith("_"):
        return ""
    if name in METHODS:
        return f"; {METHODS[name]}"
    if not hasattr(pd, name):
        return meant(name, names)
    if hasattr(pd.DataFrame, name) or hasattr(pd.Series, name):
        return f"; it is a method: x.{name}()"
    if name.startswith(_MAKE_FRAMES):
        return f"; pandas has it: from_pandas makes a frame of what pandas.{name} gives"
    return f"; say pandas.{name}"


def advice(kind: str, name: str) -> str:
    """Say what to do instead of asking a collection for an attribute that it has not.

    Examples
    --------
    >>> advice("Series", "to_excel")
    "; pandas' needs all rows in one place: if they fit into memory, compute().to_excel"
    """
    if name in METHODS:
        return f"; {METHODS[name]}"
    theirs, way = _KINDS[kind]
    if hasattr(theirs, name):
        return f"; pandas' needs all rows in one place: if they fit into memory, compute().{name}"
    wider: Any = {"Index": pd.Series, "Series": pd.DataFrame}.get(kind)
    return f"; {way}" if hasattr(wider, name) else ""
