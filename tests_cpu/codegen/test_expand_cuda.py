"""Programs in primitive operations mean what they meant."""

import numpy as np
import pytest

from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.functions_cuda import EXPANSIONS
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder

# Their parts are bits, or complex numbers put together: no rows of the table, so not interpreted.
BEYOND = {"exp", "log", "frexp_mantissa", "frexp_exponent", "logaddexp"}
REAL = [n for (n, kind), _ in EXPANSIONS.items() if kind == "f" and n not in BEYOND]


@pytest.mark.parametrize("name", REAL)
def test_parts_give_what_the_whole_gives(name, rng):
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, 5e-324, 1.5e308]
    x, y = np.array(np.meshgrid(special, special)).reshape(2, -1)
    x, y = (np.concatenate([a, rng.standard_normal(50) * 9]) for a in (x, y))
    b = ProgramBuilder()
    program = b.build(b.apply(name, *(b.load(k, "f8") for k in range(OPS[name].arity))))
    parts = expand(program)
    assert name not in {instr.op for instr in parts.instrs} and parts.dtypes == program.dtypes
    arrays = [x, y][: program.n_loads]
    (got,), (want,) = (interpret_map(p, arrays, [], [], x.shape) for p in (parts, program))
    np.testing.assert_allclose(got, want, rtol=1e-15)
    np.testing.assert_array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


def test_draws_that_share_a_block_share_its_rounds():
    b = ProgramBuilder()
    key, index = (b.param(0, "u4"), b.param(1, "u4")), b.index(0)
    first, second = (b.apply(f"philox_{n}", *key, index) for n in ("uniform", "open_uniform"))
    one = len(expand(b.build(first)).instrs)
    assert len(expand(b.build(first, second)).instrs) < one + 12
