"""Kernels for CUDA without a device: in Numba's simulator, and as PTX."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate_cuda import state_of
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.map_cuda import MapSpec, map_kernel
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.codegen.reduce_cuda import ReduceSpec, join_kernel, reduce_kernel
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.codegen.tile_cuda import TileSpec, tile_kernel

CHARS = "?bBhHiIqQfdFD"
ARCHITECTURES = [(8, 0), (9, 0), (10, 0)]
SIMULATED = sorted(map(str, Path(__file__).parent.glob("simulated/cases_*.py")))


@pytest.fixture(scope="module")
def compile_ptx():
    """The compiler, where numba-cuda and the libraries that it needs are installed."""
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
    from gpuscale.codegen.compiler_cuda import compile_ptx
    from gpuscale.codegen.launch_cuda import Kernel

    try:
        compile_ptx(Kernel("def kernel(o0):\n    o0[0] = float32(1)\n", ("*float32",)), (9, 0))
    except Exception as error:
        if "libnv" not in str(error):
            raise
        pytest.skip("NVVM or NVRTC is not installed: nvidia-nvvm and nvidia-cuda-nvrtc bring them")
    return compile_ptx


@pytest.mark.timeout(900)
def test_in_the_simulator():
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SIMULATED]
    done = subprocess.run(
        command,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert re.search(r"\d+ passed", done.stdout)


def one_operation(name, dtype):
    """A program of one operation; None where there is no such kernel."""
    b = ProgramBuilder()
    try:
        if name in random_ops.BY_NAME:
            value = b.apply(name, b.param(0, "u4"), b.param(1, "u4"), b.index(0))
        else:
            value = b.apply(name, *(b.load(k, dtype) for k in range(OPS[name].arity)))
    except TypeError:
        return None
    program = b.build(value)
    return program if is_spelled(expand(program)) else None


def dense(program, width=1):
    rows = [(("1",),) * n for n in (program.n_loads, program.n_indices, len(program.outputs))]
    return map_kernel(MapSpec(program, 0, 1, *rows, width=width))


def operations(dtype):
    names = [n for n in OPS if n not in (*random_ops.BY_NAME, "cast") and one_operation(n, dtype)]
    return [(dtype, names[k : k + 16]) for k in range(0, len(names), 16)]


# Every operation with every dtype; architectures come by turns, so each operation meets several.
GROUPS = [
    (ARCHITECTURES[(turn + k) % len(ARCHITECTURES)], *group)
    for turn, dtype in enumerate("?bQfdF")
    for k, group in enumerate(operations(dtype))
]


@pytest.mark.parametrize(
    "architecture, dtype, names",
    GROUPS,
    ids=[f"{major}{minor}-{dtype}-{names[0]}" for (major, minor), dtype, names in GROUPS],
)
def test_operations_compile(compile_ptx, architecture, dtype, names):
    b = ProgramBuilder()
    values = []
    for name in names:
        program, numbers = one_operation(name, dtype), []
        for instr in program.instrs:
            args = tuple(numbers[a] for a in instr.args)
            numbers.append(b.copy(type(instr)(instr.op, args, instr.dtype, instr.imm)))
        values.append(numbers[program.outputs[0]])
    ptx = compile_ptx(dense(b.build(*values)), architecture).decode()
    assert f".target sm_{architecture[0]}{architecture[1]}" in ptx
    assert ".visible .entry gpuscale_kernel(" in ptx


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_casts_and_parameters_compile(compile_ptx, architecture):
    b = ProgramBuilder()
    values = []
    for k, source in enumerate(CHARS):
        x, p = b.load(k, np.dtype(source)), b.param(k, np.dtype(source))
        chosen = b.apply("where", b.cast(x, "?"), x, p)
        values += [b.cast(chosen, np.dtype(target)) for target in CHARS]
    ptx = compile_ptx(dense(b.build(*values)), architecture).decode()
    assert ptx.count("st.global") == len(CHARS) ** 2 + 2 * len(CHARS)  # two parts of complex ones


# The first for all architectures, the others for one by turns: they are made of the same steps.
DRAWS = [
    (name, architecture)
    for k, name in enumerate(random_ops.BY_NAME)
    for architecture in ([ARCHITECTURES[k % len(ARCHITECTURES)]] if k else ARCHITECTURES)
]


@pytest.mark.parametrize("name, architecture", DRAWS)
def test_draws_compile(compile_ptx, name, architecture):
    ptx = compile_ptx(dense(one_operation(name, "d")), architecture)
    assert b"gpuscale_kernel" in ptx and b"fma" not in ptx  # so the bits are those of the CPU


def chain(dtype):
    b = ProgramBuilder()
    x, y = b.load(0, dtype), b.load(1, dtype)
    return b.build(b.apply("add", b.apply("multiply", x, y), y))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype, width", [("f8", 2), ("f4", 4), ("i2", 8)])
def test_neighbours_are_read_and_written_by_accesses_of_16_bytes(
    compile_ptx, architecture, dtype, width
):
    ptx = compile_ptx(dense(chain(np.dtype(dtype)), width), architecture).decode()
    # Of small integers some architectures make two accesses of 8 bytes.
    parts = {"f8": r"v2\.[a-z]64", "f4": r"v4\.[a-z]32", "i2": r"(v4\.[a-z]32|v[48]\.[a-z]16)"}
    for access in ("ld", "st"):
        assert re.search(rf"{access}\.global\.{parts[dtype]}\b", ptx), access


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_products_and_sums_round_one_by_one(compile_ptx, dtype):
    ptx = compile_ptx(dense(chain(np.dtype(dtype))), (9, 0)).decode()
    assert "fma" not in ptx and re.search(r"mul\.rn\.f\d\d", ptx)


def test_ptx_is_the_same_in_every_process_and_stored(compile_ptx, tmp_path):
    from gpuscale.codegen.cache_cuda import ptx_of

    kernel = dense(chain(np.dtype("f8")))
    script = (
        "import sys, pickle; from gpuscale.base import config\n"
        "from gpuscale.codegen.cache_cuda import ptx_of\n"
        "kernel = pickle.loads(bytes.fromhex(sys.argv[2]))\n"
        "config.set({'codegen.cache-dir': sys.argv[1]})\n"
        "ptx_of(kernel, (8, 0)); print('numba' in sys.modules)\n"
    )
    import pickle

    command = [sys.executable, "-c", script, str(tmp_path / "k"), pickle.dumps(kernel).hex()]
    for expected in ("True", "False"):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
    (path,) = (tmp_path / "k").iterdir()
    assert path.name.endswith(".sm_80.ptx")
    with config.set({"codegen.cache-dir": str(tmp_path / "k")}):
        assert ptx_of(kernel, (8, 0)) == compile_ptx(kernel, (8, 0))


@pytest.mark.parametrize("char, architecture", list(zip("?iQfdF", 2 * ARCHITECTURES, strict=True)))
def test_reductions_compile(compile_ptx, architecture, char):
    dtype = np.dtype(char)
    names = tuple(name for name in REDUCTIONS if state_of(name, dtype))
    b = ProgramBuilder()
    program = b.build(*[b.load(0, dtype)] * len(names))
    flat = ("1",) if dtype.kind != "c" else ()
    spec = ReduceSpec(program, 1, 1, (("s", "1"),), (), (), names, ("0", *flat) if flat else ())
    wanted = spec.states
    for whole in (True, False):
        ptx = compile_ptx(
            reduce_kernel(dataclasses.replace(spec, whole=whole)), architecture
        ).decode()
        assert "bar.sync" in ptx and ".shared" in ptx and "atom" not in ptx
    assert b"bar.sync" in compile_ptx(join_kernel(wanted, 256), architecture)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_transposed_operands_compile(compile_ptx, architecture):
    spec = TileSpec(
        chain(np.dtype("f8")), 1, 1, (("s", "1"), ("1", "s")), (), (("s", "1"),), turned=(1,)
    )
    steps = ("s", "1"), ("1", "s")
    folded = ReduceSpec(chain(np.dtype("f8")), 1, 1, steps, (), (), ("moments",), turned=(0,))
    for kernel in (tile_kernel(spec), reduce_kernel(dataclasses.replace(folded, across=False))):
        ptx = compile_ptx(kernel, architecture).decode()
        assert "bar.sync" in ptx and "ld.shared" in ptx and "st.shared" in ptx
