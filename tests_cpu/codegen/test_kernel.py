"""Kernels on every layout against the interpreter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.codegen import run
from gpuscale.codegen.interpret import interpret_map, interpret_reduce
from gpuscale.codegen.program import AffineIndex, ProgramBuilder

from .drawn import quick, shapes, targets, views

pytestmark = pytest.mark.usefixtures("always_compile")
LONGER = [31, 64, 65, 130, 517]
F8, F4, I8 = np.dtype("f8"), np.dtype("f4"), np.dtype("i8")


def map_program():
    """Inline operations, NumPy loops between them, an index function, two dtypes of results."""
    b = ProgramBuilder()
    x, y, i = b.load(0, F8), b.load(1, F8), b.cast(b.index(0), F8)
    product = b.apply("multiply", x, y)
    wave = b.apply("tanh", b.apply("add", product, i))
    total = b.apply("add", b.apply("fmod", wave, y), b.param(0, F8))
    return b.build(total, b.apply("less", x, total))


MAP = map_program()


@quick
@given(st.data())
def test_maps_on_any_layout(data):
    shape = data.draw(shapes(LONGER, 3, 60_000))
    arrays = [data.draw(views(shape, F8)) for _ in range(2)]
    coefs = tuple(data.draw(st.sampled_from([0, 1, -3, 7])) for _ in shape)
    index = AffineIndex(data.draw(st.integers(-5, 5)), coefs)
    got = run.run_map(MAP, arrays, [index], [0.5], shape)
    want = interpret_map(MAP, arrays, [index], [0.5], shape)
    for g, w in zip(got, want, strict=True):
        assert g.shape == shape and g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


@quick
@given(st.data())
def test_maps_write_into_any_view(data):
    shape = data.draw(shapes(LONGER, 3, 60_000))
    arrays = [data.draw(views(shape, F8)) for _ in range(2)]
    index = AffineIndex(3, tuple(range(len(shape))))
    out = data.draw(targets(shape, MAP.dtypes))
    run.run_map(MAP, arrays, [index], [0.5], shape, out=out)
    for g, w in zip(out, interpret_map(MAP, arrays, [index], [0.5], shape), strict=True):
        np.testing.assert_array_equal(g, w)
        assert np.count_nonzero(g.base) == np.count_nonzero(g)


def random_program():
    b = ProgramBuilder()
    key = b.param(0, "u4"), b.param(1, "u4")
    x = b.apply("philox_uniform", *key, b.index(0))
    y = b.apply("philox_uniform", *key, b.index(1))
    return b.build(b.apply("subtract", x, y), x)


RANDOM = random_program()


@quick
@given(st.data())
def test_random_numbers_on_any_layout(data):
    shape = data.draw(shapes(LONGER, 3, 20_000))
    strides = np.cumprod([1, *shape[::-1]])[:-1][::-1]
    indices = []
    for _ in range(2):
        coefs = data.draw(st.permutations([int(s) for s in strides]))
        indices.append(AffineIndex(data.draw(st.integers(0, 9)), tuple(coefs)))
    params = [7, 2**32 - 1]
    got = run.run_map(RANDOM, [], indices, params, shape)
    want = interpret_map(RANDOM, [], indices, params, shape)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


NAMES = ("sum", "prod", "min", "max", "any", "all", "count", "argmin", "argmax", "moments")


FEW = ("sum", "argmin", "moments")  # one of each kind of lanes and merging


def reduce_program(dtype):
    b = ProgramBuilder()
    x, y = b.load(0, dtype), b.load(1, dtype)
    return b.build(*[b.apply("add", x, y)] * len(FEW))


@settings(quick, max_examples=20)  # nearly every layout is a kernel of its own to compile
@given(st.data())
def test_reductions_on_any_layout(data):
    shape = data.draw(shapes(LONGER, 3, 60_000, min_dims=1))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1)).map(sorted).map(tuple))
    arrays = [data.draw(views(shape, F8)) for _ in range(2)]
    program = reduce_program(F8)
    got = run.run_reduce(program, FEW, arrays, [], [], shape, axes)
    want = interpret_reduce(program, FEW, arrays, [], [], shape, axes)
    tolerance = 1e-12
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape and g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype, axes", [("?", (0, 1)), ("b", (1,)), ("i", (0, 1)), ("Q", (0,))])
def test_reductions_of_whole_numbers_are_exact(dtype, axes, rng):
    dtype = np.dtype(dtype)
    names = NAMES[2 if dtype.kind == "b" else 0 : -1]
    x = rng.integers(0, 2 if dtype.kind == "b" else 100, (130, 67)).astype(dtype)
    b = ProgramBuilder()
    program = b.build(*[b.load(0, dtype)] * len(names))
    got = run.run_reduce(program, names, [x], [], [], x.shape, axes)
    want = interpret_reduce(program, names, [x], [], [], x.shape, axes)
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("dtype", [np.dtype("F"), np.dtype("D")], ids=str)
def test_complex_reductions(dtype, rng):
    x = (rng.standard_normal((50, 40)) + 1j * rng.standard_normal((50, 40))).astype(dtype)
    names = ("sum", "prod", "any", "all", "count")
    b = ProgramBuilder()
    program = b.build(*[b.load(0, dtype)] * len(names))
    got = run.run_reduce(program, names, [x], [], [], x.shape, (1,))
    want = interpret_reduce(program, names, [x], [], [], x.shape, (1,))
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=2e-5 if dtype == np.dtype("F") else 1e-12)


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("axes", [(0, 1), (0,), (1,)])
def test_extremes_without_nan(dtype, axes, rng):
    x = rng.standard_normal((130, 67)).astype(dtype)
    x[rng.random(x.shape) < 0.7] = np.nan
    x[7], x[:, 3] = np.nan, np.nan
    b = ProgramBuilder()
    program = b.build(*[b.load(0, dtype)] * 2)
    got = run.run_reduce(program, ("fmin", "fmax"), [x], [], [], x.shape, axes)
    for g, ufunc in zip(got, (np.fmin, np.fmax), strict=True):
        np.testing.assert_array_equal(g, ufunc.reduce(x, axis=axes, keepdims=True))


def test_reductions_repeat_to_the_bit(rng):
    x = rng.standard_normal((300, 211))
    b = ProgramBuilder()
    program = b.build(*[b.load(0, F8)] * 2)
    runs = [
        run.run_reduce(program, ("sum", "moments"), [x], [], [], x.shape, (0, 1)) for _ in range(3)
    ]
    assert len({tuple(a.tobytes() for a in each) for each in runs}) == 1


def test_sums_of_many_tiles_are_as_good_as_pairwise(rng):
    x = rng.random(3_000_000).astype(F4)
    b = ProgramBuilder()
    (total,) = run.run_reduce(b.build(b.load(0, F4)), ("sum",), [x], [], [], x.shape, (0,))
    exact = x.astype(F8).sum()
    assert abs(total[0] - exact) <= max(abs(x.sum() - exact), np.spacing(np.float32(exact)))


def test_sums_keep_infinities_and_nan():
    b = ProgramBuilder()
    program = b.build(b.load(0, F8))
    x = np.ones((4, 40))
    x[0, 3], x[1, 3], x[1, 5], x[2, 1] = np.inf, np.inf, -np.inf, np.nan
    (total,) = run.run_reduce(program, ("sum",), [x], [], [], x.shape, (1,))
    np.testing.assert_array_equal(total[:, 0], [np.inf, np.nan, np.nan, 40])


def test_moments_far_from_zero(rng):
    x = rng.standard_normal((1000, 70)) + 1e9
    b = ProgramBuilder()
    for axes in [(0,), (1,), (0, 1)]:
        n, mean, m2 = run.run_reduce(
            b.build(b.load(0, F8)), ("moments",), [x], [], [], x.shape, axes
        )
        shifted = x - 1e9
        np.testing.assert_allclose(m2 / n, shifted.var(axis=axes, keepdims=True), rtol=1e-7)
        np.testing.assert_allclose(mean, shifted.mean(axis=axes, keepdims=True) + 1e9, rtol=1e-15)


def test_results_in_place(rng):
    x = rng.standard_normal((70, 70))
    b = ProgramBuilder()
    u, v = b.load(0, F8), b.load(1, F8)
    program = b.build(b.apply("add", u, v))
    want = x + x.T
    run.run_map(program, [x, x.T], [], [], x.shape, out=[x])
    np.testing.assert_array_equal(x, want)
    swap = b.build(v, u)
    y, z = rng.random((2, 50))
    a, c = y.copy(), z.copy()
    run.run_map(swap, [y, z], [], [], (50,), out=[y, z])
    np.testing.assert_array_equal([y, z], [c, a])


def test_fresh_results_lie_in_memory_like_the_operands(rng):
    x = rng.random((40, 50)).T
    b = ProgramBuilder()
    (result,) = run.run_map(b.build(b.apply("negative", b.load(0, F8))), [x], [], [], x.shape)
    assert result.flags.f_contiguous
    np.testing.assert_array_equal(result, -x)


@pytest.mark.parametrize("shape", [(0,), (3, 0, 2), (), (1,)], ids=str)
def test_degenerate_shapes(shape):
    x = np.full(shape, 2.0)
    b = ProgramBuilder()
    value = b.apply("multiply", b.load(0, F8), b.load(0, F8))
    (result,) = run.run_map(b.build(value), [x], [], [], shape)
    assert result.shape == shape and (result == 4).all()
    names = ("sum", "argmax")
    partial = run.run_reduce(
        b.build(value, value), names, [x], [], [], shape, tuple(range(len(shape)))
    )
    assert partial[0].ravel().tolist() == [4.0 * x.size]
    assert partial[1].ravel().tolist() == [0 if x.size else -1]


@pytest.mark.parametrize("dtype", [F4, F8], ids=str)
@pytest.mark.parametrize("shape", [(88, 70), (2000, 3), (3, 2000), (1, 70_000), (70_000, 1)])
def test_moments_whose_first_values_lie_far_from_all_others(dtype, shape, rng):
    x = rng.standard_normal(shape).astype(dtype)
    x[0, 0], x[:, 0], x[0] = 1e8, 1e7, 1e6
    b = ProgramBuilder()
    for axes in [(0,), (1,), (0, 1)]:
        for view in (x, np.asfortranarray(x), x[:, ::-1]):
            n, mean, m2 = run.run_reduce(
                b.build(b.load(0, dtype)), ("moments",), [view], [], [], shape, axes
            )
            exact = view.astype(F8)
            squares = exact.var(axis=axes, keepdims=True) * n
            ulp = np.finfo(dtype).eps
            near = (exact - mean).__pow__(2).mean(axis=axes, keepdims=True) * ulp * n
            assert (np.abs(m2 - squares) <= 50 * ulp * squares + near).all(), (axes, view.strides)


def test_moments_do_not_overflow_before_their_result_does():
    b = ProgramBuilder()
    for dtype, large in ((F4, -9.2e18), (F8, -5e153)):
        for axes, first in [((0,), 0), ((0, 1), (0, 0))]:
            x = np.zeros((88, 89), dtype)
            x[first] = large
            program = b.build(b.load(0, dtype))
            n, _, m2 = run.run_reduce(program, ("moments",), [x], [], [], x.shape, axes)
            with np.errstate(over="raise"):
                expected = x.std(axis=axes, keepdims=True)
            np.testing.assert_allclose(np.sqrt(m2 / n), expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["F", "D"])
def test_constants_of_programs_that_are_complex_throughout(dtype, rng):
    x = (rng.standard_normal((50, 40)) + 1j * rng.standard_normal((50, 40))).astype(dtype)
    b = ProgramBuilder()
    z, two = b.load(0, np.dtype(dtype)), b.const(complex(2, -0.5), np.dtype(dtype))
    program = b.build(b.apply("multiply", b.apply("add", z, two), z))
    (got,) = run.run_map(program, [x], [], [], x.shape)
    np.testing.assert_allclose(got, (x + x.dtype.type(2 - 0.5j)) * x, rtol=1e-5)
