"""Compile kernels when they are wanted first, and launch them."""

from __future__ import annotations

import ctypes
import math
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from gpuscale.base.errors import KernelWarning
from gpuscale.codegen.cache import compile_kernel
from gpuscale.codegen.cache import is_stored as stored_on_disk
from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.helpers import Helper
from gpuscale.codegen.plan import Plan
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.target_cpu import kernel_source
from gpuscale.codegen.text_cpu import SLOT

__all__ = [
    "address",
    "bases_of",
    "can_compile",
    "compile_spec",
    "finished",
    "is_compiled",
    "is_stored",
    "launch",
    "launch_map",
    "launch_reduce",
    "new_totals",
]

_compiled: dict[KernelSpec, Compiled] = {}
_compiling: dict[KernelSpec, threading.Lock] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Compiled:
    """A kernel at hand: how to call it, and the addresses of what it calls."""

    run: Callable[[int, int, int], int]
    helpers: tuple[int, ...]


def compile_spec(spec: KernelSpec) -> Compiled:
    """Return the compiled kernel; the first thread compiles, others wait for it."""
    kernel = _compiled.get(spec)
    if kernel is None:
        with _guard:
            lock = _compiling.setdefault(spec, threading.Lock())
        with lock:
            kernel = _compiled.get(spec)
            if kernel is None:
                helpers = tuple(_helper_address(helper) for helper in spec.helpers)
                address = compile_kernel(kernel_source(spec))
                run = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 3)(address)
                kernel = _compiled[spec] = Compiled(run, helpers)
    return kernel


_failed: set[KernelSpec] = set()


def can_compile(spec: KernelSpec) -> bool:
    """Compile a kernel if it is not at hand; warn, once, if the compiler refuses it."""
    if spec in _failed:
        return False
    try:
        compile_spec(spec)
    except Exception as error:
        _failed.add(spec)
        warnings.warn(
            f"a kernel of {', '.join(i.op for i in spec.program.instrs)} cannot be compiled and is "
            f"interpreted, which is slower; please report it ({type(error).__name__}: {error})",
            KernelWarning,
            stacklevel=2,
        )
        return False
    return True


@cache
def _helper_address(helper: Helper) -> int:
    return compile_kernel(helper.source())


def is_compiled(spec: KernelSpec) -> bool:
    """Whether the kernel is at hand in this process."""
    return spec in _compiled


@lru_cache(maxsize=4096)
def is_stored(spec: KernelSpec) -> bool:
    """Whether the kernel was on the disk when this was asked first."""
    return stored_on_disk(kernel_source(spec))


_memory = threading.local()


def _scratch(size: int) -> Any:
    """Buffers of this thread, kept from launch to launch: fresh memory costs page faults."""
    area = getattr(_memory, "area", None)
    if area is None or area.size < size + 64:
        area = _memory.area = np.empty(size + 64, dtype=np.uint8)
    return area


def launch(plan: Plan, bases: Sequence[int], totals: Sequence[Any], params: Sequence[Any]) -> None:
    """Run a kernel.

    Parameters
    ----------
    plan : Plan
    bases : sequence of int
        Address or value of each operand at the origin.
    totals : sequence of arrays
        Accumulators.
    params : sequence of scalars
    """
    spec = plan.spec
    g, unused = plan.geometry.copy(), np.zeros(2, dtype=np.int64)
    area = _scratch(plan.scratch)
    scalars = _scalars(spec.program, params)
    g[HEADER.index("scratch")] = -(-address(area) // 64) * 64
    g[HEADER.index("scalars")] = address(scalars)
    first, fields = len(HEADER), len(OPERAND)
    g[first : first + fields * len(bases) : fields] = bases
    g[spec.totals_at : spec.totals_at + len(totals)] = [address(t) for t in totals]
    kernel = compile_spec(spec)
    g[spec.helpers_at : spec.outer_at] = kernel.helpers
    g[HEADER.index("self")] = address(g)
    kernel.run(address(unused), address(unused), address(g))


def _scalars(program: ScalarProgram, params: Sequence[Any]) -> Any:
    """Parameters, then constants, each in a slot of its own."""
    constants = [i for i in program.instrs if i.op == "const"]
    slots = np.zeros((program.n_params + len(constants), SLOT), dtype=np.uint8)
    for instr in program.instrs:
        if instr.op == "param":
            k = instr.imm[0]
            slots[k, : instr.dtype.itemsize].view(instr.dtype)[0] = params[k]
    for k, instr in enumerate(constants, program.n_params):
        slots[k, : instr.dtype.itemsize].view(instr.dtype)[0] = instr.imm[0]
    return slots


def address(array: Any) -> int:
    """Address of the first element."""
    at: int = array.__array_interface__["data"][0]
    return at


def launch_map(
    plan: Plan,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    out: Sequence[Any] | None,
) -> tuple[Any, ...]:
    """Run the kernel of a map."""
    if out is None:
        memory = [shape[a] for a in plan.order]
        back = np.argsort(plan.order)
        dtypes = plan.spec.program.dtypes
        out = [np.empty(memory, dtype).transpose(back) for dtype in dtypes]
    bases = [*map(address, arrays), *(i.base for i in indices), *map(address, out)]
    launch(plan, bases, (), params)
    return tuple(out)


def launch_reduce(
    plan: Plan,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
) -> tuple[Any, ...]:
    """Run the kernel of a reduction."""
    totals = new_totals(plan.spec, shape, axes)
    launch(plan, bases_of(plan.spec, arrays, indices), [t for each in totals for t in each], params)
    return finished(plan.spec, totals, shape, axes)


def bases_of(spec: KernelSpec, arrays: Sequence[Any], indices: Sequence[AffineIndex]) -> list[int]:
    """Where the operands of a reduction begin; position and accumulators begin at 0."""
    return [*map(address, arrays), *(i.base for i in indices), *[0] * spec.wants_position, 0]


def new_totals(spec: KernelSpec, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[list[Any]]:
    """Accumulators of each reduction, with nothing in them yet."""
    keep = tuple(1 if a in axes else n for a, n in enumerate(shape))
    return [
        [np.full(keep, start, dtype) for dtype, start in accumulator.totals]
        for accumulator in spec.accumulators
    ]


def finished(
    spec: KernelSpec, totals: list[list[Any]], shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[Any, ...]:
    """Partial results of all reductions from their accumulators."""
    count = math.prod(shape[a] for a in axes)
    with np.errstate(all="ignore"):
        parts = [
            accumulator.finish(each, count)
            for accumulator, each in zip(spec.accumulators, totals, strict=True)
        ]
    return tuple(array for part in parts for array in part)
