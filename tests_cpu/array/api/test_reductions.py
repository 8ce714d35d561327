"""Reductions against NumPy, over dtypes, shapes, chunkings, axes."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import axes, chunked, numpy_arrays, pairs

NUMBERS = ("int8", "uint8", "int32", "int64", "float32", "float64")


def compare(name, array, x, rtol=0.0, **kwargs):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, **kwargs)
        assert_eq(getattr(ga, name)(x, **kwargs), expected, rtol=rtol)


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all", "count_nonzero"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_exact_reductions(name, data):
    array, x = data.draw(pairs(dtypes=("bool", "int8", "uint8", "int64"), special=False))
    axis = data.draw(axes(array.ndim))
    compare(name, array, x, axis=axis, keepdims=data.draw(st.booleans()))


@pytest.mark.parametrize("name", ["min", "max", "ptp"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_extremes(name, data):
    array, x = data.draw(pairs(dtypes=NUMBERS, min_side=1))
    axis = data.draw(axes(array.ndim))
    compare(name, array, x, axis=axis)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom")
def test_floating_point(name, data):
    array = data.draw(numpy_arrays(dtypes=("int32", "float64"), special=False))
    x = data.draw(chunked(array))
    axis = data.draw(axes(array.ndim))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=axis)
        assert_eq(getattr(ga, name)(x, axis=axis), expected, rtol=1e-10, atol=1e-7)


def test_variance_is_stable():
    array = 1e9 + np.random.default_rng(0).random(10_000)
    for chunks in (10_000, 128, 1000):
        assert_eq(ga.from_array(array, chunks=chunks).var(), array.var(), rtol=1e-6)


def test_float16_is_summed_in_single():
    array = np.full(70_000, 1.0, np.float16)
    assert_eq(ga.from_array(array, chunks=999).mean(), array.mean())


def test_dtype_ddof_and_out():
    array = np.arange(10, dtype=np.int32)
    x = ga.from_array(array, chunks=3)
    assert_eq(x.sum(dtype="float32"), array.sum(dtype="float32"))
    assert_eq(x.var(ddof=1), array.var(ddof=1), rtol=1e-12)
    assert_eq(ga.std(x, correction=1), array.std(ddof=1), rtol=1e-12)
    out = ga.zeros((), dtype=float)
    assert x.mean(out=out) is out
    assert_eq(out, array.mean())


@pytest.mark.parametrize("split_every", [2, 3, {0: 2}, 100])
def test_every_tree_gives_the_same_sum(split_every):
    x = ga.arange(129, chunks=1)
    assert_eq(x.sum(split_every=split_every), np.arange(129).sum())


def test_reductions_are_lazy():
    with nothing_computes():
        x = ga.ones((10, 10), chunks=3)
        assert (x.sum(axis=0) + x.std(axis=1).mean()).shape == (10,)


@pytest.mark.parametrize("name", ["min", "max"])
def test_empty_extent_has_no_extreme(name):
    with pytest.raises(ValueError, match="zero-size|empty"):
        getattr(ga, name)(ga.zeros((0, 3)), axis=0)


def test_bad_axes_and_split():
    x = ga.ones((3, 3))
    with pytest.raises(np.exceptions.AxisError):
        x.sum(axis=2)
    with pytest.raises(ValueError, match="duplicate|repeated"):
        x.sum(axis=(0, 0))
    with pytest.raises(ValueError, match="split_every"):
        x.sum(split_every=1)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var"])
@pytest.mark.parametrize("dtype", ["M8[D]", "m8[s]", "U2", "S1"])
def test_what_does_not_add_up_is_refused_at_once(name, dtype):
    array = np.array([0, 3, 8]).astype(dtype)
    try:
        expected = getattr(np, name)(array)
    except TypeError:
        with pytest.raises(TypeError, match="not defined"):
            getattr(ga, name)(ga.asarray(array))
    else:
        assert_eq(getattr(ga, name)(ga.asarray(array, chunks=2)), expected)


def test_what_a_mask_keeps_is_reduced_without_being_counted():
    array = np.random.default_rng(0).normal(size=(9, 7))
    x = ga.asarray(array, chunks=(4, 3))
    rows = array[:, 0] > 0
    for name in ("sum", "prod", "any", "all", "mean", "var", "std"):
        ours, theirs = getattr(ga, name), getattr(np, name)
        with nothing_computes():
            flat = ours(x[x > 0])
            lazy = [ours(x[x[:, 0] > 0], axis=axis) for axis in (0, 1, None)]
            empty = ours(x[x > 99])
        np.testing.assert_allclose(flat.compute(), theirs(array[array > 0]))
        for axis, each in zip((0, 1, None), lazy, strict=True):
            np.testing.assert_allclose(each.compute(), theirs(array[rows], axis=axis))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of the mean of nothing
            np.testing.assert_array_equal(empty.compute(), theirs(array[array > 99]))


@pytest.mark.parametrize(
    "name",
    ["sum", "prod", "mean", "max", "min", "std", "var", "any", "argmax", "median", "ptp"]
    + ["nansum", "nanmax", "nanmean", "nanstd", "cumsum", "nancumsum", "diff", "count_nonzero"],
)
@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i4", ">c16"])
def test_results_have_the_byte_order_of_the_machine(name, axis, dtype):
    array = (np.arange(12) % 7).astype(dtype).reshape(3, 4)
    kwargs = {} if name == "diff" else {"axis": axis}
    if dtype == ">c16" and name in ("max", "min", "ptp", "argmax", "median", "nanmax"):
        return
    expected = getattr(np, name)(array, **kwargs)
    result = getattr(ga, name)(ga.from_array(array, chunks=2), **kwargs)
    assert_eq(result, expected, rtol=1e-6)
    assert result.dtype.isnative


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all", "min", "max"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_where_and_initial(name, data):
    array, x = data.draw(pairs(dtypes=("int8", "float64"), special=False))
    axis = data.draw(axes(array.ndim))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    kwargs = {"where": rng.random(array.shape) > 0.5, "axis": axis}
    if name in ("min", "max") or name in ("sum", "prod") and data.draw(st.booleans()):
        kwargs["initial"] = data.draw(st.integers(-3, 3))
    compare(name, array, x, rtol=1e-9, **kwargs)


def test_where_broadcasts_and_is_refused_as_in_numpy():
    array = np.arange(12.0).reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    row = np.array([True, False, True, True])
    assert_eq(x.sum(where=row), array.sum(where=row))
    assert_eq(np.sum(x, axis=0, where=x > 3), np.sum(array, axis=0, where=array > 3))
    assert_eq(np.add.reduce(x, where=row, initial=2), np.add.reduce(array, where=row, initial=2))
    assert_eq(x.max(initial=99), array.max(initial=99))
    assert_eq(x[:0].max(initial=1.5), array[:0].max(initial=1.5))
    assert_eq(x.sum(where=1), array.sum(where=1))
    for error, kwargs in (
        (ValueError, {"where": row[:3]}),
        (ValueError, {"where": np.ones((2, 3, 4), bool)}),
        (TypeError, {"where": array}),
        (ValueError, {"initial": [1, 2]}),
    ):
        with pytest.raises(error):
            x.sum(**kwargs)
    with pytest.raises(ValueError, match="initial"):
        x.max(where=row)


@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
@pytest.mark.parametrize("values", [["a", "", "0"], [b"a", b""], ["", "b"], [0, 3, None]])
@pytest.mark.parametrize("dtype", [None, object])
def test_truth_of_strings_and_objects(name, values, dtype):
    array = np.array(values, dtype)
    compare(name, array, ga.from_array(array, chunks=1))


@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]"])
def test_truth_of_dates(name, dtype):
    array = np.array([0, 1, "NaT"], dtype)
    compare(name, array, ga.from_array(array, chunks=2))


@pytest.mark.parametrize("name", ["min", "max", "argmin", "argmax"])
@pytest.mark.parametrize("values", [[3, 1, 2], ["b", "a", "c"]])
def test_extremes_of_objects(name, values):
    array = np.array(values, object)
    for chunks in (1, 2, 3):
        result = getattr(ga, name)(ga.from_array(array, chunks=chunks)).compute()
        assert result == getattr(np, name)(array)


def test_range_of_objects():
    array = np.array([3, 1, 2], object)
    assert ga.ptp(ga.from_array(array, chunks=2)).compute() == np.ptp(array)


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[s]"])
def test_extremes_of_no_dates(dtype):
    array = np.zeros(0, dtype)
    first = np.array(5, dtype)[()]
    for name in ("max", "min"):
        expected = getattr(np, name)(array, initial=first)
        assert_eq(getattr(ga, name)(ga.from_array(array), initial=first), expected)


REDUCING = "sum prod min max ptp argmin argmax any all count_nonzero mean var std median"
REDUCING += " nansum nanprod nanmin nanmax nanargmin nanargmax nanmean nanvar nanstd"
ALONG = "cumsum cumprod nancumsum nancumprod sort argsort squeeze flip diff take repeat"


@pytest.mark.parametrize("name", f"{REDUCING} {ALONG}".split())
@pytest.mark.parametrize("number", [3.5, 1 + 2j, 2, True, np.nan])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_axes_of_numbers(name, number):
    """NumPy takes the axes 0 and -1 of a number for none, in most functions."""
    array, more = np.asarray(number), (0,) if name in ("take", "repeat") else ()
    for axis in (0, -1, 1, (0,)) if name in REDUCING.split()[:9] else (0, -1, 1):
        try:
            expected = getattr(np, name)(array, *more, axis=axis)
        except (ValueError, TypeError) as error:
            with pytest.raises(type(error)):
                getattr(ga, name)(ga.asarray(array), *more, axis=axis).compute()
        else:
            assert_eq(getattr(ga, name)(ga.asarray(array), *more, axis=axis), expected)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std"])
def test_the_dtype_may_be_the_third_argument(name):
    array = np.arange(1, 7, dtype="i2").reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    expected = getattr(np, name)(array, 0, "f4")
    assert_eq(getattr(np, name)(x, 0, "f4"), expected, rtol=1e-6)
    assert_eq(getattr(x, name)(0, "f4"), expected, rtol=1e-6)
    assert_eq(getattr(ga, f"nan{name}")(x, 0, "f4"), expected, rtol=1e-6)
