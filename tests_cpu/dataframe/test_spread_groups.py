"""Groups whose results are made in several partitions, against pandas."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale import config
from gpuscale.dataframe.algorithms.group_places import KeySample, parts_of
from gpuscale.dataframe.algorithms.grouping import Gathered
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.expr.walk import toposort
from gpuscale.testing.frames import COLUMNS, assert_eq, frames

KEYS = (
    *("int64", "uint16", "float64", "str", "bool", "datetime64[ns]", "datetime64[us, UTC]"),
    *("timedelta64[ns]", "category", "Int64", "Float64", "boolean", "int64[pyarrow]"),
)
ONE_EACH = {
    "sum": lambda g, **options: g.v.sum(**options),
    "median": lambda g, **options: g.v.median(**options),
    "agg": lambda g, **options: g.agg(a=("v", "nunique"), b=("w", "std"), **options),
}
OF_ROWS = {
    "cumsum": lambda g, **options: g.v.cumsum(**options),
    "transform": lambda g, **options: g.w.transform(lambda w: w - w.max(), **options),
    "head": lambda g, **options: g.head(2, **options),
    "nth": lambda g, **options: g.nth(1, **options),
    "filter": lambda g, **options: g.filter(_keeps, **options),
}


def _spread_of(values):
    return values.max() - values.min()


def _keeps(rows):
    return len(rows) > 1 and rows.index[0] % 2 == 0


@st.composite
def grouped(draw):
    """Draw a frame with values, its keys, options and a number of partitions."""
    keys = draw(frames(dtypes=KEYS, max_columns=2, max_rows=20))
    values = st.lists(COLUMNS["int64"], min_size=len(keys), max_size=len(keys))
    frame = keys.assign(v=draw(values), w=np.array(draw(values), float))
    options = {name: draw(st.booleans()) for name in ("sort", "dropna", "as_index")}
    return frame, list(keys.columns), options, draw(st.integers(1, 4))


@settings(max_examples=20)
@given(case=grouped(), name=st.sampled_from(list(ONE_EACH)))
def test_results_of_groups_come_in_the_order_of_pandas(case, name):
    frame, by, options, npartitions = case
    expected = ONE_EACH[name](frame.groupby(by, observed=True, **options))
    lazy = gd.from_pandas(frame, npartitions=npartitions, sort=False)
    result = ONE_EACH[name](lazy.groupby(by, **options), split_out=3)
    assert result.npartitions == 3
    assert_eq(result, expected, rtol=1e-9, promised=len(frame) > 0, check_dtype=len(frame) > 0)


@settings(max_examples=20)
@given(case=grouped(), name=st.sampled_from(list(OF_ROWS)))
def test_results_of_rows_stand_where_these_stood(case, name):
    frame, by, options, npartitions = case
    options["as_index"] = True
    if name in ("transform", "filter"):
        # pandas compares names of groups, where NA has no truth value, and looks rows up by them,
        # where NaT beside another key finds none.
        options["dropna"] = True
    lazy = gd.from_pandas(frame, npartitions=npartitions, sort=False)
    try:
        expected = OF_ROWS[name](frame.groupby(by, observed=True, **options))
    except (TypeError, ValueError):
        return  # pandas cannot either, of no rows
    if not len(expected) and name in ("cumsum", "transform"):
        return  # where there is no group at all, pandas has no row; here they are null
    result = OF_ROWS[name](lazy.groupby(by, **options), split_out=2)
    assert result.npartitions == lazy.npartitions
    assert_eq(result, expected, promised=len(frame) > 0, check_dtype=len(frame) > 0)


APPLIED = {
    "rows": lambda rows: rows.iloc[: len(rows) // 2 + 1],
    "no rows of some": lambda rows: rows if len(rows) > 1 else None,
    "columns": lambda rows: rows.max(),
    "values": lambda rows: rows.v.sum(),
    "labels of their own": lambda rows: rows.v.value_counts(),
}


@pytest.mark.parametrize("name", APPLIED)
@pytest.mark.parametrize("sort", [True, False])
def test_what_is_made_of_groups_comes_in_their_order(name, sort):
    rng = np.random.default_rng(0)
    keys = pd.DataFrame({"s": rng.choice(["b", "a", None, "c"], 30), "k": rng.integers(0, 3, 30)})
    frame = keys.assign(v=rng.integers(0, 4, 30), w=rng.random(30))
    lazy = gd.from_pandas(frame, npartitions=4)
    for by in ("s", ["k", "s"]):
        mine, theirs = (x.groupby(by, sort=sort, dropna=sort)[["v", "w"]] for x in (lazy, frame))
        expected = theirs.apply(APPLIED[name])
        found = mine.apply(APPLIED[name], split_out=3, meta=expected.iloc[:0])
        assert found.npartitions == 3
        assert_eq(found, expected)


def test_functions_of_groups_that_make_something_else():
    lazy = gd.from_pandas(pd.DataFrame({"k": [1, 1, 2, 2], "v": [1, 2, 3, 4]}), npartitions=2)
    found = lazy.groupby("k")[["v"]].apply(lambda rows: rows.v.value_counts(), split_out=2)
    found = lazy.groupby("k")[["v"]].apply(lambda rows: rows.v.sum(), split_out=2, meta=found._meta)
    with pytest.raises(TypeError, match="to give a DataFrame of .* gave a Series .* meta="):
        found.compute(engine="sync")


MIXES = {
    "names": {"a": ("v", "sum"), "b": ("w", "median"), "c": ("v", "mean")},
    "functions": {"a": ("w", _spread_of), "b": ("v", "max"), "c": ("w", "count")},
}


@settings(max_examples=12)
@given(case=grouped(), name=st.sampled_from([*MIXES, "by column"]))
def test_of_what_has_parts_no_rows_are_moved(case, name):
    frame, by, options, npartitions = case
    by_column = {"w": ["median", "min"], "v": ["sum", "nunique", "std"][: len(frame) % 3 or 1]}
    args, kwargs = ([by_column], {}) if name == "by column" else ([], MIXES[name])
    lazy = gd.from_pandas(frame, npartitions=npartitions, sort=False)
    try:
        expected = frame.groupby(by, observed=True, **options).agg(*args, **kwargs)
    except (TypeError, ValueError):
        return  # functions of pandas' own see no rows
    result = lazy.groupby(by, **options).agg(*args, **kwargs)
    many = len(frame) > 0
    assert_eq(result, expected, rtol=1e-9, promised=many, check_dtype=many)


def test_columns_that_have_parts_are_not_in_the_task_of_all_rows(pdf):
    found = gd.from_pandas(pdf.assign(w=1.0), npartitions=4).groupby("k")
    mixed = found.agg({"v": "sum", "w": "median"})
    assert "groupby-agg" in mixed.explain()
    nodes = [n for n in toposort([mixed.expr]) if isinstance(n, Reduction)]
    gathering = [n for n in nodes if isinstance(n.blueprint, Gathered)]
    assert [list(n.inputs[0].meta.frame.columns) for n in gathering] == [["k", "w"]]


@settings(max_examples=25)
@given(case=grouped(), ascending=st.booleans())
def test_numbers_of_groups_are_looked_up(case, ascending):
    frame, by, options, npartitions = case
    lazy = gd.from_pandas(frame, npartitions=npartitions, sort=False)
    result = lazy.groupby(by, **options).ngroup(ascending=ascending)
    assert result.npartitions == lazy.npartitions
    expected = frame.groupby(by, observed=True, **options).ngroup(ascending=ascending)
    assert_eq(result, expected, promised=len(frame) > 0)


def test_numbers_of_groups_move_no_rows(pdf):
    found = gd.from_pandas(pdf, npartitions=4).groupby("k")
    assert "TreeReduce" in found.ngroup().explain()
    by = pdf.s.astype("category")
    mine = gd.from_pandas(pdf.assign(s=by), npartitions=3).groupby(["s", "k"], observed=False)
    theirs = pdf.assign(s=by).groupby(["s", "k"], observed=False)
    assert_eq(mine.ngroup(), theirs.ngroup())


@pytest.fixture(scope="module")
def pdf():
    rng = np.random.default_rng(3)
    columns = {"k": rng.integers(0, 90, 600), "s": rng.choice(list("abc"), 600)}
    return pd.DataFrame({**columns, "v": rng.integers(0, 99, 600)})


@pytest.mark.parametrize("npartitions", [1, 2, 127, 128, 129])
def test_any_number_of_partitions(pdf, npartitions):
    mine = gd.from_pandas(pdf, npartitions=npartitions).groupby("k", sort=npartitions != 128)
    theirs = pdf.groupby("k", sort=npartitions != 128)
    assert_eq(mine.v.sum(split_out=5), theirs.v.sum())
    if npartitions != 128:
        assert_eq(mine.v.median(split_out=npartitions), theirs.v.median())


@settings(max_examples=12)
@given(data=st.data())
def test_descriptions_by_several_keys(data):
    rows = data.draw(st.integers(1, 20))
    keys = {"int64": st.integers(-2, 2), "bool": st.booleans(), "int8": st.integers(0, 3)}
    frame = pd.DataFrame(
        {
            name: pd.Series(
                data.draw(st.lists(keys[name], min_size=rows, max_size=rows)), dtype=name
            )
            for name in data.draw(st.permutations(list(keys)))
        }
    ).assign(v=range(rows))
    by = list(frame.columns[: data.draw(st.integers(2, 3))])
    result = gd.from_pandas(frame, npartitions=3).groupby(by).v.describe(split_out=3)
    assert result.npartitions == 3
    assert_eq(result, frame.groupby(by).v.describe(), rtol=1e-12)


def test_descriptions_by_keys_that_may_be_nulls_are_made_in_one_place(pdf):
    mine = gd.from_pandas(pdf, npartitions=4).groupby(["s", "k"]).v.describe(split_out=3)
    assert mine.npartitions == 1
    assert_eq(mine, pdf.groupby(["s", "k"]).v.describe(), rtol=1e-12)


def test_what_comes_group_by_group(pdf):
    df = gd.from_pandas(pdf, npartitions=4)
    mine, theirs = df.groupby(["s", "k"]), pdf.groupby(["s", "k"])
    assert_eq(mine.v.nlargest(2, split_out=3), theirs.v.nlargest(2))
    assert_eq(mine.v.quantile([0.2, 0.5], split_out=3), theirs.v.quantile([0.2, 0.5]))
    first = mine.apply(lambda rows: rows.head(1), split_out=3)
    assert first.npartitions == 3
    assert_eq(first, theirs.apply(lambda rows: rows.head(1)))
    windows = mine.rolling(2, split_out=3)["v"].mean()
    assert_eq(windows, theirs.rolling(2)["v"].mean())
    by_series = df.v.groupby(df.k % 7).median(split_out=3)
    assert by_series.npartitions == 3
    assert_eq(by_series, pdf.v.groupby(pdf.k % 7).median())


@pytest.mark.parametrize("name", ["var", "std", "sem", "mean"])
def test_spreads_of_parts_that_met(name):
    pdf = pd.DataFrame({"k": np.arange(900) % 7, "v": np.arange(900) ** 1.5})
    groups = gd.from_pandas(pdf, npartitions=8).groupby("k")
    assert_eq(getattr(groups.v, name)(split_out=3), getattr(pdf.groupby("k").v, name)(), rtol=1e-12)
    mixed = {"v": ["max", name]}
    assert_eq(groups.agg(mixed, split_out=3), pdf.groupby("k").agg(mixed), rtol=1e-12)


def test_levels_and_groups_without_their_keys(pdf):
    indexed = pdf.set_index(pdf.index % 40)
    df = gd.from_pandas(indexed, npartitions=4, sort=False)
    mine, theirs = df.groupby(level=0), indexed.groupby(level=0)
    assert_eq(mine.v.median(split_out=3), theirs.v.median())
    assert_eq(mine.v.sum(split_out=3), theirs.v.sum())
    assert_eq(mine.head(1, split_out=3), theirs.head(1))
    assert_eq(mine.v.shift(split_out=3), theirs.v.shift())
    mine, theirs = df.groupby("k", group_keys=False), indexed.groupby("k", group_keys=False)
    assert_eq(mine.v.nlargest(2, split_out=3), theirs.v.nlargest(2))
    found = mine[["v"]].apply(lambda rows: rows.head(2), split_out=3)
    assert_eq(found, theirs[["v"]].apply(lambda rows: rows.head(2)))


def test_large_groups_are_spread_by_their_projected_size(pdf):
    df = gd.from_pandas(pdf, npartitions=4)
    assert df.groupby("k").v.median().npartitions == 1
    with config.set({"memory-limit": "64 KiB"}):
        found = df.groupby("k").v.median()
        assert found.npartitions > 1
        assert "groupby-median-shuffle" in found.explain()
        assert df.groupby("k").v.sum().npartitions > 1
        assert df.groupby(df.s.astype("category"), observed=False).v.sum().npartitions == 1
    assert_eq(found, pdf.groupby("k").v.median())


def test_few_parts_stay_together():
    few = KeySample((0,), 4, few=8)
    chunk = few.chunk(pd.DataFrame({0: range(8)}))
    assert len(few.finalize(chunk)) == 0
    assert few.finalize(few.combine([chunk, chunk]))[0].tolist() == [2, 4, 6]


def test_nulls_come_last_among_keys_that_divide():
    dividing = pd.DataFrame({0: [1.0, 1.0, np.nan], 1: ["b", None, "a"]})
    keys = [
        pd.Series([0.0, 1.0, 1.0, 1.0, 2.0, np.nan]),
        pd.Series(["z", "b", "c", None, "a", "b"]),
    ]
    assert parts_of(keys, dividing).tolist() == [0, 1, 1, 2, 2, 3]


def test_many_keys_divide_as_tuples_do():
    rng = np.random.default_rng(0)
    numbers = [pd.Series(rng.integers(0, 3, 400)) for _ in range(40)]  # more than 64 bits tell
    keys = [each if k % 2 else each.map(str) for k, each in enumerate(numbers)]
    rows = list(zip(*keys, strict=True))
    chosen = [*rows[:150], *(row[:20] + rows[0][20:] for row in rows[150:250])]
    dividing = sorted(set(chosen))
    expected = [sum(each <= row for each in dividing) for row in rows]
    assert parts_of(keys, pd.DataFrame(dividing)).tolist() == expected


OBJECTS = {
    "tail": lambda g, **options: g.tail(1, **options),
    "shift": lambda g, **options: g.o.shift(1, **options),
    "last": lambda g, **options: g.o.last(**options),
    "least": lambda g, **options: g.o.min(**options),
    "rows": lambda g, **options: g[["o", "v"]].apply(lambda rows: rows.head(1), **options),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_texts_that_are_objects_stay_objects(name):
    objects = pd.Series(["a", "b", None, "x", "y", "z"], dtype=object)
    frame = pd.DataFrame({"k": [1, 2, 2, 1, 3, 3], "o": objects, "v": range(6)})
    lazy, ask = gd.from_pandas(frame, npartitions=3), OBJECTS[name]
    for sort in (True, False):
        found = ask(lazy.groupby("k", sort=sort), split_out=2)
        assert_eq(found, ask(frame.groupby("k", sort=sort)))


NUMBERS = range(24)
OF_OBJECTS = {
    "texts": [("b", "a", None, "cc")[k % 4] for k in NUMBERS],
    "days": [None if k % 5 == 0 else date(2020, 1, 4 - k % 4) for k in NUMBERS],
    "mixed": [("b", 1, None, 2.5)[k % 4] for k in NUMBERS],
    "equal": [(k % 3, 1.0 if k % 2 else 1) for k in NUMBERS],
    "categories": pd.Categorical([("b", "a", None)[k % 3] for k in NUMBERS], list("zba")),
}


@pytest.mark.parametrize("name", OF_OBJECTS)
def test_keys_that_are_objects_and_categories_without_rows(name):
    keys = OF_OBJECTS[name]
    objects = keys if name == "categories" else pd.Series(keys, dtype=object)
    frame = pd.DataFrame({"k": objects, "v": NUMBERS, "w": np.sqrt(NUMBERS)})
    lazy = gd.from_pandas(frame, npartitions=3)
    for sort, dropna in ((True, True), (False, False)):
        options = {"sort": sort, "dropna": dropna, "observed": False}
        mine, theirs = (x.groupby("k", **options) for x in (lazy, frame))
        for ask in (
            lambda g, **given: g.v.sum(**given),
            lambda g, **given: g.w.median(**given),
            lambda g, **given: g.w.cumsum(**given),
            lambda g, **given: g.head(1, **given),
            lambda g, **given: g.v.transform(_spread_of, **given),
        ):
            assert_eq(ask(mine, split_out=3), ask(theirs))
    assert mine.w.cumsum(split_out=3).npartitions == 3
    assert "groupby-head-shuffle" in mine.head(1, split_out=3).explain()
    if name != "categories":
        assert mine.w.median(split_out=3).npartitions == 3
