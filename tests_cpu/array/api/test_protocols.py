"""How NumPy, Python and other libraries meet our arrays."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings

import gpuscale.array as ga
from gpuscale.array import Array
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs

ARRAY = np.arange(12.0).reshape(3, 4)


def lazy():
    return ga.from_array(ARRAY, chunks=2)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sin(x) + np.add(x, 1),
        lambda x: np.add(ARRAY, x),
        lambda x: ARRAY - x,
        lambda x: np.sum(x, axis=0),
        lambda x: np.mean(x, axis=1, keepdims=True),
        lambda x: np.concatenate([x, x], axis=1),
        lambda x: np.stack([x, x + 1]),
        lambda x: np.where(x > 3, x, 0),
        lambda x: np.transpose(x)[::-1],
        lambda x: np.ones_like(x),
        lambda x: np.add.reduce(x),
        lambda x: np.maximum.reduce(x, axis=1),
        lambda x: np.add.accumulate(x),
        lambda x: np.add.reduceat(x, [0, 2]),
        lambda x: np.subtract.reduce(x),
        lambda x: np.multiply.outer(x[0], x[:, 0]),
        lambda x: np.divmod(x, 3)[1],
        lambda x: np.modf(x / 2)[0],
        lambda x: np.clip(x, 2, 5),
        lambda x: np.unique(x % 3),
        lambda x: np.std(x),
    ],
)
def test_numpys_functions_stay_lazy(function):
    with nothing_computes():
        result = function(lazy())
    assert isinstance(result, Array)
    expected = function(ARRAY)
    assert_eq(result, expected, rtol=1e-14)


def test_functions_that_we_lack_are_refused_and_not_converted():
    with pytest.raises(TypeError, match="map_blocks"):
        np.busday_count(lazy(), lazy())
    special = pytest.importorskip("scipy.special")
    with pytest.raises(TypeError, match="xlogy.reduce is not implemented"):
        special.xlogy.reduce(lazy())
    with pytest.raises(TypeError, match=r"take x\.real where"):
        np.real_if_close(lazy() + 0j)
    for write in (np.save, np.savez, np.savetxt):
        with pytest.raises(TypeError, match=r"x\.to_npy\(path\)"):
            write("never-written", lazy())


def test_results_are_written_to_arrays_of_numpy_by_copyto_only():
    out = np.zeros_like(ARRAY)
    for function in (np.sin, np.cumsum, lambda x, out: np.concatenate([x], out=out)):
        with pytest.raises(TypeError, match=r"out\[...\] = result.compute\(\)"):
            function(lazy(), out=out)
    np.copyto(out, lazy() + 1, where=lazy() > 2)
    np.testing.assert_array_equal(out, np.where(ARRAY > 2, ARRAY + 1, 0))
    np.copyto(out, lazy())
    np.testing.assert_array_equal(out, ARRAY)
    with pytest.raises(TypeError, match="Cannot cast"):
        np.copyto(out, lazy() + 1j)


def test_words_of_ufuncs():
    for order in "KACF":
        assert_eq(np.add(lazy(), 1, order=order, subok=False), ARRAY + 1)
    with pytest.raises(ValueError, match="order must be"):
        ga.add(lazy(), 1, order="X")
    assert_eq(ga.maximum.reduce(lazy()), np.maximum.reduce(ARRAY))
    assert_eq(ga.add.reduce(lazy(), axis=None), np.add.reduce(ARRAY, axis=None))


@pytest.mark.parametrize(("ufunc", "operands"), [(np.divmod, (2,)), (np.modf, ())])
def test_several_results_are_written_to_arrays(ufunc, operands):
    array = np.array([1.5, -2.5, 4.0])
    expected = ufunc(array, *operands)
    x, out = ga.from_array(array, chunks=2), ga.zeros(3)
    results = ufunc(x, *operands, out=(None, out))
    assert results[1] is out
    for result, wanted in zip(results, expected, strict=True):
        assert_eq(result, wanted)
    assert_eq(ufunc(x, *operands, out=(x, None))[0], expected[0])
    assert_eq(x, expected[0])
    with pytest.raises(TypeError, match=rf"{ufunc.__name__} of gpuscale arrays takes no where"):
        ufunc(x, *operands, out=(None, out), where=[True, False, True])
    with pytest.raises(TypeError, match="Cannot cast"):
        ufunc(x, *operands, out=(None, ga.zeros(3, dtype=int)))


def test_other_ufuncs_run_on_blocks():
    special = pytest.importorskip("scipy.special")
    assert_eq(special.expit(lazy()), special.expit(ARRAY))
    twice = np.frompyfunc(lambda v: 2 * v, 1, 1)
    assert_eq(twice(lazy()).astype(float), 2 * ARRAY)


def test_others_are_asked():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "theirs"

    assert lazy() + Other() == "theirs"
    with pytest.raises(TypeError):
        lazy() + object()


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_are_arrays_but_for_their_product():
    matrix = np.asmatrix(ARRAY)
    for convert in (ga.asarray, ga.from_array, ga.asanyarray, ga.array):
        result = convert(matrix).compute()
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, ARRAY)
    for found in (lazy() + matrix, matrix + lazy(), np.add(matrix, lazy())):
        assert_eq(found, ARRAY + ARRAY)
    assert_eq(lazy() @ matrix.T, ARRAY @ ARRAY.T)
    assert_eq(matrix.T @ lazy(), ARRAY.T @ ARRAY)
    with pytest.raises(TypeError, match="product of matrices"):
        lazy() * matrix.T
    with pytest.raises(TypeError, match="product of matrices"):
        matrix.T * lazy()


def test_subclasses_with_a_meaning_of_their_own_are_asked():
    class Metres(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return f"{ufunc.__name__} of metres"

    metres = np.ones(3).view(Metres)
    x = ga.ones(3, chunks=2)
    assert x + metres == metres + x == np.add(x, metres) == "add of metres"
    assert (x == metres) == "equal of metres"
    assert_eq(ga.asarray(metres) + x, np.full(3, 2.0))
    assert_eq(x + np.ones(3).view(np.recarray), np.full(3, 2.0))


@settings(max_examples=20)
@given(pairs())
def test_conversion(pair):
    array, x = pair
    assert_eq(np.asarray(x), array)
    assert np.asarray(x, dtype="complex128").dtype == np.complex128
    np.testing.assert_array_equal(x.tolist(), array.tolist())
    if array.size and array.dtype.kind != "f":
        assert x[(0,) * array.ndim].item() == array.flat[0]
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, copy=False)


def test_scalars():
    assert int(ga.asarray(3)) == 3
    assert float(ga.asarray(2.5)) == 2.5
    assert complex(ga.asarray(1j)) == 1j
    assert bool(ga.asarray([1]))
    assert [10, 20, 30][ga.asarray(1)] == 20
    assert 3 in ga.arange(5, chunks=2)
    assert 7 not in ga.arange(5, chunks=2)
    assert f"{float(lazy().sum()):.1f}" == "66.0"
    with pytest.raises(ValueError, match="ambiguous"):
        bool(lazy())
    with pytest.raises(TypeError, match="length-1"):
        int(lazy())
    with pytest.raises(TypeError, match="index"):
        range(ga.asarray(1.0))


def test_format_and_bytes():
    array = np.arange(6.0).reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    assert f"{x[1, 0]:.2f}" == "3.00"
    assert f"{x}" == str(x)
    with pytest.raises(TypeError, match="format"):
        f"{x:.2f}"
    assert x.tobytes() == array.tobytes()
    assert x.tobytes(order="F") == array.tobytes(order="F")
    assert_eq((x + 1j).conjugate(), array - 1j)


@pytest.mark.parametrize("other", [[1, 2, 3], (4, 5, 6), [[1], [2]], [[1.5, 2, 3]]])
def test_lists_are_operands(other):
    array = np.arange(6).reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    assert_eq(x + other, array + other)
    assert_eq(other - x, other - array)
    assert_eq(x == other, array == other)
    assert_eq(x < other, array < other)
    x *= np.array(other).astype(int).tolist()
    assert_eq(x, array * np.array(other).astype(int))


def test_item():
    array = np.arange(6).reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    for index in ((4,), (-1,), (1, 2), ((1, -1),)):
        assert x.item(*index) == array.item(*index)
    assert ga.asarray([[7]]).item() == 7
    for function in (array.item, x.item):
        with pytest.raises(ValueError, match="size 1"):
            function()
        with pytest.raises(IndexError):
            function(6)


def test_iteration_and_length():
    x = lazy()
    assert len(x) == 3
    for row, expected in zip(x, ARRAY, strict=True):
        assert_eq(row, expected)
    with pytest.raises(TypeError, match="unsized"):
        len(ga.asarray(1))
    with pytest.raises(TypeError, match="0-d"):
        iter(ga.asarray(1))


def test_pickling_and_copying():
    x = lazy() + 1
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        assert other is not x
        assert_eq(other, x.compute())
    other[0, 0] = -1
    assert x[0, 0].compute() != -1


def test_the_standards_namespace():
    x = lazy()
    assert x.__array_namespace__() is ga
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)


def test_dlpack():
    kept = np.from_dlpack(lazy())
    np.testing.assert_array_equal(kept, ARRAY)
    assert ga.ones(3, like="cupy").__dlpack_device__() == (2, 0)
