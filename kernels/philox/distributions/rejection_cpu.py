"""Rejection methods as compiled vector loops."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from ...portable_cpu import OPTIONS, make_compilable, prefer_wide_vectors
from .rejection import Method, constants_at, one_block, two_blocks


@overload(constants_at, jit_options=OPTIONS)
def _constants_at(constants: Any, positions: Any) -> Callable[..., Any]:
    if isinstance(constants, types.BaseTuple):
        return lambda constants, positions: constants
    return lambda constants, positions: constants[:, positions]


@cache
def compiled_loop(method: Method) -> Callable[..., None]:
    """Return `loop(out, key0, key1, index, stage, constants)` for a rejection method.

    Each pass makes one attempt for all pending elements in a branch-free loop, which vectorises,
    then keeps the list of those that were refused.
    """
    attempt_once, draw_bits = method.attempt, one_block if method.blocks == 1 else two_blocks
    make_compilable(attempt_once)
    make_compilable(draw_bits)

    @njit(error_model="numpy", nogil=True)
    def loop(out: Any, key0: int, key1: int, index: Any, stage: int, constants: Any) -> None:
        prefer_wide_vectors()
        pending = np.arange(out.size)
        values = np.empty(out.size)
        accepted = np.empty(out.size, np.int64)  # as wide as a value: vectors of one length
        attempt, left, stage_word = np.uint64(0), out.size, np.uint64(stage)
        while left:
            for j in range(left):
                at = pending[j]
                bits = draw_bits(key0, key1, index[at], attempt, stage_word)
                values[j], accepted[j] = attempt_once(bits, constants_at(constants, at))
            refused = 0
            for j in range(left):
                at = pending[j]
                if accepted[j]:
                    out[at] = values[j]
                else:
                    pending[refused] = at
                    refused += 1
            left = refused
            attempt += np.uint64(1)

    return loop
