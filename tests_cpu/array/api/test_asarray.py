"""Arrays from what users have, against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq


@pytest.mark.parametrize(
    "value",
    [3, 2.5, True, [1, 2], [[1.0], [2]], (1, 2j), np.float32(1), np.arange(3), range(4), "text"],
)
def test_asarray_of_what_numpy_takes(value):
    for function in (ga.asarray, ga.array, ga.asanyarray):
        assert_eq(function(value), np.asarray(value))


def test_asarray_of_lazy_arrays():
    x = ga.arange(4, chunks=2)
    assert ga.asarray(x) is x
    assert ga.asarray(x, x.dtype, device="cpu", copy=False) is x
    assert ga.array(x) is not x
    assert_eq(ga.asarray([x, x + 1]), np.array([np.arange(4), np.arange(4) + 1]))
    copy = ga.asarray(x, copy=True)
    copy[0] = 9
    assert_eq(x, np.arange(4))
    assert_eq(ga.asarray(x, dtype="float32"), np.arange(4, dtype="float32"))


def test_dlpack():
    array = np.arange(4.0)
    assert_eq(ga.from_dlpack(array, chunks=2), array)
    assert_eq(ga.from_dlpack(ga.from_array(array)), array)
    np.testing.assert_array_equal(np.from_dlpack(ga.arange(4, chunks=3)), np.arange(4))
    assert ga.arange(4).__dlpack_device__() == (1, 0)
    kept = ga.from_dlpack(array, copy=True)
    array[0] = 7
    assert kept[0].compute() == 0
    with pytest.raises(AttributeError, match="dlpack"):
        ga.from_dlpack([1, 2])


def test_copies():
    array = np.arange(3)
    taken = ga.array(array, copy=True)
    array[0] = 7
    assert_eq(taken, np.arange(3))
    x = ga.arange(3, chunks=2)
    y, z = ga.asarray(x, copy=False), ga.array(x)
    x[0] = 7
    assert_eq(y, array)
    assert_eq(z, np.arange(3))
    for value, dtype in (([1, 2], None), (3, None), (x, "float32"), (array, "float32")):
        with pytest.raises(ValueError, match="avoid copy"):
            ga.asarray(value, dtype, copy=False)
