"""Uniform draws inside compiled loops, and whole rows of them at once."""

from typing import Any

import numpy as np
from numba import njit

from ..portable import as_float32, as_float64
from ..portable_cpu import make_compilable, prefer_wide_vectors
from . import rounds, uniform
from .rounds import WORD_BITS
from .uniform import EIGHT, ONE, TWO, UNIT24, UNIT53, ZERO

make_compilable(rounds.mix, rounds.words)
make_compilable(uniform.bits53, uniform.bits53_pair, uniform.bits53_at, uniform.word_at)
make_compilable(uniform.uniform, uniform.open_uniform, uniform.uniform_float32)


@njit(error_model="numpy", nogil=True)
def fill_uniform(out: Any, key0: int, key1: int, start: int) -> None:
    """Write elements start, start + 1, ... of the float64 uniforms to the 1-d array `out`.

    Two elements share one Philox block, which halves the work of calling `uniform` for each.

    Examples
    --------
    >>> row = np.empty(3)
    >>> fill_uniform(row, 0, 0, 0)
    >>> row.round(4)
    array([0.399 , 0.7357, 0.9722])
    """
    prefer_wide_vectors()
    first = min(start & 1, out.size)  # the element before the first whole block
    pairs = (out.size - first) >> 1
    block = np.uint64(start + first) >> ONE
    if first:
        out[0] = uniform.uniform(key0, key1, start)
    body = out[first : first + 2 * pairs]
    for k in range(pairs):
        even, odd = uniform.bits53_pair(key0, key1, block + np.uint64(k))
        body[2 * k] = as_float64(even) * UNIT53
        body[2 * k + 1] = as_float64(odd) * UNIT53
    for k in range(first + 2 * pairs, out.size):
        out[k] = uniform.uniform(key0, key1, start + k)


@njit(error_model="numpy", nogil=True, forceinline=True)
def _adjacent(first: int, second: int) -> Any:
    """Return the bytes of two neighbouring float32 uniforms, made from two words, as one uint64."""
    low = np.float32(as_float32(first >> EIGHT) * UNIT24).view(np.uint32)
    high = np.float32(as_float32(second >> EIGHT) * UNIT24).view(np.uint32)
    return np.uint64(low) | (np.uint64(high) << WORD_BITS)


@njit(error_model="numpy", nogil=True)
def fill_uniform_float32(out: Any, key0: int, key1: int, start: int) -> None:
    """Write elements start, start + 1, ... of the float32 uniforms to the contiguous row `out`.

    Examples
    --------
    >>> row = np.empty(3, np.float32)
    >>> fill_uniform_float32(row, 0, 0, 0)
    >>> row.round(4)
    array([0.399 , 0.8805, 0.7357], dtype=float32)
    """
    prefer_wide_vectors()
    first = min(-start & 3, out.size)  # elements before the first whole block
    quads = (out.size - first) >> 2
    block = np.uint64(start + first) >> TWO
    for k in range(first):
        out[k] = uniform.uniform_float32(key0, key1, start + k)
    # Stored two at a time: LLVM turns stores at stride 4 into shuffles that cost 3 ns per element.
    body = out[first : first + 4 * quads].view(np.uint64)
    for k in range(quads):
        w0, w1, w2, w3 = rounds.words(key0, key1, block + np.uint64(k), ZERO, ZERO)
        body[2 * k] = _adjacent(w0, w1)
        body[2 * k + 1] = _adjacent(w2, w3)
    for k in range(first + 4 * quads, out.size):
        out[k] = uniform.uniform_float32(key0, key1, start + k)
