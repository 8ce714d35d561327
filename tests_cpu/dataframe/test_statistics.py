"""Pairs of columns, samples and reductions of one's own."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

RNG = np.random.default_rng(0)
PDF = pd.DataFrame(RNG.normal(1e6, 1, (40, 3)), columns=list("xyz")).assign(n=list("abcd") * 10)
PDF.loc[::7, "y"] = np.nan
DF = gd.from_pandas(PDF, npartitions=4)
NUMBERS, EXPECTED = DF[["x", "y", "z"]], PDF[["x", "y", "z"]]


@pytest.mark.parametrize("name", ["cov", "corr"])
def test_pairs(name):
    assert_eq(getattr(NUMBERS, name)(), getattr(EXPECTED, name)(), rtol=1e-9, atol=1e-12)
    assert_eq(
        getattr(DF, name)(numeric_only=True), getattr(EXPECTED, name)(), rtol=1e-9, atol=1e-12
    )
    few = getattr(EXPECTED, name)(min_periods=36)
    assert_eq(getattr(NUMBERS, name)(min_periods=36), few, rtol=1e-9, atol=1e-12)
    assert_eq(getattr(DF.x, name)(DF.y), getattr(PDF.x, name)(PDF.y), rtol=1e-9)
    with pytest.raises(ValueError, match="could not convert string"):
        getattr(DF, name)()


def test_ranks_and_lags():
    assert_eq(NUMBERS.corr("spearman"), EXPECTED.corr("spearman"), rtol=1e-12)
    assert_eq(DF.x.autocorr(2), PDF.x.autocorr(2), rtol=1e-9)


def test_samples():
    found = DF.sample(n=7, random_state=1).compute()
    assert len(found) == 7 and found.index.is_unique
    assert_eq(found, PDF.loc[found.index])
    share = DF.sample(frac=0.5, random_state=1)
    assert len(share) == 20
    assert_eq(share.compute(), share.compute(engine="sync"))
    one, other = DF.random_split([0.3, 0.7], random_state=3)
    assert sorted([*one.index.compute(), *other.index.compute()]) == list(range(40))


def test_reductions_of_ones_own():
    assert DF.x.reduction(len, aggregate=sum).compute() == 40
    result = NUMBERS.reduction(
        lambda part: part.max().to_frame().T, aggregate=lambda rows: rows.max()
    )
    assert_eq(result, EXPECTED.max())


def test_order():
    assert DF.index.is_monotonic_increasing.compute()
    assert not DF.x.is_monotonic_increasing.compute()
    assert (-DF.x.cumsum()).is_monotonic_decreasing.compute()


def test_what_frames_take():
    assert DF.memory_usage(index=False).compute().x == 320
    assert DF.x.memory_usage(index=False).compute() == 320
    assert DF[["x"]].nbytes.compute() == 320
    assert [row.x for row in DF.itertuples()] == PDF.x.tolist()
    assert [label for label, _ in DF.iterrows()] == PDF.index.tolist()
    assert_eq(DF[["x"]].squeeze(), PDF.x)
    assert DF.clear_divisions().compute_current_divisions() == (0, 10, 20, 30, 39)
    assert list(DF.axes[1]) == list("xyzn")


@pytest.mark.parametrize("name", ["any", "all"])
@pytest.mark.parametrize("of_arrow", ["int64[pyarrow]", "bool[pyarrow]"])
@pytest.mark.parametrize("other", ["Int64", "boolean", "int64[pyarrow]"])
def test_truth_of_columns_of_several_kinds(name, of_arrow, other):
    columns = {"a": pd.array([0, 1, None, 0]), "b": pd.array([1, 1, None, 1])}
    pdf = pd.DataFrame(columns).astype("boolean").astype({"a": of_arrow, "b": other})
    assert_eq(getattr(gd.from_pandas(pdf, npartitions=2), name)(), getattr(pdf, name)())


def test_rows_at_random_by_weights():
    weighted = DF.assign(w=DF.n.isin(["a", "b"]) * DF.x)
    some = weighted.sample(n=12, weights="w", random_state=3).compute()
    assert len(some.index.unique()) == 12 and set(some.n) <= {"a", "b"}
    again = DF.sample(n=12, weights=weighted.w, random_state=3).compute()
    assert_eq(again, some.drop(columns="w"))
    assert len(weighted.sample(frac=2, replace=True, weights="w")) == 80
    with pytest.raises(ValueError, match="20 have a weight"):
        weighted.sample(n=21, weights="w")
    with pytest.raises(KeyError, match="did you mean 'w'"):
        weighted.sample(n=1, weights="W")
    with pytest.raises(ValueError, match="none may be negative"):
        DF.sample(n=1, weights=-DF.x)
    with pytest.raises(ValueError, match="zero everywhere"):
        DF.sample(n=1, weights=DF.x * 0)


def test_infinities_are_left_out_of_correlations_of_frames():
    pdf = EXPECTED.assign(x=EXPECTED.x.where(EXPECTED.x > EXPECTED.x.min(), np.inf))
    assert_eq(gd.from_pandas(pdf, npartitions=4).corr(), pdf.corr(), rtol=1e-9)
