"""Programs are cut so that every value is there when it is read."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.codegen.program import LEAVES, ProgramBuilder
from gpuscale.codegen.schedule import is_compilable, schedule

F8 = np.dtype("f8")
UNARY, BINARY = ("negative", "exp", "sqrt", "tanh"), ("add", "hypot", "maximum", "fmod")


@st.composite
def programs(draw):
    b = ProgramBuilder()
    values = [b.load(0, F8), b.load(1, F8), b.const(2.0, F8), b.param(0, F8)]
    key = b.param(1, "u4"), b.param(2, "u4")
    values.append(b.apply("philox_uniform", *key, b.index(0)))
    for _ in range(draw(st.integers(0, 12))):
        pick = st.sampled_from(values)
        if draw(st.booleans()):
            values.append(b.apply(draw(st.sampled_from(UNARY)), draw(pick)))
        else:
            values.append(b.apply(draw(st.sampled_from(BINARY)), draw(pick), draw(pick)))
    outputs = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    return b.build(*outputs)


@given(programs(), st.lists(st.sampled_from(["row", "scalar", "tile"]), min_size=2, max_size=2),
       st.booleans(), st.booleans())  # fmt: skip
def test_values_are_at_hand_when_read(program, loads, filled, direct):
    fills = {v: "row" for v, i in enumerate(program.instrs) if i.op == "philox_uniform" and filled}
    allowed = set(range(len(program.outputs))) if direct else set()
    plan = schedule(program, loads, fills, allowed)
    in_buffer: dict[int, int] = {}
    left = []
    for stage in plan.stages:
        here = set()
        for value in stage.values:
            instr = program.instrs[value]
            if stage.kind in ("loop", "call"):
                for a in instr.args:
                    arg = program.instrs[a]
                    leaf = arg.op in LEAVES and not (
                        arg.op == "load" and loads[arg.imm[0]] == "tile"
                    )
                    ready = in_buffer.get(plan.buffers.get(a)) == a
                    assert leaf or ready or (stage.kind == "loop" and a in here)
            here.add(value)
        kept = stage.stores if stage.kind == "loop" else stage.values
        for value in kept:
            if value in plan.buffers:
                in_buffer[plan.buffers[value]] = value
        left += stage.outputs
        for k in stage.outputs:
            value = program.outputs[k]
            assert (
                value in here
                or program.instrs[value].op in LEAVES
                or (in_buffer[plan.buffers[value]] == value)
            )
    assert sorted(left) == list(range(len(program.outputs)))
    assert plan.n_buffers == len(set(plan.buffers.values()))


def test_arithmetic_is_one_loop():
    b = ProgramBuilder()
    x = b.load(0, F8)
    program = b.build(b.apply("add", b.apply("multiply", x, x), x))
    plan = schedule(program, ["row"], {}, {0})
    assert [s.kind for s in plan.stages] == ["loop"] and plan.n_buffers == 0


def test_a_lone_numpy_loop_writes_the_result_itself():
    b = ProgramBuilder()
    plan = schedule(b.build(b.apply("tanh", b.load(0, F8))), ["row"], {}, {0})
    assert [(s.kind, s.outputs) for s in plan.stages] == [("call", [0])]


def test_buffers_are_used_again():
    b = ProgramBuilder()
    value = b.load(0, F8)
    for _ in range(10):
        value = b.apply("negative", b.apply("tanh", value))
    assert schedule(b.build(value), ["row"], {}, {0}).n_buffers <= 3


def test_what_only_the_interpreter_can_do():
    b = ProgramBuilder()
    assert not is_compilable(b.build(b.apply("add", b.load(0, "e"), b.load(0, "e"))))
    assert not is_compilable(b.build(b.apply("add", b.load(0, object), b.load(0, object))))
    assert not is_compilable(b.build(b.apply("i0", b.load(0, F8))))
    # NumPy raises for integers to negative powers: a loop without the GIL must not meet them.
    whole = b.load(1, "i8")
    assert not is_compilable(b.build(b.apply("power", whole, whole)))
    assert is_compilable(b.build(b.apply("power", whole, b.const(7, "i8"))))
