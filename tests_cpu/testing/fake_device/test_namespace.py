"""The namespace of the fake device has what CuPy has, and no more."""

import importlib
import warnings

import numpy as np
import pytest

from gpuscale.testing.fake_device import cupy_names, ndarray
from gpuscale.testing.fake_device.reading import table_text


@pytest.mark.parametrize(
    "name", ["insert", "block", "object_", "datetime64", "errstate", "frompyfunc", "isnat", "ma"]
)
def test_names_that_cupy_lacks(xp, name):
    with pytest.raises(AttributeError, match=f"has no {name}, as CuPy 14"):
        getattr(xp, name)
    assert not hasattr(xp, name)


def test_names_that_cupys_submodules_lack(xp):
    assert not hasattr(xp.linalg, "vector_norm")
    assert not hasattr(xp, "strings")


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("sum", {"where": True}),
        ("max", {"initial": 3}),
        ("quantile", {"q": 0.5, "weights": None}),
        ("partition", {"kth": 1, "kind": "introselect"}),
        ("take", {"indices": 0, "mode": "clip"}),
    ],
)
def test_parameters_that_cupy_lacks(xp, name, kwargs):
    with pytest.raises(TypeError, match=rf"{name}\(.*\) of CuPy 14.*unexpected keyword"):
        getattr(xp, name)(xp.ones(3), **kwargs)


def test_ufuncs_have_the_methods_of_cupys(xp):
    x = xp.asarray([3, 1, 2])
    assert xp.add.reduce(x).item() == 6
    assert xp.multiply.accumulate(x).tolist() == [3, 3, 6]
    assert xp.add.reduceat(x, xp.asarray([0, 2])).tolist() == [4, 2]
    assert xp.subtract.outer(x, x).shape == (3, 3)
    xp.maximum.at(x, xp.asarray([1, 1]), xp.asarray([5, 4]))
    assert x.tolist() == [3, 5, 2]
    for method in ("reduce", "accumulate"):
        with pytest.raises(NotImplementedError, match=f"cupy_minimum.{method}"):
            getattr(xp.minimum, method)(x)
    with pytest.raises(NotImplementedError, match=r"cupy_multiply.at"):
        xp.multiply.at(x, 0, 2)
    with pytest.raises(TypeError, match="Unsupported type"):
        xp.add(x, np.ones(3))
    out = xp.empty(3)
    assert xp.add(x, 1, out=out) is out
    assert out.tolist() == [4, 6, 3]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sum", ()),
        ("count_nonzero", ()),
        ("argmax", ()),
        ("mean", ()),
        ("any", ()),
    ],
)
def test_results_without_axes_stay_on_the_device(xp, name, args):
    host = np.array([1.0, 0.0, 3.0])
    result = getattr(xp, name)(xp.asarray(host), *args)
    assert isinstance(result, ndarray)
    assert result.shape == ()
    assert result.item() == getattr(np, name)(host, *args)
    assert isinstance(xp.allclose(xp.ones(2), 1.0), ndarray)


def test_answers_that_need_no_data_are_pythons(xp):
    x = xp.ones((2, 3), "f4")
    assert xp.ndim(x) == 2
    assert xp.shape(x) == (2, 3)
    assert xp.result_type(x, np.float64) == np.float64
    assert xp.may_share_memory(x, x.T) is True
    assert xp.may_share_memory(x, x.copy()) is False


def test_several_results(xp):
    x = xp.asarray([3, 1, 3])
    values, counts = xp.unique(x, return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([1, 3], [1, 2])
    q, r = xp.linalg.qr(xp.ones((3, 2)))
    np.testing.assert_allclose((q @ r).get(), np.ones((3, 2)))
    assert [part.shape for part in xp.split(xp.ones(6), 3)] == [(2,)] * 3


def test_arrays_of_arrays(xp):
    x = xp.arange(3)
    assert xp.asarray([x, x]).shape == (2, 3)
    assert xp.asarray(x) is x
    assert xp.array(x) is not x
    assert xp.asarray(x, dtype="f4").dtype == np.float32
    assert xp.asnumpy(x).tolist() == [0, 1, 2]
    assert xp.get_array_module(x) is xp
    assert xp.get_array_module(np.ones(2)) is np


def test_the_table_is_that_of_the_cupy_that_is_installed():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a toolkit that is not there
            cupy = importlib.import_module("cupy")
    except ImportError as error:
        pytest.skip(f"there is no CuPy to compare with: {error}")
    if (cupy.__version__, np.__version__[:3]) != (cupy_names.VERSION, cupy_names.NUMPY):
        pytest.skip(f"the table is of CuPy {cupy_names.VERSION} beside NumPy {cupy_names.NUMPY}")
    with open(cupy_names.__file__) as file:
        assert table_text(cupy) == file.read()
