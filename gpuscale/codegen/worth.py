"""Whether a kernel is worth what it costs to make, or the interpreter does the work sooner."""

from __future__ import annotations

import sys
from functools import lru_cache

from gpuscale.base import config
from gpuscale.codegen import kernel
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import LEAVES, ScalarProgram
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.codegen.spec import KernelSpec

__all__ = ["may_pay", "pays"]

#: What a kernel costs in additions over one element: about a third of a second to compile, and one
#: second more where Numba must be imported; far less where it is on the disk.
COMPILER, NUMBA, LOADER, LLVM = 3e8, 1e9, 1e7, 1e8
#: How much longer a random number takes in the interpreter than in a kernel.
SLOW_DRAW = 15
#: Elements: below, launching a kernel takes longer than interpreting, even where it is at hand.
LAUNCH = 4096

_interpreted: dict[KernelSpec, int] = {}


def may_pay(elements: int) -> bool:
    """Whether to look for a kernel at all, which takes a while itself."""
    if elements >= LAUNCH:
        return True
    return elements > 0 and elements >= config.get("codegen.min-elements")


def pays(spec: KernelSpec, elements: int) -> bool:
    """Whether to launch a kernel: it is at hand, or as much was interpreted as it costs to make."""
    if not config.get("codegen.enabled"):
        return False
    if kernel.is_compiled(spec):
        return True
    return _is_worth_by_now(spec, elements) and kernel.can_compile(spec)


def _is_worth_by_now(spec: KernelSpec, elements: int) -> bool:
    elements += _interpreted.get(spec, 0)
    if _is_worth(spec, elements):
        _interpreted.pop(spec, None)
        return True
    if len(_interpreted) > 10_000:
        _interpreted.clear()
    _interpreted[spec] = elements
    return False


def _is_worth(spec: KernelSpec, elements: int) -> bool:
    threshold = config.get("codegen.min-elements")
    if threshold == 0 or elements < threshold:
        return bool(threshold == 0)
    work = elements * _cost(spec.program, spec.reductions)
    if work >= (COMPILER if "numba" in sys.modules else NUMBA):
        return True
    loader = LOADER if "llvmlite" in sys.modules else LLVM
    return work >= loader and kernel.is_stored(spec)


@lru_cache(maxsize=4096)
def _cost(program: ScalarProgram, reductions: tuple[str, ...]) -> int:
    return (
        1
        + sum(REDUCTIONS[name].cost for name in reductions)
        + sum(
            OPS[i.op].cost * (SLOW_DRAW if i.op.startswith("philox_") else 1)
            for i in program.instrs
            if i.op not in LEAVES
        )
    )
