"""Zarr arrays that others overwrite after they were opened."""

import pickle
import shutil

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

zarr = pytest.importorskip("zarr", reason="zarr is an extra")

X = np.arange(48.0).reshape(6, 8)


@pytest.fixture(params=[{}, {"compressors": None}, {"zarr_format": 2}])
def options(request):
    return request.param


def write(folder, array, **options):
    ga.from_array(array, chunks=4).to_zarr(folder, overwrite=True, **options)


@pytest.mark.parametrize(
    ("array", "more", "changed"),
    [
        (X[:5], {}, "shape"),
        (X.astype("f4"), {}, "data_type|dtype"),
        (X, {"chunks": (2, 2)}, "chunk"),
        (X, {"fill_value": 7.0}, "fill_value"),
    ],
)
def test_another_array_is_noticed(tmp_path, options, array, more, changed):
    write(tmp_path / "x", X, **options)
    x, unread = ga.from_zarr(tmp_path / "x"), ga.from_zarr(tmp_path / "x")
    assert_eq(x, X)
    write(tmp_path / "x", array, **options, **more)
    for each in (x, x.sum(), unread):
        with pytest.raises(ValueError, match=rf"overwritten .*({changed}).* open it again"):
            each.compute()
    assert_eq(ga.from_zarr(tmp_path / "x"), array)


def test_an_array_that_is_gone(tmp_path, options):
    write(tmp_path / "x", X, **options)
    x = ga.from_zarr(tmp_path / "x")
    shutil.rmtree(tmp_path / "x")
    with pytest.raises(FileNotFoundError, match="is gone"):
        x.sum().compute()
    write(tmp_path / "x", X, zarr_format=5 - options.get("zarr_format", 3))
    with pytest.raises(FileNotFoundError, match="its format is another one"):
        x.sum().compute()


def test_elements_and_attributes_may_change(tmp_path, options):
    write(tmp_path / "x", X, fill_value=np.nan, **options)
    x = ga.from_zarr(tmp_path / "x")
    assert_eq(x, X)
    array = zarr.open_array(tmp_path / "x")
    array.attrs["unit"] = "m"
    array[2] = 7
    assert_eq(x, array[:])
    write(tmp_path / "x", X + 1, fill_value=np.nan, **options)
    assert_eq(x, X + 1)


def test_members_of_groups_are_watched_where_they_lie(tmp_path):
    ga.asarray(X).to_zarr(tmp_path / "g", "a/x")
    x = ga.from_zarr(tmp_path / "g", component="a/x")
    assert_eq(x, X)
    ga.asarray(X[1:]).to_zarr(tmp_path / "g", "a/x", overwrite=True)
    with pytest.raises(ValueError, match="a/x has been overwritten"):
        x.compute()


def test_shards_of_single_bytes_are_known_again_when_they_were_pickled(tmp_path):
    array = zarr.create_array(tmp_path / "x", shape=(6,), chunks=(2,), shards=(4,), dtype="u1")
    array[:] = 7
    for each in (array, pickle.loads(pickle.dumps(array))):
        x = ga.from_zarr(each)
        assert_eq(x, array[:])
        assert_eq(pickle.loads(pickle.dumps(x)), array[:])
