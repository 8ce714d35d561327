"""Tables of HDF5 files, against what pandas reads."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

pytest.importorskip("tables", reason="needs PyTables, which the extra dev brings")

PDF = pd.DataFrame(
    {"x": np.arange(9.0), "s": [None, "a", "bb", "c", None, "ddddd", "e", "f", "éé"]},
    index=pd.Index([1, 1, 2, 3, 5, 8, 9, 9, 12], name="k"),
)


@pytest.fixture
def path(tmp_path):
    PDF.to_hdf(tmp_path / "x.h5", key="data", format="table")
    PDF.x.to_hdf(tmp_path / "x.h5", key="column", format="table")
    PDF.to_hdf(tmp_path / "x.h5", key="whole", format="fixed")
    return tmp_path / "x.h5"


def test_rows_of_tables(path):
    df = gd.read_hdf(path, "data", chunksize=4)
    assert df.npartitions == 3
    assert len(df) == 9
    assert_eq(df, PDF)
    assert_eq(df.x.max(), 8.0)
    assert_eq(gd.read_hdf(path, "data", start=2, stop=-1, columns=["s"]), PDF[["s"]].iloc[2:-1])
    assert_eq(gd.read_hdf(path, "column", chunksize=5), PDF.x)
    assert_eq(gd.read_hdf(path, "whole"), PDF)


def test_several_tables_and_files(path, tmp_path):
    PDF.to_hdf(tmp_path / "y.h5", key="data", format="table")
    both = gd.read_hdf(str(tmp_path / "*.h5"), "/data")
    assert_eq(both, pd.concat([PDF, PDF]))
    with pytest.raises(ValueError, match="has the columns"):
        gd.read_hdf(path, "*")


def test_a_sorted_index_has_bounds(path, tmp_path):
    df = gd.read_hdf(path, "data", chunksize=3, sorted_index=True)
    assert df.divisions == (1, 3, 9, 12)
    assert_eq(df.loc[3:9], PDF.loc[3:9])
    PDF[::-1].to_hdf(tmp_path / "y.h5", key="data", format="table")
    with pytest.raises(ValueError, match="sorted_index=True"):
        gd.read_hdf(tmp_path / "y.h5", "data", sorted_index=True)


@pytest.mark.parametrize("kept", [-1, 3, 99])
def test_one_file(tmp_path, kept):
    df = gd.from_pandas(PDF, npartitions=4)
    df[df.x > kept].to_hdf(tmp_path / "out.h5", "data")
    assert_eq(pd.read_hdf(tmp_path / "out.h5", "data"), PDF[PDF.x > kept])
    with pytest.raises(FileExistsError, match="overwrite=True"):
        df.to_hdf(tmp_path / "out.h5", "data")
    df.x.to_hdf(tmp_path / "out.h5", "data", overwrite=True, complevel=1)
    assert_eq(gd.read_hdf(tmp_path / "out.h5", "data"), PDF.x)
    assert [each.name for each in tmp_path.iterdir()] == ["out.h5"]


def test_a_file_of_each_partition(tmp_path):
    df = gd.from_pandas(PDF, npartitions=3)
    df.to_hdf(tmp_path / "out-*.h5", "data")
    assert len(list(tmp_path.glob("out-*.h5"))) == df.npartitions
    assert_eq(gd.read_hdf(tmp_path / "out-*.h5", "data"), PDF)


def test_what_is_wrong_is_said_at_once(path):
    with pytest.raises(KeyError, match="there are /column, /data, /whole"):
        gd.read_hdf(path, "nothing")
    with pytest.raises(NotSupportedError, match="format='table'"):
        gd.read_hdf(path, "whole", start=2)
    with pytest.raises(ValueError, match="chunksize"):
        gd.read_hdf(path, "data", chunksize=0)
