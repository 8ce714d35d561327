"""Compare frames with what pandas gives, and draw frames for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from gpuscale.collection import Collection
from gpuscale.dataframe.promises import described
from gpuscale.dataframe.undecided import dtypes_in, loosened, with_dtypes
from gpuscale.expr.frames import FrameMeta

__all__ = ["COLUMNS", "assert_eq", "frames", "splits"]


def assert_eq(
    actual: Any, expected: Any, *, rtol: float = 0.0, promised: bool = True, **options: Any
) -> None:
    """Assert that a result equals what pandas gives: values, dtypes, labels, order.

    Parameters
    ----------
    actual : collection or object
        Computed, with the engine "sync", if it is lazy; what was promised before must be so.
    expected : object of pandas, or value
    rtol : float
        Tolerance for floating-point numbers; exact by default.
    promised : bool
        Whether dtypes have to be those that were promised: some depend on the data in pandas.
    **options
        For pandas' own functions of comparison, such as ``check_freq=False``.

    Raises
    ------
    AssertionError
    """
    result = actual
    if isinstance(actual, Collection):
        meta = actual.expr.meta
        result = actual.compute(engine="sync")
        if isinstance(meta, FrameMeta) and promised:
            assert type(meta.frame) is type(result) or isinstance(result, pd.Index)
            assert described(meta.frame) == described(_as_planned(result, meta))
    if not rtol:
        options = {"check_exact": True, **options}
    else:
        options = {"rtol": rtol, **options}
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(result, expected, **options)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(result, expected, **options)
    elif isinstance(expected, pd.Index):
        pd.testing.assert_index_equal(result, expected, **{"exact": "equiv", **options})
    else:
        _assert_value(result, expected, rtol)


def _as_planned(result: Any, meta: FrameMeta) -> Any:
    """Return a result with the dtypes that were planned, where data decide and have decided so."""
    otherwise = meta.otherwise
    if meta.backend != FrameMeta.host:  # whose integers have nulls there, and on the host none
        otherwise = loosened(dtypes_in(meta.frame))
    if otherwise is None or type(result) is not type(meta.frame):
        return result
    trios = zip(*map(dtypes_in, (result, meta.frame, otherwise)), strict=True)
    any_of = np.dtype(object)
    decided = [plan if other in (own, any_of) else own for own, plan, other in trios]
    return with_dtypes(result, decided)


def _assert_value(result: Any, expected: Any, rtol: float) -> None:
    if pd.isna(expected):
        assert pd.isna(result), f"{result!r} is no null"
    elif isinstance(expected, float | np.floating) and rtol:
        np.testing.assert_allclose(result, expected, rtol=rtol)
    else:
        assert result == expected, f"{result!r} is not {expected!r}"


COLUMNS: dict[str, Any] = {
    "int64": st.integers(-9, 9),
    "int8": st.integers(-9, 9),
    "uint16": st.integers(0, 9),
    "bool": st.booleans(),
    "float64": st.one_of(st.none(), st.integers(-9, 9).map(float)),
    "float32": st.one_of(st.none(), st.integers(-9, 9).map(float)),
    "str": st.one_of(st.none(), st.sampled_from("abcA")),
    "Int64": st.one_of(st.none(), st.integers(-9, 9)),
    "Float64": st.one_of(st.none(), st.integers(-9, 9).map(float)),
    "boolean": st.one_of(st.none(), st.booleans()),
    "datetime64[ns]": st.one_of(st.none(), st.integers(0, 9).map(lambda n: f"2020-01-{n + 1:02d}")),
    "datetime64[us, UTC]": st.one_of(
        st.none(), st.integers(0, 9).map(lambda n: f"2020-01-{n + 1:02d}")
    ),
    "timedelta64[ns]": st.one_of(st.none(), st.integers(-9, 9)),
    "category": st.one_of(st.none(), st.sampled_from("abc")),
    "int64[pyarrow]": st.one_of(st.none(), st.integers(-9, 9)),
}
"""Elements by dtype: few values, so that there are many of each, and nulls where there are any."""


@st.composite
def frames(
    draw: Any, dtypes: Any = tuple(COLUMNS), max_rows: int = 12, max_columns: int = 3
) -> Any:
    """Draw a frame with columns of some dtypes and an index that may be unsorted and repeat.

    Parameters
    ----------
    dtypes : sequence of str
        Rows of `COLUMNS` to choose from.
    max_rows, max_columns : int
    """
    rows = draw(st.integers(0, max_rows))
    chosen = draw(st.lists(st.sampled_from(list(dtypes)), min_size=1, max_size=max_columns))
    columns = {}
    for k, dtype in enumerate(chosen):
        values = draw(st.lists(COLUMNS[dtype], min_size=rows, max_size=rows))
        columns[f"c{k}"] = pd.Series(values, dtype=dtype)
    frame = pd.DataFrame(columns)
    if draw(st.booleans()):
        frame.index = pd.Index(
            draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)), dtype="int64"
        )
    return frame


@st.composite
def splits(draw: Any, frame: Any, max_parts: int = 5) -> Any:
    """Cut a frame into partitions, some of which may be empty."""
    cuts = draw(st.lists(st.integers(0, len(frame)), max_size=max_parts - 1))
    ends = [0, *sorted(cuts), len(frame)]
    return [frame.iloc[a:b] for a, b in zip(ends, ends[1:], strict=False)]
