"""Algebra keeps every bit, powers excepted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.codegen.simplify import simplify

F8, I8 = np.dtype("f8"), np.dtype("i8")
SPECIAL = np.array([0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 5e-324, 1e308])
CONSTANTS = st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.0, np.inf, np.nan])
OPS = ("add", "subtract", "multiply", "divide", "maximum", "fmin", "negative", "positive",
       "square", "conjugate", "real", "where", "cast", "logical_not")  # fmt: skip


@st.composite
def programs(draw):
    b = ProgramBuilder()
    values = [b.load(0, F8), b.load(1, F8)]
    for _ in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(OPS))
        x, y = (
            b.const(draw(CONSTANTS), F8) if draw(st.integers(0, 2)) == 0 else
            draw(st.sampled_from(values))
            for _ in range(2)
        )  # fmt: skip
        if name == "where":
            value = b.apply(name, b.apply("less", x, y), x, y)
        elif name == "cast":
            value = b.cast(b.cast(x, draw(st.sampled_from(["f4", "c16", "?"]))), F8)
        elif name == "logical_not":
            value = b.cast(b.apply(name, b.apply(name, x)), F8)
        else:
            value = b.apply(name, *(x, y)[: 1 if name in OPS[6:11] else 2])
        values.append(value)
    return b.build(*values[2:])


@settings(deadline=None)
@given(programs())
def test_results_keep_their_bits(program):
    x, y = (a.ravel() for a in np.meshgrid(SPECIAL, SPECIAL))
    simple = simplify(program)
    assert len(simple.instrs) <= len(program.instrs)
    for got, want in zip(
        interpret_map(simple, [x, y], [], [], x.shape),
        interpret_map(program, [x, y], [], [], x.shape),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)
        numbers = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


def ops_of(value_of):
    b = ProgramBuilder()
    return [i.op for i in simplify(b.build(value_of(b))).instrs if not i.is_leaf]


@pytest.mark.parametrize("exponent, ops", [
    (1, []), (2, ["multiply"]), (3, ["multiply"] * 2), (4, ["multiply"] * 2),
    (0.5, ["power"]), (-1, ["power"]), (2.5, ["power"]),
])  # fmt: skip
def test_small_powers_become_products(exponent, ops):
    assert ops_of(lambda b: b.apply("power", b.load(0, F8), b.const(exponent, F8))) == ops


@pytest.mark.parametrize("exponent", [1, 2, 3, 4])
def test_powers_are_numpys_to_two_ulp(exponent, rng):
    x = rng.standard_normal(1000) * 10.0 ** rng.integers(-80, 77, 1000)
    b = ProgramBuilder()
    program = b.build(b.apply("power", b.load(0, F8), b.const(exponent, F8)))
    (got,) = interpret_map(simplify(program), [x], [], [], x.shape)
    with np.errstate(all="ignore"):
        want = x**exponent
    np.testing.assert_array_max_ulp(got, want, 2)


def test_whole_numbers_have_one_zero():
    assert ops_of(lambda b: b.apply("add", b.load(0, I8), b.const(0, I8))) == []
    assert ops_of(lambda b: b.apply("add", b.load(0, F8), b.const(0.0, F8))) == ["add"]
    assert ops_of(lambda b: b.apply("add", b.load(0, F8), b.const(-0.0, F8))) == []
    assert ops_of(lambda b: b.apply("floor_divide", b.load(0, I8), b.const(1, I8))) == []


def test_casts_that_lose_nothing_are_left_out():
    assert ops_of(lambda b: b.cast(b.cast(b.load(0, "i4"), "f8"), "i8")) == ["cast"]
    assert ops_of(lambda b: b.cast(b.cast(b.load(0, "i8"), "f8"), "i8")) == ["cast", "cast"]
    assert ops_of(lambda b: b.cast(b.cast(b.load(0, "f8"), "f4"), "f8")) == ["cast", "cast"]
    assert ops_of(lambda b: b.cast(b.cast(b.load(0, "f4"), "f8"), "f4")) == []
