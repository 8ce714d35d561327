"""Mirrored blocks together give what each gives alone."""

import numpy as np
import pytest

from gpuscale.codegen import kernel, mirror
from gpuscale.codegen.interpret import interpret_reduce
from gpuscale.codegen.mirror import Block, run_reduce_mirror
from gpuscale.codegen.program import AffineIndex, ProgramBuilder

pytestmark = pytest.mark.usefixtures("always_compile")
N = 700  # rows and columns of the whole matrix: even, so that all rows begin alike
ODD = 701
NAMES = ("sum", "moments", "argmax")


def symmetric(extra="exp", kind="philox_uniform"):
    b = ProgramBuilder()
    key = b.param(0, "u4"), b.param(1, "u4")
    x, y = (b.apply(kind, *key, b.index(k)) for k in range(2))
    value = b.apply("subtract", b.apply("add", x, y), b.load(0, x_dtype(b, x)))
    if extra:
        value = b.apply(extra, value)
    return b.build(*[value] * len(NAMES))


def x_dtype(b, value):
    return b.instr(value).dtype


def block(n, rows, columns, means):
    """A block of X + X.T - means: rows and columns are ranges."""
    i, j = rows.start, columns.start
    indices = [AffineIndex(n * i + j, (n, 1)), AffineIndex(n * j + i, (1, n))]
    return Block([means[columns.start : columns.stop]], indices, (len(rows), len(columns)))


@pytest.fixture
def launches(monkeypatch):
    seen = []
    original = kernel.launch
    monkeypatch.setattr(kernel, "launch", lambda *a: seen.append(a[0].spec.mirror) or original(*a))
    return seen


def check(program, names, blocks, got, params, axes):
    for each, result in zip(blocks, got, strict=True):
        want = interpret_reduce(program, names, each.arrays, each.indices, params, each.shape, axes)
        for g, w in zip(result, want, strict=True):
            assert g.shape == w.shape and g.dtype == w.dtype
            np.testing.assert_allclose(g, w, rtol=1e-11)


@pytest.mark.parametrize("n", [N, ODD])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=str)
def test_two_blocks(n, axes, launches, rng):
    means, program = rng.random(n), symmetric()
    top, side = range(3, 140), range(200, 531)
    blocks = [block(n, top, side, means), block(n, side, top, means)]
    got = run_reduce_mirror(program, NAMES, blocks, [5, 6], axes)
    check(program, NAMES, blocks, got, [5, 6], axes)
    assert len(launches) == 1 and launches[0] is not None


@pytest.mark.parametrize("n", [N, ODD])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)], ids=str)
def test_a_block_on_the_diagonal(n, axes, launches, rng):
    means, program = rng.random(n), symmetric(extra=None)
    only = block(n, range(10, 310), range(10, 310), means)
    (got,) = run_reduce_mirror(program, NAMES, [only], [5, 6], axes)
    check(program, NAMES, [only], [got], [5, 6], axes)
    assert len(launches) == 1 and launches[0] is not None


def test_single_precision(launches, rng):
    means, program = rng.random(N).astype("f4"), symmetric(None, "philox_uniform_float32")
    only = block(N, range(0, 300), range(0, 300), means)
    (got,) = run_reduce_mirror(program, NAMES, [only], [5, 6], (0,))
    want = interpret_reduce(program, NAMES, only.arrays, only.indices, [5, 6], only.shape, (0,))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-4)
    assert launches[0] is not None


def test_blocks_that_are_no_images_are_taken_apart(launches, rng):
    means, program = rng.random(N), symmetric()
    blocks = [
        block(N, range(0, 150), range(300, 500), means),
        block(N, range(300, 500), range(1, 151), means),
    ]
    got = run_reduce_mirror(program, NAMES, blocks, [5, 6], (0,))
    check(program, NAMES, blocks, got, [5, 6], (0,))
    assert launches == [None, None]


def test_programs_without_a_transpose_are_taken_apart(launches):
    b = ProgramBuilder()
    x = b.apply("philox_uniform", b.const(1, "u4"), b.const(2, "u4"), b.index(0))
    program = b.build(x)
    only = Block([], [AffineIndex(0, (200, 1))], (200, 200))
    (got,) = run_reduce_mirror(program, ("sum",), [only], [], (0,))
    check(program, ("sum",), [only], [got], [], (0,))
    assert launches == [None]


def test_little_work_is_not_compiled(launches, monkeypatch, rng):
    monkeypatch.setattr(mirror, "pays", lambda spec, elements: False)
    monkeypatch.setattr("gpuscale.codegen.run_cpu.pays", lambda spec, elements: False)
    means, program = rng.random(N), symmetric()
    only = block(N, range(0, 50), range(0, 50), means)
    (got,) = run_reduce_mirror(program, NAMES, [only], [5, 6], (0,))
    check(program, NAMES, [only], [got], [5, 6], (0,))
    assert launches == []
