"""Arrays into what takes slices: now, later, and with what reads it."""

import numpy as np
import pytest
from hypothesis import given, settings

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs

ARRAY = np.arange(30.0).reshape(5, 6)


@settings(max_examples=20, deadline=None)
@given(pairs(min_dims=1, min_side=1, special=False))
def test_what_is_stored_later_or_given_back(pair):
    array, x = pair
    regions = (slice(1, array.shape[0] + 1), *(slice(None),) * (array.ndim - 1))
    longer = (array.shape[0] + 2, *array.shape[1:])
    for compute in (True, False):
        target, plain = np.zeros(longer, array.dtype), np.zeros(array.shape, array.dtype)
        stored, other = ga.store(
            [x, x], [target, plain], regions=[regions, None], compute=compute, return_stored=True
        )
        assert stored.chunks == x.chunks
        assert compute == bool((plain == array).all()) or not array.any()
        assert_eq(stored, array)
        assert_eq(other, array)
        np.testing.assert_array_equal(target[1:-1], array)
        np.testing.assert_array_equal(plain, array)
    target = np.zeros(array.shape, array.dtype)
    with nothing_computes():
        later = x.store(target, compute=False)
    assert not target.any()
    assert later.compute() is None
    np.testing.assert_array_equal(target, array)


def test_storing_later_into_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    target = zarr.create_array(tmp_path / "x", shape=(5, 6), chunks=(2, 4), dtype=float)
    later = ga.store(ga.from_array(ARRAY, chunks=3), target, compute=False)
    assert not target[:].any()
    later.compute()
    np.testing.assert_array_equal(target[:], ARRAY)
    (again,) = ga.store(ga.from_array(ARRAY, chunks=3) + 1, target, return_stored=True)
    assert_eq(again, ARRAY + 1)


def test_what_cannot_be_stored_later_says_what_to_do(tmp_path):
    target = np.memmap(tmp_path / "file", mode="w+", shape=(6,))
    with pytest.raises(ValueError, match="cannot be stored later"):
        ga.store(ga.from_array(target, chunks=2)[::-1], target, compute=False)
    with pytest.raises(TypeError, match="takes no engine"):
        ga.store(ga.ones(6), target, compute=False, engine="sync")
    with pytest.raises(ValueError, match="region of shape"):
        ga.store(ga.ones(5), target, compute=False)
    for name, more in (("to_zarr", ()), ("to_hdf5", ("/x",))):
        for words in ({"compute": False}, {"return_stored": True}):
            with pytest.raises(NotImplementedError, match=r"store\(x, it, compute=False\)"):
                getattr(ga.ones(3), name)(tmp_path / "never", *more, **words)
    with pytest.raises(TypeError, match="the folder first"):
        ga.to_npy_stack(ga.ones(3), tmp_path / "x")
    ga.to_npy_stack(tmp_path / "x", [1, 2])
    assert_eq(ga.from_npy_stack(tmp_path / "x"), np.array([1, 2]))
