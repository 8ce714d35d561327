"""Dtypes, constants and inspection, as NumPy and the Array API standard have them."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import nothing_computes

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES += ("float16", "float32", "float64", "complex64", "complex128", "bool")


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes_are_numpys(name):
    assert ga.ones(2, dtype=getattr(ga, name)).dtype == np.dtype(name)
    assert ga.isdtype(np.dtype(name), ga.dtype(name))


def test_numbers():
    assert (ga.pi, ga.e, ga.euler_gamma, ga.inf) == (np.pi, np.e, np.euler_gamma, np.inf)
    assert np.isnan(ga.nan)
    assert ga.ones(3)[:, ga.newaxis].shape == (3, 1)


def test_promotion_asks_arrays_for_their_dtypes():
    x = ga.ones(3, dtype="float32")
    with nothing_computes():
        assert ga.result_type(x, np.int8) == np.float32
        assert ga.result_type(x, 2.0) == np.float32
        assert ga.result_type(x, ga.ones(1)) == np.float64
        assert ga.can_cast(x, "float64")
        assert not ga.can_cast(x, "int64")
        assert ga.can_cast(x, "int64", casting="unsafe")
        assert ga.finfo(x).max == float(np.finfo("float32").max)
        assert ga.finfo("complex64").dtype == np.float32
        assert type(ga.finfo(x).eps) is float
        assert ga.finfo(x).tiny == np.finfo("float32").tiny
        assert ga.iinfo(x.astype("int8")).min == -128
        assert ga.iscomplexobj(x * 1j)
        assert ga.isrealobj(x)
        assert ga.common_type(x, ga.arange(3)) is np.float64


@pytest.mark.parametrize("shape", [(), (0,), (2, 3, 4)])
def test_sizes(shape):
    x, array = ga.ones(shape), np.ones(shape)
    with nothing_computes():
        for ours in (x, array, array.tolist()):
            assert ga.shape(ours) == np.shape(array)
            assert ga.ndim(ours) == np.ndim(array)
            assert ga.size(ours) == np.size(array)
    if shape:
        assert ga.size(x, -1) == np.size(array, -1)


def test_sizes_of_axes_that_do_not_exist():
    with pytest.raises(np.exceptions.AxisError):
        ga.size(ga.ones(3), 1)


def test_inspection():
    info = ga.ones(1).__array_namespace__().__array_namespace_info__()
    theirs = np.__array_namespace_info__()
    assert info.capabilities() == theirs.capabilities()
    assert info.default_dtypes() == theirs.default_dtypes()
    assert info.dtypes() == theirs.dtypes()
    for kind in ("bool", "signed integer", "numeric", ("real floating", "complex floating")):
        assert info.dtypes(kind=kind) == theirs.dtypes(kind=kind)
    assert info.default_device() == "cpu"
    assert {"cpu", "cupy"} <= set(info.devices())
    assert ga.ones(1).device == info.default_device()


def test_versions_of_the_standard():
    assert ga.ones(1).__array_namespace__(api_version=ga.__array_api_version__) is ga
    with pytest.raises(ValueError, match=r"1999\.12"):
        ga.ones(1).__array_namespace__(api_version="1999.12")
