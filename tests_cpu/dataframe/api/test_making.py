"""Frames of functions, delayed calls and arrays."""

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.array as ga
import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq


def part(start, stop=3, scale=1):
    x = np.arange(start, start + stop)
    return pd.DataFrame({"x": x, "y": x * scale / 2})


def test_from_map():
    expected = pd.concat([part(0, 2, 4), part(5, 3, 4)])
    df = gd.from_map(part, [0, 5], (2, 3), scale=4)
    assert_eq(df, expected)
    assert_eq(df.y.sum(), expected.y.sum())
    assert_eq(gd.from_map(part, [0, 5], args=(2, 4)), pd.concat([part(0, 2, 4), part(5, 2, 4)]))


def test_functions_that_take_columns_make_no_others():
    asked = []

    def make(k, columns=None):
        asked.append(columns)
        return part(k)[columns] if columns else part(k)

    df = gd.from_map(make, [0, 1], meta=part(0))
    assert asked == []
    assert_eq(df.y.sum(), 4.5)
    assert asked == [["y"]] * 2
    assert_eq(df[df.x > 2].y, pd.concat([part(0), part(1)]).query("x > 2").y)


def test_series_and_divisions():
    df = gd.from_map(pd.Series, [[1, 2], [3]], meta=(None, "int64"), divisions=(0, 1, 1))
    assert df.divisions == (0, 1, 1)
    assert_eq(df.sum(), 6)


def test_what_a_function_returns_is_compared():
    df = gd.from_map(part, [0, 1], meta={"x": "int64", "z": "float64"})
    with pytest.raises(TypeError, match="was expected to give a DataFrame of x: int64, z"):
        df.compute()
    assert len(gd.from_map(part, [0], meta={"x": "int8"}, enforce_metadata=False).compute()) == 3


@pytest.mark.parametrize("iterables", [(), ([],), ([1], [1, 2])])
def test_nothing_to_call_with(iterables):
    with pytest.raises(ValueError, match="from_map"):
        gd.from_map(part, *iterables)


def test_divisions_of_another_length():
    with pytest.raises(ValueError, match="divisions of 2 partitions are 3, not 2"):
        gd.from_map(part, [0, 1], divisions=(0, 1))


@pytest.mark.parametrize("meta", [None, {"x": "int64", "y": "float64"}])
def test_from_delayed(meta):
    parts = [gpuscale.delayed(part)(k) for k in range(3)]
    df = gd.from_delayed(parts, meta)
    expected = pd.concat([part(k) for k in range(3)])
    assert df.npartitions == 3
    assert_eq(df, expected)
    assert_eq(df[df.x > 1].y.sum(), expected[expected.x > 1].y.sum())
    assert_eq(gd.from_delayed(parts[0], meta), part(0))


def test_delayed_values_that_are_others():
    df = gd.from_delayed([gpuscale.delayed(part)(0)], {"z": "int64"})
    with pytest.raises(TypeError, match="was expected to give a DataFrame of z: int64"):
        df.compute()
    with pytest.raises(TypeError, match="takes Delayed values, not DataFrame"):
        gd.from_delayed([part(0)])
    with pytest.raises(ValueError, match="at least one"):
        gd.from_delayed([])


def test_there_and_back_again():
    df = gd.from_pandas(part(0, 10), npartitions=3)
    assert_eq(gd.from_delayed(df.to_delayed(), part(0)), part(0, 10))


def test_from_array():
    table = np.arange(12.0).reshape(4, 3)
    df = gd.from_array(table, chunksize=3, columns=list("abc"))
    assert df.npartitions == 2
    assert_eq(df, pd.DataFrame(table, columns=list("abc")))
    assert_eq(gd.from_array(table[:, 0], columns="a"), pd.Series(table[:, 0], name="a"))
    with pytest.raises(ValueError, match="frames have two axes"):
        gd.from_array(np.ones((2, 2, 2)))


def test_from_lazy_array():
    x = ga.arange(12, chunks=4).reshape(6, 2) * 2
    df = gd.from_array(x.rechunk((4, 1)), columns=["a", "b"])
    assert (df.npartitions, df.divisions) == (2, (0, 4, 5))
    assert_eq(df, pd.DataFrame(np.arange(12).reshape(6, 2) * 2, columns=["a", "b"]))
    assert_eq(gd.from_array(ga.arange(5, chunks=2)).sum(), 10)
