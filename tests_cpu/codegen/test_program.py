"""Programs: building, equality, pickling, printing."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from gpuscale.codegen.program import AffineIndex, Instr, ProgramBuilder, ScalarProgram

F8, I8 = np.dtype("f8"), np.dtype("i8")


def sum_of_squares():
    b = ProgramBuilder()
    x = b.load(0, F8)
    return b.build(b.apply("add", b.apply("multiply", x, x), b.param(0, F8)))


def test_equal_values_are_computed_once():
    b = ProgramBuilder()
    x, y = b.load(0, F8), b.load(1, F8)
    assert b.apply("add", x, y) == b.apply("add", x, y)
    assert b.apply("add", x, y) != b.apply("add", y, x)
    assert b.const(1.0, F8) != b.const(1.0, "f4")


def test_constants_are_folded_as_numpy_computes():
    b = ProgramBuilder()
    third = b.apply("divide", b.const(1, I8), b.const(3, I8))
    assert b.instr(third) == Instr("const", (), F8, (1 / 3,))
    overflow = b.apply("add", b.const(120, "i1"), b.const(10, "i1"))
    assert b.instr(overflow).imm == (-126,)
    assert b.instr(b.apply("floor_divide", b.const(1, I8), b.const(0, I8))).imm == (0,)
    assert b.instr(b.cast(b.const(2.9, F8), I8)).imm == (2,)


def test_operands_are_cast_to_numpys_loop():
    b = ProgramBuilder()
    total = b.apply("add", b.load(0, "i4"), b.load(1, F8))
    assert str(b.build(total)).splitlines() == [
        "%0 = load 0 : int32",
        "%1 = load 1 : float64",
        "%2 = cast %0 : float64",
        "%3 = add %2 %1 : float64",
        "return %3",
    ]


def test_what_no_output_needs_is_left_out():
    b = ProgramBuilder()
    x = b.load(0, F8)
    b.apply("exp", x)
    program = b.build(b.apply("negative", x), x)
    assert [i.op for i in program.instrs] == ["load", "negative"]
    assert program.outputs == (1, 0)
    assert program.dtypes == (F8, F8)
    assert (program.n_loads, program.n_indices, program.n_params) == (1, 0, 0)


@pytest.mark.parametrize(
    "a, b, same",
    [
        (0.0, -0.0, False),
        (np.nan, np.nan, True),
        (1.0, 1.0, True),
        (1.0, 2.0, False),
        (complex(0, -0.0), complex(0, 0.0), False),
    ],
)
def test_constants_compare_by_spelling(a, b, same):
    dtype = np.dtype(type(a))
    first, second = ProgramBuilder(), ProgramBuilder()
    p = first.build(first.const(a, dtype))
    q = second.build(second.const(b, dtype))
    assert (p == q) is same
    assert not same or hash(p) == hash(q)


def test_pickle_keeps_equality():
    program = sum_of_squares()
    again = pickle.loads(pickle.dumps(program))
    assert again == program and hash(again) == hash(program) and again is not program
    assert program != ScalarProgram(program.instrs, (0,))


def test_pickle_reaches_a_process_with_other_hashes():
    code = (
        "import pickle, sys; p = pickle.loads(bytes.fromhex(sys.argv[1]));"
        "from gpuscale.codegen.program import ScalarProgram;"
        "assert p in {ScalarProgram(p.instrs, p.outputs)}; print(p)"
    )
    program = sum_of_squares()
    sent = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(program).hex()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sent.stdout.strip() == str(program)


def test_affine_index():
    assert AffineIndex(7, (10, 1)).at((3, 4)) == 41
    assert AffineIndex(0, (1,)) == AffineIndex(0, (1,))


def test_unknown_operation_is_refused():
    b = ProgramBuilder()
    with pytest.raises(TypeError, match="no scalar operation"):
        b.apply("nonsense", b.load(0, F8))
    with pytest.raises(TypeError):
        b.apply("bitwise_and", b.load(0, F8), b.load(1, F8))
