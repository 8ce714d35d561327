"""Products against NumPy, over shapes, dtypes and chunkings, by rows of blocks and by trees."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array import contraction
from gpuscale.base import config
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, chunks, numpy_arrays

DTYPES = ("bool", "int8", "int64", "uint8", "float32", "float64", "complex128")


@pytest.fixture(params=["rows", "tree"])
def way(request, monkeypatch):
    """Both ways to sum over blocks, whatever the sizes."""
    rows = request.param == "rows"
    monkeypatch.setattr(contraction, "_fits_in_rows", lambda *_: rows)


def lazily(data, array):
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


def numbers(data, *shape, dtypes=DTYPES):
    dtype = np.dtype(data.draw(st.sampled_from(dtypes)))
    values = (np.arange(np.prod(shape, dtype=int)) * 7 % 11).reshape(shape)
    if dtype.kind == "c":
        values = values + 1j * (values[::-1] if values.ndim else values)
    return (values % 2 if dtype.kind == "b" else values).astype(dtype)


def close(actual, expected):
    """The numbers are small integers, so sums are exact whatever their order."""
    assert_eq(actual, expected)


side = st.integers(0, 6)
stacks = st.sampled_from([((), ()), ((2,), ()), ((), (3,)), ((2, 1), (3,)), ((1,), (2,))])


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=50)
def test_matmul(data):
    n, k, m = data.draw(st.tuples(side, side, side))
    first, second = data.draw(stacks)
    a, b = numbers(data, *first, n, k), numbers(data, *second, k, m)
    if n and not first and data.draw(st.booleans()):
        a = a[0]
    if m and not second and data.draw(st.booleans()):
        b = b[:, 0]
    x, y = lazily(data, a), lazily(data, b)
    close(ga.matmul(x, y), np.matmul(a, b))
    close(x @ b, a @ b)


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=30)
def test_transposed_operands(data):
    a, b = numbers(data, 5, 4, dtypes=("float64",)), numbers(data, 6, 5, dtypes=("float64",))
    close(lazily(data, a).T @ lazily(data, b).T, a.T @ b.T)


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=50)
def test_tensordot(data):
    shape = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    a = numbers(data, *shape)
    order = data.draw(st.permutations(range(a.ndim)))
    b = numbers(data, *(shape[k] for k in order))
    n = data.draw(st.integers(0, a.ndim))
    first = list(order)[:n]
    axes = (first, list(range(n)))
    if a.size and 3 ** (2 * a.ndim - 2 * n) < 700:
        close(ga.tensordot(lazily(data, a), lazily(data, b), axes), np.tensordot(a, b, axes))
    c = numbers(data, *shape[::-1])
    if shape[-1]:
        close(ga.tensordot(lazily(data, a), lazily(data, c), 1), np.tensordot(a, c, 1))


@given(data=st.data())
@settings(max_examples=50)
def test_dot_and_inner(data):
    n, k, m = data.draw(st.tuples(side, side, side))
    a, b = numbers(data, 2, n, k), numbers(data, m, k)
    a, b = data.draw(st.sampled_from([(a, b), (a[0], b), (a[:, 0] if n else a, b), (b, b)]))
    close(ga.dot(lazily(data, a), lazily(data, b).T), np.dot(a, b.T))
    close(ga.inner(lazily(data, a), lazily(data, b)), np.inner(a, b))


@given(data=st.data())
@settings(max_examples=40)
def test_products_of_vectors(data):
    n = data.draw(side)
    a, b = numbers(data, n), numbers(data, n)
    x, y = lazily(data, a), lazily(data, b)
    for name in ("dot", "inner", "vdot", "outer", "kron", "vecdot", "matmul"):
        close(getattr(ga, name)(x, y), getattr(np, name)(a, b))
    close(x.dot(y), a.dot(b))


@given(data=st.data())
@settings(max_examples=30)
def test_stacks_of_vectors(data):
    a, b = numbers(data, 3, 1, 4, dtypes=DTYPES[1:]), numbers(data, 2, 4, dtypes=DTYPES[1:])
    x, y = lazily(data, a), lazily(data, b)
    close(ga.vecdot(x, y), np.vecdot(a, b))
    close(
        ga.vecdot(x.swapaxes(0, -1), y.T[:, :, None], axis=0),
        np.vecdot(a.swapaxes(0, -1), b.T[:, :, None], axis=0),
    )
    m = numbers(data, 2, 3, 4)
    close(ga.matvec(lazily(data, m), y), np.matvec(m, b))
    close(ga.vecmat(y, lazily(data, m).mT), np.vecmat(b, m.swapaxes(1, 2)))
    close(ga.vdot(lazily(data, m), lazily(data, m.reshape(3, 8)).reshape(24)), np.vdot(m, m))


@given(data=st.data())
@settings(max_examples=30)
def test_kron(data):
    a = data.draw(numpy_arrays(dtypes=("int64",), max_dims=2, max_side=4))
    b = data.draw(numpy_arrays(dtypes=("int64", "float64"), max_dims=2, max_side=4, special=False))
    close(ga.kron(data.draw(chunked(a)), data.draw(chunked(b))), np.kron(a, b))


@given(data=st.data())
@settings(max_examples=30)
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors")
def test_cross(data):
    n, m = data.draw(st.sampled_from([(3, 3), (2, 3), (3, 2), (2, 2)]))
    a, b = (
        numbers(data, 4, n, dtypes=("int64", "float64")),
        numbers(data, 2, 1, m, dtypes=("int64",)),
    )
    x, y = lazily(data, a), lazily(data, b)
    close(ga.cross(x, y), np.cross(a, b))
    close(ga.cross(x.T, y, axisa=0), np.cross(a.T, b, axisa=0))
    if (n, m) != (2, 2):
        close(ga.cross(x, y, axisc=0), np.cross(a, b, axisc=0))
    if n == m == 3:
        close(ga.cross(x.T, lazily(data, b[0].T), axis=0), np.cross(a.T, b[0].T, axis=0))


def test_scalars():
    close(ga.dot(3, ga.arange(3)), np.dot(3, np.arange(3)))
    close(ga.inner(ga.arange(3), 2.0), np.inner(np.arange(3), 2.0))
    close(ga.dot(ga.asarray(True), ga.asarray([True, False])), np.array([True, False]))


def test_out_and_dtype():
    x = ga.arange(4, chunks=2).reshape(2, 2)
    held = ga.zeros((2, 2))
    assert ga.matmul(x, x, out=held) is held
    close(held, np.array([[2.0, 3.0], [6.0, 11.0]]))
    close(ga.matmul(x, x, dtype="float32"), np.float32([[2, 3], [6, 11]]))
    y = ga.ones((2, 2))
    y @= x.astype(float)
    close(y, np.ones((2, 2)) @ np.arange(4.0).reshape(2, 2))


def kind_of(product):
    return type(product.optimize("simplify").expr).__name__


def test_both_ways_are_chosen():
    """By the memory of the run, not by that of the line that is written."""
    x = ga.ones((40, 40), chunks=10)
    assert kind_of(x @ x) == "Exchange"
    row = ga.ones((1, 40), chunks=10)
    assert kind_of(row @ x[:, :1]) == "TreeReduce"
    with config.set({"memory-limit": 20_000}):
        assert kind_of(x @ x) != "Exchange"  # products that are added, on a device tiles
    assert type((ga.ones((40, 5)) @ ga.ones((5, 40))).expr).__name__ == "Blockwise"


@pytest.mark.parametrize(
    ("name", "shapes", "message"),
    [
        ("matmul", [(2, 3), (2, 3)], "mismatch in its core dimension 0"),
        ("matmul", [(), (3,)], "does not have enough dimensions"),
        ("matmul", [(2, 2, 3), (3, 3, 4)], "different lengths along 0"),
        ("dot", [(2, 3), (2, 3)], "not aligned: 3 \\(dim 1\\) != 2 \\(dim 0\\)"),
        ("inner", [(3,), (4,)], "not aligned"),
        ("vdot", [(3,), (4,)], "3 and 4 elements"),
        ("vecdot", [(3,), (4,)], "core dimension"),
        ("tensordot", [(2, 3), (4, 5)], "shape-mismatch"),
        ("tensordot", [(2,), (2, 3)], "cannot sum over 2 axes"),
        ("cross", [(4,), (3,)], "incompatible dimensions"),
        ("matvec", [(3,), (3,)], "2 are needed"),
    ],
)
def test_bad_shapes(name, shapes, message):
    with pytest.raises(ValueError, match=message):
        getattr(ga, name)(*map(ga.ones, shapes))


def test_lazy():
    x = ga.ones((4, 4), chunks=2)
    with nothing_computes():
        for name in ("matmul", "dot", "vdot", "inner", "outer", "kron", "tensordot", "vecdot"):
            getattr(ga, name)(x, x)


@pytest.mark.parametrize("dtype", ["?", "i8", "f4", "D"])
def test_matmul_refuses_the_dtypes_that_numpy_refuses(dtype):
    for kinds in itertools.product(["?", "i8", "f8", "D"], repeat=2):
        x, y = (np.arange(2).astype(kind) for kind in kinds)
        try:
            expected = np.matmul(x, y, dtype=dtype)
        except TypeError:
            with pytest.raises(TypeError, match="same_kind"):
                ga.matmul(ga.asarray(x), ga.asarray(y), dtype=dtype)
        else:
            close(ga.matmul(ga.asarray(x), ga.asarray(y), dtype=dtype), expected)
