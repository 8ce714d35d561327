"""Bytes read as another dtype, against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

ARRAY = np.arange(24, dtype="int16").reshape(4, 6)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int8", "int32", "float16", None])
def test_view(dtype):
    x = ga.from_array(ARRAY, chunks=(3, 4))
    expected = ARRAY if dtype is None else ARRAY.view(dtype)
    assert_eq(x.view(dtype), expected)
    assert_eq(ga.view(x[::2, ::-1].rechunk(2), dtype), ARRAY[::2, ::-1].copy().view(dtype or "i2"))
    first = ARRAY.T.copy().view(dtype or "i2").T
    assert_eq(x.rechunk(2).view(dtype, order="F"), first)


@pytest.mark.parametrize("shape", [(4, 6), (3, 5), (2, 1), (3, 0), (0, 4), (12,), (2, 3, 4)])
@pytest.mark.parametrize("chunks", [1, 2, 3, 5, 100])
def test_chunks_do_not_matter(shape, chunks):
    for old in ("i1", "i4", ">i4", "f8", "S3", "M8[s]", "?"):
        array = np.arange(np.prod(shape)).reshape(shape).astype(old)
        x = ga.from_array(array, chunks=chunks)
        for new in ("i1", "i2", ">i4", "f8", "c16", "S4", "S6", "M8[s]"):
            try:
                expected = array.view(new)
            except ValueError:
                with pytest.raises(ValueError, match="divisor"):
                    x.view(new)
            else:
                assert x.view(new).shape == expected.shape
                found = x.view(new).compute()
                assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


def test_bad_input():
    x = ga.from_array(ARRAY, chunks=3)
    with pytest.raises(ValueError, match="larger dtype.*3 elements of int16"):
        x[:, :3].view("int32")
    with pytest.raises(ValueError, match="smaller dtype"):
        ga.ones(3, dtype="S3").view("S2")
    with pytest.raises(ValueError, match="0d array"):
        ga.ones(()).view("int8")
    with pytest.raises(ValueError, match="order"):
        x.view("int8", order="A")
    with pytest.raises(TypeError):
        x.view("nonsense")
