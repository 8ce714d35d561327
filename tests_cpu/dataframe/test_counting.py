"""Values that repeat, and what describes a frame, against pandas."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.api import many
from gpuscale.testing.frames import assert_eq, frames

PDF = pd.DataFrame(
    {"x": [3, 1, 3, 2, 1, 3, 9], "y": [1.0, None, 1.0, 2.5, None, 3.0, 2.5], "n": list("abacaba")}
)
DF = gd.from_pandas(PDF, npartitions=3)


@settings(max_examples=40, deadline=None)
@given(frame=frames(max_columns=1), dropna=st.booleans(), ascending=st.booleans(), data=st.data())
def test_value_counts_in_the_order_of_pandas(frame, dropna, ascending, data):
    series = frame.c0
    lazy = gd.from_pandas(series, npartitions=3)
    options = {"dropna": dropna, "ascending": ascending, "sort": data.draw(st.booleans())}
    assert_eq(lazy.value_counts(**options), series.value_counts(**options))
    if series.dtype != "boolean":  # of nulls alone pandas makes an error
        assert_eq(lazy.mode(dropna=dropna), series.mode(dropna=dropna))
    assert_eq(lazy.unique(), series.drop_duplicates().reset_index(drop=True))


@pytest.mark.parametrize("dtype", ["str", "string[pyarrow]"])
@pytest.mark.parametrize(
    "values", [list("baabcb"), ["b", None, "a", None, "", "b"], [None] * 3, []]
)
def test_texts_that_a_kernel_numbers_are_counted_as_by_pandas(values, dtype):
    texts = pd.Series(values, dtype=dtype, name="t")
    with config.set({"codegen.min-elements": 0}):
        for npartitions in (1, 2):
            lazy = gd.from_pandas(texts, npartitions=npartitions)
            for dropna in (True, False):
                assert_eq(lazy.nunique(dropna), texts.nunique(dropna))
                assert_eq(lazy.mode(dropna=dropna), texts.mode(dropna=dropna))
                for sort in (True, False):
                    options = {"dropna": dropna, "sort": sort, "normalize": npartitions == 2}
                    assert_eq(lazy.value_counts(**options), texts.value_counts(**options))


def test_counts_of_rows():
    assert_eq(DF.value_counts(), PDF.value_counts())
    assert_eq(DF.value_counts(["n"]), PDF.value_counts(["n"]))
    assert_eq(DF.value_counts("n"), PDF.value_counts("n"))
    assert_eq(DF.x.value_counts(normalize=True), PDF.x.value_counts(normalize=True))
    assert_eq(DF.value_counts(dropna=False, sort=False), PDF.value_counts(dropna=False, sort=False))


@pytest.mark.parametrize("keep", ["first", "last", False])
def test_drop_duplicates(keep):
    assert_eq(DF.drop_duplicates(keep=keep), PDF.drop_duplicates(keep=keep))
    assert_eq(DF.drop_duplicates("n", keep=keep), PDF.drop_duplicates("n", keep=keep))
    assert_eq(DF.y.drop_duplicates(keep=keep), PDF.y.drop_duplicates(keep=keep))
    expected = PDF.drop_duplicates(["x", "n"], keep=keep, ignore_index=True)
    assert_eq(DF.drop_duplicates(["x", "n"], keep=keep, ignore_index=True), expected)


DIFFERENT = {
    "rows": lambda d: d.drop_duplicates(),
    "by a column": lambda d: d.drop_duplicates(subset="x"),
    "of columns": lambda d: d[["x", "n"]].drop_duplicates(),
    "values": lambda d: d.x.drop_duplicates(),
    "labels": lambda d: d.index.drop_duplicates().to_series(),
}


@pytest.fixture(params=["few", "many"])
def are_many(request, monkeypatch):
    if request.param == "many":
        monkeypatch.setattr(many, "are_many", lambda x: x.npartitions > 1 and x.ndim > 0)


@pytest.mark.usefixtures("are_many")
@pytest.mark.parametrize("case", DIFFERENT)
def test_the_first_of_different_rows(case):
    pdf = PDF.set_axis([1, 1, 2, 0, 0, 5, 4], axis=0)
    found = DIFFERENT[case](gd.from_pandas(pdf, npartitions=4))
    for n in (0, 2, 4, 9):
        assert_eq(found.head(n), DIFFERENT[case](pdf).head(n))


@pytest.mark.usefixtures("are_many")
def test_no_more_partitions_are_looked_at_than_have_the_first_of_different_rows():
    seen = []

    def note(part):
        seen.append(len(part))
        return part

    pdf = pd.DataFrame({"x": [0, 0, 1, 1, 2, 2, 3, 3], "y": 1.5})
    lazy = gd.from_pandas(pdf, npartitions=8).map_partitions(note, meta=pdf.iloc[:0])
    for case in (lambda d: d.drop_duplicates(), lambda d: d.x.drop_duplicates()):
        found = case(lazy)
        seen.clear()
        assert_eq(found.head(2), case(pdf).head(2))
        assert len(seen) == 4
        assert_eq(found.head(9), case(pdf))
    values = lazy.x.unique()
    seen.clear()
    assert values.head(2).tolist() == [0, 1]
    assert len(seen) == 4


def test_modes_of_columns():
    assert_eq(DF.mode(), PDF.mode(), promised=False)
    assert_eq(DF[[]].mode(), PDF[[]].mode())


def test_quantiles_are_exact():
    numbers, expected = DF[["x", "y"]], PDF[["x", "y"]]
    assert_eq(numbers.quantile(0.3), expected.quantile(0.3))
    assert_eq(numbers.quantile([0.1, 0.9]), expected.quantile([0.1, 0.9]))
    assert_eq(DF.quantile(numeric_only=True), PDF.quantile(numeric_only=True))
    assert_eq(DF.y.quantile(), PDF.y.quantile())
    assert_eq(DF.y.median(), PDF.y.median())
    assert_eq(numbers.median(), expected.median())
    with pytest.raises(ValueError, match="interval"):
        DF.y.quantile(2)


def test_describe():
    assert_eq(DF.describe(), PDF.describe())
    assert_eq(DF.describe(include="all"), PDF.describe(include="all"))
    assert_eq(DF.n.describe(), PDF.n.describe())


@pytest.mark.parametrize("dropna", [True, False])
def test_rows_with_nulls_and_categories_are_counted_as_pandas_does(dropna):
    frame = pd.DataFrame({"x": [1, 2, 3, 3], "c": pd.Categorical(["u", "v", None, "u"])})
    found = gd.from_pandas(frame, npartitions=3).value_counts(sort=False, dropna=dropna)
    expected = frame.value_counts(sort=False, dropna=dropna)
    assert_eq(found.compute().sort_index(), expected.sort_index())


@pytest.mark.parametrize("bins", [3, [0, 2, 5], [100, 200]])
@pytest.mark.parametrize("normalize", [True, False])
def test_values_are_counted_in_bins(bins, normalize):
    series = pd.Series([1.0, 2.0, None, 5.0, 9.0, 9.0, 9.0], name="v")
    lazy = gd.from_pandas(series, npartitions=2)
    for options in ({}, {"sort": False, "dropna": False}, {"ascending": True}):
        options = {"bins": bins, "normalize": normalize, **options}
        assert_eq(lazy.value_counts(**options), series.value_counts(**options))
