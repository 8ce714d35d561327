"""Kernels over parts of their blocks give what they give over the whole."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import NotSupportedError
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.expr import halving
from gpuscale.expr.halving import can_halve, run_halved
from gpuscale.expr.kernels import Block, FunctionKernel, ProgramKernel, ReduceKernel
from gpuscale.testing.fake_device import POOL, active

F8, I8 = np.dtype("f8"), np.dtype("i8")
ROWS = ("sum", "moments", "argmax", "argmin", "max", "count", "any")


def program(outputs=1):
    b = ProgramBuilder()
    x, row, at = b.load(0, F8), b.load(1, F8), b.index(0)
    value = b.apply("add", b.apply("multiply", x, row), b.cast(at, F8))
    return b.build(*[value] * outputs)


def arrays(shape):
    rng = np.random.default_rng(0)
    return [rng.integers(-9, 9, shape).astype(F8), rng.integers(1, 4, shape[-1:]).astype(F8)]


shapes = st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple)


def always_short(kernel_type, most):
    """The call of a kernel on a device that has no memory for more elements."""
    call = kernel_type.__call__

    def short(self, block, arrays, out=None):
        if math.prod(block.shape) > most:
            raise OutOfMemoryError
        return call(self, block, arrays, out)

    return short


class OutOfMemoryError(MemoryError):
    pass


@given(shapes, st.integers(1, 200), st.booleans())
def test_maps(shape, most, into):
    kernel = ProgramKernel(program(), (AffineIndex(5, tuple(range(1, len(shape) + 1))),))
    block = Block((1,) * len(shape), tuple(range(10, 10 + len(shape))), shape, "numpy")
    given = arrays(shape)
    expected = kernel(block, given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(halving, "FLOOR", 0)
        patch.setattr(ProgramKernel, "__call__", always_short(ProgramKernel, most))
        out = np.empty(shape) if into else None
        found = run_halved(kernel, block, given, out)
    np.testing.assert_array_equal(found, expected)
    assert out is None or found is out


@given(shapes, st.integers(1, 200), st.data())
def test_reductions(shape, most, data):
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1).map(sorted).map(tuple))
    name = data.draw(st.sampled_from(ROWS))
    names = ("sum", name) if name not in ("argmax", "argmin") else (name, "max")
    whole = tuple(n + 100 for n in shape)
    index = AffineIndex(0, (3,) * len(shape))
    kernel = ReduceKernel(
        program(2), (index,), (), names, axes, whole if name.startswith("arg") else None
    )
    block = Block((0,) * len(shape), (7,) * len(shape), shape, "numpy")
    given = arrays(shape)
    expected = kernel(block, given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(halving, "FLOOR", 0)
        patch.setattr(ReduceKernel, "__call__", always_short(ReduceKernel, most))
        found = run_halved(kernel, block, given)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_axes_that_are_kept_are_halved_first(monkeypatch):
    seen = []
    call = ReduceKernel.__call__
    kernel = ReduceKernel(program(), (AffineIndex(0, (0, 0)),), (), ("sum",), (1,))

    def watched(self, block, arrays, out=None):
        seen.append((block.start, block.shape))
        return call(self, block, arrays, out)

    monkeypatch.setattr(ReduceKernel, "__call__", watched)
    run_halved(kernel, Block((0, 0), (5, 0), (4, 100), "numpy"), arrays((4, 100)))
    assert seen == [((5, 0), (2, 100)), ((7, 0), (2, 100))]


def test_there_is_a_floor(monkeypatch):
    monkeypatch.setattr(ProgramKernel, "__call__", always_short(ProgramKernel, 0))
    kernel = ProgramKernel(program(), (AffineIndex(0, (0,)),))
    shape = (4 * halving.FLOOR,)
    with pytest.raises(OutOfMemoryError):
        run_halved(kernel, Block((0,), (0,), shape, "numpy"), arrays(shape))


def test_blocks_of_one_element_run_as_they_are():
    kernel = ProgramKernel(program(), (AffineIndex(5, (1,)),))
    assert run_halved(kernel, Block((0,), (3,), (1,), "numpy"), [np.ones(1), np.ones(1)]) == [9]


def test_what_is_no_program_is_refused():
    kernel = FunctionKernel(np.sort, label="sort")
    assert not can_halve(kernel)
    with pytest.raises(NotSupportedError, match="sort cannot run over parts"):
        run_halved(kernel, Block((0,), (0,), (4,), "numpy"), [np.ones(4)])


def test_other_errors_go_their_way():
    kernel = ProgramKernel(program(), (AffineIndex(0, (0,)),))
    with active() as xp, pytest.raises(TypeError):
        run_halved(kernel, Block((0,), (0,), (4,), "fake"), [xp.ones(4), np.ones(4)])
    assert POOL.limit is None
