"""Whether a kernel is worth what it costs to make, or the interpreter does the work sooner."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from functools import lru_cache

from gpuscale.base import config
from gpuscale.codegen import kernel
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import LEAVES, ScalarProgram
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.codegen.spec import KernelSpec

__all__ = ["is_worth_by_now", "may_pay", "pays"]

#: What a kernel costs in additions over one element: about a third of a second to compile, and one
#: second more where Numba must be imported; far less where it is on the disk.
COMPILER, NUMBA, LOADER, LLVM = 3e8, 1e9, 1e7, 1e8
#: How much longer a random number takes in the interpreter than in a kernel.
SLOW_DRAW = 15
#: Elements: below, launching a kernel takes longer than interpreting, even where it is at hand.
LAUNCH = 4096

_interpreted: dict[Hashable, int] = {}


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
    cost = _cost(spec.program, spec.reductions)
    is_worth = is_worth_by_now(spec, elements, cost, lambda: kernel.is_stored(spec))
    return is_worth and kernel.can_compile(spec)


def is_worth_by_now(
    kernel: Hashable, elements: int, cost: int, is_stored: Callable[[], bool]
) -> bool:
    """Whether as much was done without a kernel as it costs to make.

    Parameters
    ----------
    kernel : hashable
        What stands for the kernel in the sums of what was done.
    elements : int
        How many there are now.
    cost : int
        Additions that are as much work as one element.
    is_stored : callable
        Whether the kernel is on the disk; only asked where that would decide.
    """
    elements += _interpreted.get(kernel, 0)
    if _is_worth(elements, cost, is_stored):
        _interpreted.pop(kernel, None)
        return True
    if len(_interpreted) > 10_000:
        _interpreted.clear()
    _interpreted[kernel] = elements
    return False


def _is_worth(elements: int, cost: int, is_stored: Callable[[], bool]) -> bool:
    threshold = config.get("codegen.min-elements")
    if threshold == 0 or elements < threshold:
        return bool(threshold == 0)
    work = elements * cost
    if work >= (COMPILER if "numba" in sys.modules else NUMBA):
        return True
    return work >= (LOADER if "llvmlite" in sys.modules else LLVM) and is_stored()


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
