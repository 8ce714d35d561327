"""Frames as arrays, against what pandas gives NumPy."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.array as ga
import gpuscale.dataframe as gd
from gpuscale.base.errors import GpuscaleError, MemoryBudgetError, NotSupportedError
from gpuscale.base.types import is_known

PDF = pd.DataFrame({"x": [3.0, 1, 2, 5, 1, None], "n": [1, 2, 3, 4, 5, 6]}, [1, 1, 2, 5, 6, 7])
COLUMNS = {
    "float": PDF.x,
    "int8": PDF.n.astype("int8"),
    "text": pd.Series(["a", None, "b"]),
    "times": pd.Series(pd.date_range("2020", periods=3)),
    "zones": pd.Series(pd.date_range("2020", periods=3, tz="UTC")),
    "nullable": pd.Series([1, None, 3], dtype="Int64"),
    "categories": pd.Series(["a", None, "b"], dtype="category"),
}


@pytest.fixture
def df():
    return gd.from_pandas(PDF, npartitions=3)


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns(kind):
    array = gd.from_pandas(COLUMNS[kind], npartitions=2).to_dask_array()
    assert isinstance(array, ga.Array)
    result = array.compute(engine="sync")
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(
        pd.isna(result), pd.isna(COLUMNS[kind]), err_msg="nulls are where they were"
    )
    there = ~pd.isna(result)
    expected = COLUMNS[kind].to_numpy(dtype=array.dtype)
    assert result[there].tolist() == expected[there].tolist()


def test_tables(df):
    np.testing.assert_array_equal(df.values.compute(), PDF.to_numpy())
    np.testing.assert_array_equal(df.to_numpy(), PDF.to_numpy())
    np.testing.assert_array_equal(df.index.values.compute(), PDF.index)
    assert df.values.chunks == ((2, 2, 2), (2,))
    assert (df.values.T @ df[["n"]].values).compute()[1, 0] == (PDF.n**2).sum()
    back = gd.from_dask_array(df.values, columns=["x", "n"]).compute()
    pd.testing.assert_frame_equal(back, PDF.reset_index(drop=True).astype(float))
    with pytest.raises(TypeError, match="set_index"):
        gd.from_dask_array(df.values, index=df.index)


def test_rows_that_data_decide(df):
    kept = df[df.n > 2]
    assert not is_known(kept.values.chunks[0])
    assert kept.n.values.sum().compute(engine="sync") == 18
    assert kept.to_dask_array(lengths=True).chunks == ((0, 2, 2), (2,))
    assert kept.n.to_dask_array(lengths=[0, 2, 2]).sum().compute() == 18
    with pytest.raises(GpuscaleError, match="when they were counted"):
        kept.n.to_dask_array(lengths=[1, 2, 2]).compute(engine="sync")
    with pytest.raises(ValueError, match="2 lengths are given for 3 partitions"):
        kept.to_dask_array(lengths=[1, 2])
    with pytest.raises(ValueError, match="have"):
        df.to_dask_array(lengths=[1, 2, 3])


def test_records(df):
    for result, expected in (
        (df.to_records(), PDF.to_records()),
        (gd.to_records(df[df.n > 2], index=False), PDF[PDF.n > 2].to_records(index=False)),
    ):
        assert result.compute(engine="sync").tolist().__repr__() == expected.tolist().__repr__()
        assert result.dtype.names == expected.dtype.names


def test_arrays_are_loaded_when_they_are_made():
    code = (
        "import sys, pandas as pd, gpuscale.dataframe as gd;"
        "assert 'gpuscale.array' not in sys.modules;"
        "x = gd.from_pandas(pd.Series([1, 2]), 2); assert x.values.sum().compute() == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_frames_that_do_not_fit_are_written_as_frames(df):
    big = gd.from_pandas(pd.DataFrame({"x": np.zeros(10_000)}), npartitions=2)
    with (
        gpuscale.config.set({"memory-limit": 50_000}),
        pytest.raises(MemoryBudgetError, match=r"to_parquet"),
    ):
        gd.concat([big, big]).compute()


def test_arrays_of_frames_are_asked_for(df):
    for array in (ga.asarray(df.n), ga.array(df.n), ga.from_array(df.n), ga.asarray(df.n, float)):
        assert isinstance(array, ga.Array)
        assert array.numblocks == (3,)
        assert array.sum().compute(engine="sync") == 21
    with pytest.raises(NotSupportedError, match="to_dask_array"):
        ga.ones(6, chunks=2) + df.n
    with pytest.raises(TypeError, match="to_dask_array"):
        ga.stack([ga.ones(6), df.n])


def wrongly_said():
    """Nulls among what was said to be integers, which nobody compares with what comes."""
    df = gd.from_pandas(pd.DataFrame({"x": [0.5] * 4, "i": [1.0, 2, 3, None]}), npartitions=2)
    said = {"x": "float64", "i": "int64"}
    return df.map_partitions(lambda part: part, meta=said, enforce_metadata=False)


@pytest.mark.parametrize("index", [True, False])
def test_nulls_that_records_have_no_place_for_are_refused(index):
    with pytest.raises(ValueError, match="nulls where an array of int64"):
        gd.to_records(wrongly_said(), index=index).compute()


def test_nulls_that_an_array_of_integers_has_no_place_for_are_refused():
    said = wrongly_said().i
    for made in (said.to_dask_array(), said.values):
        with pytest.raises(ValueError, match="nulls where an array of int64"):
            made.compute()


def test_integers_that_nulls_made_other_numbers():
    pdf = pd.DataFrame({"i": [1, 2, 3, 4]})
    some = gd.from_pandas(pdf, npartitions=2).i
    for made in (some.where(some < 4), some.where(some < 4).astype("float64")):
        assert made.values.dtype == "float64"
        np.testing.assert_array_equal(made.values.compute(), pdf.i.where(pdf.i < 4).to_numpy())
