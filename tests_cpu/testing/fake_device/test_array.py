"""The array type of the fake device: what CuPy's refuses is refused, the rest equals NumPy."""

import copy
import math
import pickle

import numpy as np
import pytest

from gpuscale.testing.fake_device import TRANSFERS, ndarray


@pytest.fixture
def x(xp):
    return xp.arange(12.0).reshape(3, 4)


def test_nothing_converts_it_without_being_asked(xp, x):
    for convert in (np.asarray, np.array, lambda a: np.array([a, a]), memoryview, list.__add__):
        with pytest.raises(TypeError):
            convert(x)
    with pytest.raises(TypeError, match=r"Please use `.get\(\)`"):
        np.zeros((3, 4))[...] = x
    assert TRANSFERS.calls() == 0
    np.testing.assert_array_equal(x.get(), np.arange(12.0).reshape(3, 4), strict=True)
    assert TRANSFERS.calls("get") == 1
    assert TRANSFERS.nbytes() == 96


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, host: x + host,
        lambda x, host: host + x,
        lambda x, host: x == host,
        lambda x, host: host < x,
        lambda x, host: np.add(x, host),
        lambda x, host: np.concatenate([x, host]),
        lambda x, host: x.__iadd__(host),
        lambda x, host: x[host],
        lambda x, host: x.__setitem__(0, host[0]),
        lambda x, host: x.sum(axis=0, out=host[0]),
    ],
)
def test_arrays_of_the_host_are_no_operands(x, mix):
    with pytest.raises(TypeError, match="Unsupported type .*numpy.ndarray|no implementation"):
        mix(x, np.ones((3, 4), int))


def test_numbers_are_operands(xp, x):
    host = np.arange(12.0).reshape(3, 4)
    for number in (2, 2.5, 1j, True, np.float32(3), np.int8(2)):
        for mixed, expected in ((x * number, host * number), (number - x, number - host)):
            assert isinstance(mixed, ndarray)
            np.testing.assert_array_equal(mixed.get(), expected, strict=True)
    with pytest.raises(TypeError):
        x + "text"
    with pytest.raises(TypeError):
        x + [1, 2, 3, 4]


def test_numpys_functions_stay_on_the_device(xp, x):
    for function in (np.sin, np.sum, np.sort, np.linalg.pinv, np.fft.rfft, np.transpose):
        result = function(x)
        assert isinstance(result, ndarray)
        expected = function(np.arange(12.0).reshape(3, 4))
        np.testing.assert_array_equal(result.get(), expected, strict=True)
    with pytest.raises(TypeError, match="no implementation found for 'numpy.insert'"):
        np.insert(x, 0, 1)


def test_single_elements_are_fetched_under_their_own_names(xp, x):
    one = x[1, 1]
    assert isinstance(one, ndarray)
    assert one.shape == ()
    assert (float(one), int(one), bool(one), complex(one), one.item()) == (5, 5, True, 5, 5)
    assert math.sqrt(x[1, 0]) == 2
    for name, calls in {"float": 2, "int": 1, "bool": 1, "complex": 1, "item": 1}.items():
        assert TRANSFERS.calls(name) == calls
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        range(xp.asarray(3))
    with pytest.raises(ValueError, match="truth value"):
        bool(x)
    with pytest.raises(ValueError, match="size 1"):
        x.item()
    with pytest.raises(TypeError):
        float(x)


def test_transfers_say_where_they_were_asked_for(xp, x):
    float(x[0, 0])
    (site,) = TRANSFERS.sites("float")
    assert site.startswith(f"float {__name__}:") or "test_array" in site


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i8", "f2", "f4", "f8", "c8", "c16"])
def test_dtypes_that_devices_have(xp, dtype):
    host = np.array([0, 1, 2]).astype(dtype)
    np.testing.assert_array_equal(xp.asarray(host).get(), host, strict=True)
    np.testing.assert_array_equal(xp.zeros(3, dtype).get(), np.zeros(3, dtype), strict=True)
    np.testing.assert_array_equal(xp.ones(3).astype(dtype).get(), np.ones(3, dtype), strict=True)


@pytest.mark.parametrize("dtype", ["O", "U3", "S2", "M8[s]", "m8[D]", ">i4", "g", "V4", "i4,f4"])
def test_dtypes_that_devices_lack(xp, dtype):
    with pytest.raises(ValueError, match="Unsupported dtype"):
        xp.asarray(np.zeros(2, dtype))
    with pytest.raises(ValueError, match="Unsupported dtype"):
        xp.zeros(2, dtype=dtype)
    with pytest.raises((ValueError, TypeError)):
        xp.zeros(2).astype(dtype)


def test_indexing(xp, x):
    host = np.arange(12.0).reshape(3, 4)
    mask = host % 3 == 0
    for key, place in [
        (1, 1),
        ((slice(None), 2), (slice(None), 2)),
        ((..., None), (..., None)),
        (xp.asarray(mask), mask),
        ((xp.asarray([2, 0]), xp.asarray([1, 1])), ([2, 0], [1, 1])),
        ([0, 2], [0, 2]),
        ((), ()),
    ]:
        np.testing.assert_array_equal(x[key].get(), host[place], strict=True)
        mine, theirs = x.copy(), host.copy()
        mine[key], theirs[place] = -1, -1
        np.testing.assert_array_equal(mine.get(), theirs, strict=True)
    assert TRANSFERS.calls("index") > 0
    with pytest.raises(NotImplementedError, match="more than one boolean"):
        x[xp.ones(3, bool), xp.ones(4, bool)]


def test_views_share_memory_and_know_their_base(x):
    assert x.T[1:].base.shape == x.base.shape == (12,)
    x.T[0, 0] = 9
    assert x[0, 0].item() == 9
    assert x.copy().base is None
    assert (x.flags.c_contiguous, x.T.flags.f_contiguous, x.T.flags.owndata) == (True, True, False)
    with pytest.raises(AttributeError):
        _ = x.flags.writeable
    assert [float(each) for each in x.flat][:2] == [9, 1]
    x.flat[1] = 7
    assert x[0].tolist() == [9, 7, 2, 3]


def test_in_place_methods_and_complex_parts(xp):
    z = xp.asarray([3 + 1j, 1 - 2j])
    z.real = 5
    z.imag[0] = 0
    assert z.tolist() == [5, 5 - 2j]
    y = xp.asarray([3, 1, 2])
    same = y
    y += 1
    y.sort()
    assert same.tolist() == [2, 3, 4]
    y.fill(7)
    y.set(np.array([1, 2, 3]))
    assert same.tolist() == [1, 2, 3]
    with pytest.raises(TypeError, match="Only numpy.ndarray"):
        y.set([1, 2, 3])
    with pytest.raises(ValueError, match="kind can only be"):
        y.sort(kind="heapsort")


def test_copies_and_pickles(x):
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        other += 1
        assert other[0, 0].item() == 1
    assert x[0, 0].item() == 0
    assert TRANSFERS.calls("pickle") == 1


def test_texts(x):
    assert "11." in repr(x)
    assert f"{x[0, 1]:.2f}" == "1.00"
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    with pytest.raises(TypeError, match="iteration over a 0-d"):
        iter(x[0, 0])
