"""Rejection methods as compiled vector loops."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from ...portable_cpu import OPTIONS, build_once, make_compilable, prefer_wide_vectors
from .rejection import Formulas, Method, constants_at, one_block, two_blocks


def keep_constants(constants: Any, source: int, target: int) -> None:
    """Move the constants of one pending element to another place of the table, if there is one."""


# Inlined by Numba: inlined only by LLVM, the view's reference count keeps the loop scalar.
@overload(constants_at, inline="always", strict=False)
def _constants_at(constants: Any, positions: Any) -> Callable[..., Any]:
    if isinstance(constants, types.BaseTuple):
        return lambda constants, positions: constants
    return lambda constants, positions: constants[:, positions]


@overload(keep_constants, jit_options=OPTIONS, strict=False)
def _keep_constants(constants: Any, source: Any, target: Any) -> Callable[..., Any]:
    if isinstance(constants, types.BaseTuple):
        return lambda constants, source, target: None

    def move(constants: Any, source: int, target: int) -> None:
        for row in range(constants.shape[0]):
            constants[row, target] = constants[row, source]

    return move


@build_once
def compiled_formulas(formulas: Formulas) -> Callable[..., Any]:
    """Return `evaluate(inputs)`: a table with the formulas' results for each column of inputs."""
    make_compilable(formulas)

    @njit(error_model="numpy", nogil=True)
    def fill(out: Any, inputs: Any) -> None:
        prefer_wide_vectors()
        for j in range(inputs.shape[1]):
            results = formulas(inputs[:, j])
            for row in range(len(results)):
                out[row, j] = results[row]

    @cache
    def count_results(inputs: int) -> int:
        return len(formulas(np.ones((inputs, 1))))

    def evaluate(inputs: Any) -> Any:
        out = np.empty((count_results(len(inputs)), inputs.shape[1]))
        fill(out, inputs)
        return out

    return evaluate


@build_once
def compiled_loop(method: Method) -> Callable[..., None]:
    """Return `loop(out, key0, key1, index, stage, constants)` for a rejection method.

    Each pass makes one attempt for all pending elements in a branch-free loop, then moves those
    that were refused to the front of the work arrays: read through a list of positions instead,
    the loop would not vectorise, and LLVM gives up beyond a few arrays, hence NaN for a refusal.
    A table of `constants` is overwritten.
    """
    attempt_once, draw_bits = method.attempt, one_block if method.blocks == 1 else two_blocks
    make_compilable(attempt_once)
    make_compilable(draw_bits)

    @njit(error_model="numpy", nogil=True)
    def loop(out: Any, key0: int, key1: int, index: Any, stage: int, constants: Any) -> None:
        prefer_wide_vectors()
        elements, positions = index.copy(), np.arange(out.size)
        values = np.empty(out.size)
        attempt, left, stage_word = np.uint64(0), out.size, np.uint64(stage)
        while left:
            for j in range(left):
                bits = draw_bits(key0, key1, elements[j], attempt, stage_word)
                value, accepted = attempt_once(bits, constants_at(constants, j))
                values[j] = value if accepted else np.nan
            refused = 0
            for j in range(left):
                if values[j] == values[j]:
                    out[positions[j]] = values[j]
                else:
                    elements[refused], positions[refused] = elements[j], positions[j]
                    keep_constants(constants, j, refused)
                    refused += 1
            left = refused
            attempt += np.uint64(1)

    return loop
