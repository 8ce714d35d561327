"""Work that does not depend on every axis leaves the program."""

import numpy as np

from gpuscale.codegen import hoist, run
from gpuscale.codegen.hoist import split
from gpuscale.codegen.program import AffineIndex, ProgramBuilder

F8 = np.dtype("f8")
BOTH, ROWS, COLUMNS = frozenset({0, 1}), frozenset({0}), frozenset({1})


def scaled_rows():
    b = ProgramBuilder()
    x, v, w = b.load(0, F8), b.load(1, F8), b.load(2, F8)
    scale = b.apply("exp", b.apply("add", v, b.param(0, F8)))
    return b.build(b.apply("add", b.apply("multiply", x, scale), w))


def test_dear_parts_on_fewer_axes_are_cut_out():
    cut = split(scaled_rows(), (BOTH, COLUMNS, ROWS), (), (50, 40))
    assert [i.op for i in cut.main.instrs] == ["load", "load", "load", "multiply", "add"]
    (part,) = cut.parts
    assert part.axes == COLUMNS
    assert [i.op for i in part.program.instrs] == ["load", "param", "add", "exp"]
    assert cut.main.n_loads == 4


def test_cheap_parts_and_small_gains_stay():
    b = ProgramBuilder()
    cheap = b.build(b.apply("add", b.load(0, F8), b.apply("negative", b.load(1, F8))))
    assert split(cheap, (BOTH, ROWS), (), (50, 40)).parts == ()
    assert split(scaled_rows(), (BOTH, COLUMNS, ROWS), (), (3, 40)).parts == ()


def test_an_output_may_be_cut_out_whole():
    b = ProgramBuilder()
    program = b.build(b.apply("exp", b.load(0, F8)), b.load(1, F8))
    cut = split(program, (ROWS, BOTH), (), (50, 40))
    assert [i.op for i in cut.main.instrs] == ["load", "load"]
    assert len(cut.parts) == 1


def test_results_are_those_of_the_whole_program(rng, monkeypatch):
    calls = []
    original = hoist.split
    monkeypatch.setattr(run, "split", lambda *a: calls.append(original(*a)) or calls[-1])
    x, v, w = rng.random((30, 20, 10)), rng.random(10), rng.random((20, 1))
    (result,) = run.run_map(scaled_rows(), [x, v, w], [], [0.25], x.shape)
    np.testing.assert_array_equal(result, x * np.exp(v + 0.25) + w)
    assert sum(len(c.parts) for c in calls) == 1


def test_random_rows_are_drawn_once():
    b = ProgramBuilder()
    noise = b.apply("philox_uniform", b.const(1, "u4"), b.const(2, "u4"), b.index(0))
    program = b.build(b.apply("add", b.load(0, F8), noise))
    assert len(split(program, (BOTH,), (COLUMNS,), (200, 40)).parts) == 1
    x, index = np.zeros((200, 40)), AffineIndex(3, (0, 1))
    (result,) = run.run_map(program, [x], [index], [], x.shape)
    assert (result == result[0]).all() and len(np.unique(result)) == 40
    n, mean, m2 = run.run_reduce(program, ("moments",), [x], [index], [], x.shape, (0,))
    np.testing.assert_allclose(mean, result[:1])
    np.testing.assert_allclose(m2, 0, atol=1e-25)
    assert (n == 200).all()
