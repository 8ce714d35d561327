"""The interpreter against NumPy, on tiles of every shape."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.codegen import interpret
from gpuscale.codegen.interpret import interpret_map, interpret_reduce, tiles
from gpuscale.codegen.program import AffineIndex, ProgramBuilder

F8, I8 = np.dtype("f8"), np.dtype("i8")
shapes = st.lists(st.integers(0, 7), max_size=4).map(tuple)


@given(shapes, st.integers(1, 40))
def test_tiles_cover_the_domain_once(shape, size):
    seen = np.zeros(shape, int)
    for tile in tiles(shape, size):
        seen[tile] += 1
        assert 0 < seen[tile].size <= size
    assert (seen == 1).all()


@pytest.fixture(params=[1, 5, 1 << 16])
def tile_size(request, monkeypatch):
    original = tiles.__defaults__
    monkeypatch.setattr(interpret, "TILE", request.param)
    monkeypatch.setattr(interpret, "BARE", request.param)
    monkeypatch.setattr(tiles, "__defaults__", (request.param,))
    yield request.param
    assert original == (1 << 16,)


def two_outputs():
    b = ProgramBuilder()
    x, y, i = b.load(0, F8), b.load(1, F8), b.index(0)
    product = b.apply("multiply", x, y)
    return b.build(b.apply("add", product, i), b.apply("greater", product, b.param(0, F8)))


def test_map_broadcasts_and_tiles(tile_size):
    x, y = np.arange(12.0).reshape(3, 4), np.arange(4.0)
    index = AffineIndex(100, (1, 10))
    result = interpret_map(two_outputs(), [x, y], [index], [5.0], (3, 4))
    i = 100 + np.arange(3)[:, None] + 10 * np.arange(4)
    np.testing.assert_array_equal(result[0], x * y + i)
    np.testing.assert_array_equal(result[1], x * y > 5)


def test_map_writes_into_strided_views(tile_size):
    x = np.arange(12.0).reshape(4, 3).T[:, ::-1]
    target = np.zeros((6, 8))
    view = target[::2, ::-2]
    b = ProgramBuilder()
    (result,) = interpret_map(
        b.build(b.apply("negative", b.load(0, F8))), [x], [], [], (3, 4), out=[view]
    )
    assert result is view
    np.testing.assert_array_equal(target[::2, ::-2], -x)
    assert (target[1::2] == 0).all()


def test_results_never_share_memory_with_operands():
    x = np.arange(3.0)
    b = ProgramBuilder()
    value = b.load(0, F8)
    same, same_too = interpret_map(b.build(value, b.const(1.0, F8)), [x], [], [], (2, 3))
    assert not np.shares_memory(same, x) and same.shape == (2, 3)
    assert same_too.flags.writeable and (same_too == 1).all()


NAMES = ("sum", "prod", "min", "max", "any", "all", "count", "argmin", "argmax", "moments")
WITHOUT_NAN = {"fmin": np.fmin, "fmax": np.fmax}


def expected_reduction(name, x, axes):
    kw = {"axis": axes, "keepdims": True}
    kept = tuple(a for a in range(x.ndim) if a not in axes)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    if name in ("argmin", "argmax"):
        flat = x.transpose(*kept, *axes).reshape(*(x.shape[a] for a in kept), -1)
        at = getattr(np, name)(flat, axis=-1, keepdims=True)
        return [at.reshape(shape), np.take_along_axis(flat, at, -1).reshape(shape)]
    if name == "moments":
        n = math.prod(x.shape[a] for a in axes)
        return [np.full(shape, n), x.mean(**kw), x.var(**kw) * n]
    if name in WITHOUT_NAN:
        return [WITHOUT_NAN[name].reduce(x, **kw)]
    if name == "count":
        return [np.count_nonzero(x, **kw)]
    return [getattr(np, name)(x, **kw)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_reductions_are_numpys(data):
    shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1).map(sorted).map(tuple))
    room = data.draw(st.sampled_from([1, 3, 16, 1 << 16]))
    seed = data.draw(st.integers(0, 99))
    x = np.random.default_rng(seed).integers(-3, 4, shape).astype(float)
    if data.draw(st.booleans()):
        x.flat[data.draw(st.integers(0, x.size - 1))] = np.nan
    b = ProgramBuilder()
    value = b.load(0, F8)
    names = (*NAMES, *WITHOUT_NAN)
    program = b.build(*[value] * len(names))
    saved = interpret.TILE, tiles.__defaults__
    interpret.TILE, tiles.__defaults__ = room, (room,)
    try:
        result = list(interpret_reduce(program, names, [x], [], [], shape, axes))
    finally:
        interpret.TILE, tiles.__defaults__ = saved
    expected = [e for name in names for e in expected_reduction(name, x, axes)]
    for got, want in zip(result, expected, strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)


def test_empty_extents_give_what_changes_nothing():
    b = ProgramBuilder()
    program = b.build(*[b.load(0, I8)] * 9)
    result = interpret_reduce(program, NAMES[:9], [np.empty((2, 0), int)], [], [], (2, 0), (1,))
    info = np.iinfo(np.int64)
    first = [r[0, 0] for r in result]
    assert first == [0, 1, info.max, info.min, False, True, 0, -1, info.max, -1, info.min]


def test_moments_are_stable_far_from_zero():
    x = np.random.default_rng(0).standard_normal(200_000) + 1e9
    b = ProgramBuilder()
    n, mean, m2 = interpret_reduce(b.build(b.load(0, F8)), ("moments",), [x], [], [], x.shape, (0,))
    assert n[0] == x.size
    np.testing.assert_allclose(m2[0], ((x - x.mean()) ** 2).sum(), rtol=1e-9)


def test_complex_moments_are_those_of_numpy():
    x = np.random.default_rng(0).standard_normal((50, 2)).view(complex)
    b = ProgramBuilder()
    _, mean, m2 = interpret_reduce(
        b.build(b.load(0, x.dtype)), ("moments",), [x], [], [], x.shape, (0,)
    )
    np.testing.assert_allclose(mean, x.mean(0, keepdims=True))
    np.testing.assert_allclose(m2 / 50, x.var(0, keepdims=True))
    assert m2.dtype == np.float64


def test_moments_of_integers_are_refused():
    b = ProgramBuilder()
    with pytest.raises(TypeError, match="cast them first"):
        interpret_reduce(b.build(b.load(0, I8)), ("moments",), [np.arange(3)], [], [], (3,), (0,))


def test_random_numbers_depend_on_the_index_alone():
    b = ProgramBuilder()
    key = b.const(1, "u4"), b.const(2, "u4")
    program = b.build(b.apply("philox_uniform", *key, b.index(0)))
    (whole,) = interpret_map(program, [], [AffineIndex(0, (6, 1))], [], (4, 6))
    (part,) = interpret_map(program, [], [AffineIndex(6 * 1 + 2, (1, 6))], [], (3, 2))
    np.testing.assert_array_equal(part, whole[1:3, 2:5].T)
    assert ((whole >= 0) & (whole < 1)).all()


def test_objects_and_datetimes_are_interpreted():
    b = ProgramBuilder()
    days = b.apply("subtract", b.load(0, "M8[D]"), b.load(1, "M8[h]"))
    x, y = np.array(["2020-01-02"], "M8[D]"), np.array(["2020-01-01T12"], "M8[h]")
    (result,) = interpret_map(b.build(days), [x, y], [], [], (1,))
    np.testing.assert_array_equal(result, x - y)
    b = ProgramBuilder()
    twice = b.apply("add", b.load(0, object), b.load(0, object))
    (result,) = interpret_map(b.build(twice), [np.array(["a"], object)], [], [], (1,))
    assert result[0] == "aa"
