"""Maps for CUDA on every layout against the interpreter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import BackendError
from gpuscale.codegen import random_ops
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.program import AffineIndex, ProgramBuilder

from ..drawn import quick, shapes, targets, views

LONGER = [31, 64, 65]
F8, F4 = np.dtype("f8"), np.dtype("f4")


def map_program():
    b = ProgramBuilder()
    x, y, i = b.load(0, F8), b.load(1, F4), b.cast(b.index(0), F8)
    product = b.apply("multiply", x, b.cast(y, F8))
    total = b.apply("add", b.apply("fmod", b.apply("add", product, i), x), b.param(0, F8))
    return b.build(total, b.apply("less", x, total), b.cast(total, "i2"))


MAP = map_program()


@quick
@given(st.data())
def test_maps_on_any_layout(target, data):
    shape = data.draw(shapes(LONGER, 4, 3_000))
    arrays = [np.broadcast_to(data.draw(views(shape, d)), shape) for d in (F8, F4)]
    coefs = tuple(data.draw(st.sampled_from([0, 1, -3, 7])) for _ in shape)
    index = AffineIndex(data.draw(st.integers(-5, 5)), coefs)
    got = target.map(MAP, arrays, [index], [0.5], shape, None)
    want = interpret_map(MAP, arrays, [index], [0.5], shape)
    for g, w in zip(got, want, strict=True):
        assert g.shape == shape and g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


@quick
@given(st.data())
def test_maps_write_into_any_view(target, data):
    shape = data.draw(shapes(LONGER, 4, 3_000))
    arrays = [np.broadcast_to(data.draw(views(shape, d)), shape) for d in (F8, F4)]
    index = AffineIndex(3, tuple(range(len(shape))))
    out = data.draw(targets(shape, MAP.dtypes))
    target.map(MAP, arrays, [index], [0.5], shape, out)
    for g, w in zip(out, interpret_map(MAP, arrays, [index], [0.5], shape), strict=True):
        np.testing.assert_array_equal(g, w)
        assert np.count_nonzero(g.base) == np.count_nonzero(g)


@pytest.mark.parametrize("dtype", list("?bBhHiIqQfdFD"))
def test_operands_and_parameters_of_every_dtype(target, dtype, rng):
    dtype = np.dtype(dtype)
    x = (rng.standard_normal((3, 50)) * 9).astype(dtype)
    b = ProgramBuilder()
    program = b.build(b.apply("where", b.load(0, "?"), b.load(1, dtype), b.param(0, dtype)))
    condition = rng.random((3, 50)) < 0.5
    param = x[0, 0]
    (got,) = target.map(program, [condition, x], [], [param], x.shape, None)
    np.testing.assert_array_equal(got, np.where(condition, x, param))
    assert got.dtype == dtype


@pytest.mark.parametrize("dtype", list("?bBhHiIqQfdFD"))
def test_casts_give_what_numpy_gives(target, dtype, rng):
    dtype = np.dtype(dtype)
    for source in map(np.dtype, "?bBhHiIqQfdFD"):
        x = (rng.standard_normal(64) * 200).astype(source)
        if source.kind in "fc":
            x[:8] = np.nan, np.inf, -np.inf, 1e30, -1e30, 0.5, -0.5, 3e9
        b = ProgramBuilder()
        program = b.build(b.cast(b.load(0, source), dtype))
        with np.errstate(all="ignore"):
            (got,) = target.map(program, [x], [], [], x.shape, None)
            (want,) = interpret_map(program, [x], [], [], x.shape)
        np.testing.assert_array_equal(got, want, str(source))


@pytest.mark.parametrize("name", list(random_ops.BY_NAME))
def test_random_numbers_are_those_of_the_cpu(target, name):
    b = ProgramBuilder()
    program = b.build(b.apply(name, b.param(0, "u4"), b.param(1, "u4"), b.index(0)))
    index = AffineIndex(2**33 + 1, (60, 1))
    (got,) = target.map(program, [], [index], [7, 2**32 - 1], (3, 25), None)
    (want,) = interpret_map(program, [], [index], [7, 2**32 - 1], (3, 25))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype, width", [("f8", 2), ("f4", 4), ("i2", 8), ("u1", 8), ("F", 1)])
@pytest.mark.parametrize("shift", [0, 1])
def test_neighbours_are_taken_together_where_addresses_allow(target, launcher, dtype, width, shift):
    x = np.arange(200).astype(dtype)
    x = np.concatenate([x[:16], x])[16 - x.ctypes.data % 16 // x.itemsize :] if shift else x
    x = x[shift : shift + 99]
    b = ProgramBuilder()
    (got,) = target.map(b.build(b.apply("add", *[b.load(0, dtype)] * 2)), [x], [], [], (99,), None)
    np.testing.assert_array_equal(got, x + x)
    text = launcher.launched[-1].text
    aligned = x.ctypes.data % (width * x.itemsize) == 0
    assert (f"load{width}(" in text) == (width > 1 and aligned)


def test_what_lies_at_odd_addresses_is_refused(target):
    odd = np.zeros(81, np.uint8)[1:].view(F8)
    b = ProgramBuilder()
    program = b.build(b.apply("negative", b.load(0, F8)))
    with pytest.raises(BackendError, match="no multiple of 8 bytes"):
        target.map(program, [odd], [], [], (10,), None)
    with pytest.raises(BackendError, match="no multiple of 8 bytes"):
        target.reduce(program, ("sum",), [odd], [], [], (10,), (0,))


def test_results_in_place(target, rng):
    x = rng.standard_normal((8, 9))
    b = ProgramBuilder()
    program = b.build(b.apply("square", b.load(0, F8)))
    want = x * x
    target.map(program, [x], [], [], x.shape, [x])
    np.testing.assert_array_equal(x, want)


def test_fresh_results_lie_in_memory_like_the_operands(target, rng):
    x = rng.random((5, 7)).T
    b = ProgramBuilder()
    program = b.build(b.apply("negative", b.load(0, F8)))
    (result,) = target.map(program, [x], [], [], x.shape, None)
    assert result.flags.f_contiguous
    np.testing.assert_array_equal(result, -x)


def test_powers_of_whole_numbers(target):
    x = np.arange(-5, 6, dtype=np.int32)
    for exponent in (0, 1, 2, 3, 7, 30):
        b = ProgramBuilder()
        program = b.build(b.apply("power", b.load(0, "i4"), b.const(exponent, "i4")))
        (got,) = target.map(program, [x], [], [], x.shape, None)
        np.testing.assert_array_equal(got, x ** np.int32(exponent))


@pytest.mark.parametrize(
    "op, dtypes", [("power", "ii"), ("exp", "D"), ("add", "gg"), ("add", "ee")]
)
def test_what_kernels_lack_is_left_to_the_interpreter(target, op, dtypes):
    b = ProgramBuilder()
    program = b.build(b.apply(op, *(b.load(k, np.dtype(c)) for k, c in enumerate(dtypes))))
    arrays = [np.ones(4, c) for c in dtypes]
    assert target.map(program, arrays, [], [], (4,), None) is None


@pytest.mark.parametrize("shape", [(8, 9), (40, 33), (3, 35, 34), (2, 10, 3, 9)], ids=str)
def test_transposed_operands_go_through_tiles(target, launcher, shape, rng):
    x, y = rng.standard_normal(shape), rng.random(shape) < 0.5
    order = {2: (1, 0), 3: (0, 2, 1), 4: (0, 3, 2, 1)}[len(shape)]
    across = rng.standard_normal([shape[a] for a in order]).transpose(np.argsort(order))
    truth = np.ascontiguousarray(y.transpose(order)).transpose(np.argsort(order))
    b = ProgramBuilder()
    total = b.apply("add", b.load(0, F8), b.load(1, F8))
    program = b.build(b.apply("where", b.load(2, "?"), total, b.cast(b.index(0), F8)))
    index = AffineIndex(2, tuple(range(1, len(shape) + 1)))
    arrays = [x, across, truth]
    (got,) = target.map(program, arrays, [index], [], shape, None)
    (want,) = interpret_map(program, arrays, [index], [], shape)
    np.testing.assert_array_equal(got, want)
    assert "tile1 = cuda.shared.array" in launcher.launched[-1].text
