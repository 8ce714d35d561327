"""The page on fusion lists what has no kernel on a device, neither more nor less."""

import re
from pathlib import Path

import numpy as np
import pytest

from gpuscale.backends.creation import OF_DEVICES
from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate_cuda import state_of
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.codegen.reductions import REDUCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "pages" / "fusion.md"
HALF = np.dtype("f2")
FOLDED = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}


def listed(dtype):
    """What the page lists for a dtype: operations, and reductions."""
    letters = {"b": "bool", "i": "integers", "u": "integers"}
    name = letters.get(dtype.kind, dtype.name)
    rows = [line.strip("| ").split("|") for line in PAGE.read_text().splitlines() if "|" in line]
    (row,) = (
        row for row in rows if name in re.split(r"[,; ]+", row[0]) and "float16" not in row[0]
    )
    return [set(re.findall(r"`(\w+)`", cell)) for cell in row[1:]]


def program_of(name, dtype):
    """A program of one operation on operands of a dtype; None where NumPy has none."""
    b = ProgramBuilder()
    try:
        return b.build(b.apply(name, *(b.load(k, dtype) for k in range(OPS[name].arity))))
    except TypeError:
        return None


def is_reduced(name, dtype):
    """Whether elements of a dtype are reduced as such, not cast first."""
    ufunc = getattr(np, FOLDED.get(name, name), None)
    if not isinstance(ufunc, np.ufunc):  # reductions that are no ufuncs
        return name != "moments" or dtype.kind == "f"
    try:
        return ufunc.reduce(np.ones(2, dtype)).dtype in (dtype, bool)
    except TypeError:
        return False


@pytest.mark.parametrize("char", sorted(OF_DEVICES - {"e"}))
def test_what_has_no_kernel_is_on_the_page(char):
    dtype = np.dtype(char)
    without, half = set(), set()
    for name in OPS.keys() - random_ops.BY_NAME.keys() - {"cast"}:
        program = program_of(name, dtype)
        if program is None or is_spelled(expand(program)):
            continue
        in_half = HALF in (instr.dtype for instr in program.instrs)
        (half if in_half else without).add(name)
    operations, reductions = listed(dtype)
    assert without == operations
    assert bool(half) == (char in "?bB") and ("sqrt" in half) == bool(half)
    known = {name for name in REDUCTIONS if is_reduced(name, dtype)}
    assert {name for name in known if state_of(name, dtype) is None} == reductions & known
    if char in "qdF":
        assert reductions <= known


def test_float16_has_no_kernel_at_all():
    assert re.search(r"^\| float16;.*\| all \| all \|$", PAGE.read_text(), re.MULTILINE)
    b = ProgramBuilder()
    assert not is_spelled(b.build(b.load(0, HALF)))


def test_a_constant_exponent_has_a_kernel():
    b = ProgramBuilder()
    dtype = np.dtype("i8")
    program = b.build(b.apply("power", b.load(0, dtype), b.const(3, dtype)))
    assert is_spelled(expand(program))
