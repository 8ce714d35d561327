"""Draw several rows of random numbers; uniform ones with explicit vectors.

LLVM vectorizes a loop over Philox blocks, but one block after the other: each of the ten rounds
waits for the one before, and a processor looks ahead only a hundred instructions or so. Here four
rows, eight blocks of each, go through the rounds side by side (0.9 instead of 1.6 ns for a
double with AVX-512), and even and odd elements are interleaved by shuffles before the store.
The bits are those of `gpuscale.kernels.philox.uniform`.

Imports numba: only generated kernels import this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic, register_jitable

from gpuscale.codegen.intrinsics import moved
from gpuscale.kernels.philox import rounds, uniform
from gpuscale.kernels.philox import uniform_cpu as _compilable  # noqa: F401  registers uniform

__all__ = ["each_row", "uniform_rows"]

LANES = 8
WORD, DOUBLE = ir.IntType(64), ir.DoubleType()
WORDS, DOUBLES = ir.VectorType(WORD, LANES), ir.VectorType(DOUBLE, LANES)
INDICES = ir.VectorType(ir.IntType(32), LANES)
LOW = int(rounds.LOW_WORD)


def _constant(value: int) -> Any:
    return ir.Constant(WORDS, [value] * LANES)


def _splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(WORDS, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(INDICES, [0] * LANES))


def _round(builder: Any, counters: list[Any], key0: Any, key1: Any) -> list[Any]:
    c0, c1, c2, c3 = counters
    low, half = _constant(LOW), _constant(32)
    product0 = builder.mul(_constant(int(rounds.MULTIPLIER_0)), c0)
    product1 = builder.mul(_constant(int(rounds.MULTIPLIER_1)), c2)
    return [
        builder.xor(builder.xor(builder.lshr(product1, half), c1), key0),
        builder.and_(product1, low),
        builder.xor(builder.xor(builder.lshr(product0, half), c3), key1),
        builder.and_(product0, low),
    ]


def _unit(builder: Any, high: Any, low: Any) -> Any:
    """Doubles in [0, 1) of the upper 27 and 26 bits of two words."""
    upper = builder.shl(builder.lshr(high, _constant(5)), _constant(26))
    bits = builder.or_(upper, builder.lshr(low, _constant(6)))
    scale = ir.Constant(DOUBLES, [uniform.UNIT53] * LANES)
    return builder.fmul(builder.uitofp(bits, DOUBLES), scale)


def _store_pairs(builder: Any, out: Any, even: Any, odd: Any) -> None:
    for half in (0, LANES // 2):
        order = [half + k // 2 + k % 2 * LANES for k in range(LANES)]
        value = builder.shuffle_vector(even, odd, ir.Constant(INDICES, order))
        at = builder.gep(out, [ir.Constant(WORD, 2 * half)])
        builder.store(value, builder.bitcast(at, DOUBLES.as_pointer()), align=8)


ROWS, CHUNK = 4, 2 * LANES  # what one call draws: rows, and elements of each


@intrinsic
def _draw_chunks(
    typing_context: Any, out: Any, out_step: Any, block: Any, block_step: Any, key0: Any, key1: Any
) -> Any:
    """Draw `CHUNK` elements of `ROWS` rows, which lie ``out_step`` elements apart."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out, out_step, block, block_step, key0, key1 = args
        states = []
        for k in range(ROWS):
            first = builder.add(block, builder.mul(block_step, ir.Constant(WORD, k)))
            lanes = ir.Constant(WORDS, list(range(LANES)))
            blocks = builder.add(_splat(builder, first), lanes)
            low, high = builder.and_(blocks, _constant(LOW)), builder.lshr(blocks, _constant(32))
            states.append([low, high, _constant(0), _constant(0)])
        for _ in range(rounds.ROUNDS):
            wide0, wide1 = _splat(builder, key0), _splat(builder, key1)
            states = [_round(builder, state, wide0, wide1) for state in states]
            low = ir.Constant(WORD, LOW)
            key0 = builder.and_(builder.add(key0, ir.Constant(WORD, int(rounds.KEY_STEP_0))), low)
            key1 = builder.and_(builder.add(key1, ir.Constant(WORD, int(rounds.KEY_STEP_1))), low)
        for k, (w0, w1, w2, w3) in enumerate(states):
            row = builder.gep(out, [builder.mul(out_step, ir.Constant(WORD, k))])
            _store_pairs(builder, row, _unit(builder, w0, w1), _unit(builder, w2, w3))
        return context.get_dummy_value()

    words = types.uint64, types.uint64, types.uint64, types.uint64
    return types.void(out, types.intp, *words), codegen


@register_jitable
def _four_rows(
    out: Any, out_step: int, start: int, step: int, size: int, key0: int, key1: int
) -> None:
    """Draw four rows whose starts are all even or all odd: a block holds two elements."""
    k0, k1, one = np.uint64(key0), np.uint64(key1), np.uint64(1)
    at = start & 1  # the element before the first whole block
    while at + CHUNK <= size:
        block = np.uint64(start + at) >> one
        _draw_chunks(moved(out, at), out_step, block, np.uint64(step >> 1), k0, k1)
        at += CHUNK
    for row in range(ROWS):
        first = start + row * step
        for k in range(min(start & 1, size)):
            out[row * out_step] = uniform.uniform(key0, key1, first + k)
        for k in range(at, size):
            out[row * out_step + k] = uniform.uniform(key0, key1, first + k)


@register_jitable
def uniform_rows(
    out: Any, out_step: int, start: int, step: int, rows: int, size: int, key0: int, key1: int
) -> None:
    """Write the uniforms start + i * step + k to ``out[i * out_step + k]``, k < size.

    Where starts alternate between even and odd, every other row is taken together.
    """
    apart = 1 + (step & 1)
    whole = rows - rows % (ROWS * apart)
    for first in range(0, whole, ROWS * apart):
        for k in range(first, first + apart):
            _four_rows(moved(out, k * out_step), apart * out_step, start + k * step,
                       apart * step, size, key0, key1)  # fmt: skip
    for i in range(whole, rows):
        _one_row(moved(out, i * out_step), start + i * step, size, key0, key1)


@register_jitable
def _one_row(out: Any, start: int, size: int, key0: int, key1: int) -> None:
    """Draw a row as four rows that follow each other, as far as it goes."""
    at = min(start & 1, size)
    if at:
        out[0] = uniform.uniform(key0, key1, start)
    k0, k1, one = np.uint64(key0), np.uint64(key1), np.uint64(1)
    while at + ROWS * CHUNK <= size:
        block = np.uint64(start + at) >> one
        _draw_chunks(moved(out, at), CHUNK, block, np.uint64(LANES), k0, k1)
        at += ROWS * CHUNK
    for k in range(at, size):
        out[k] = uniform.uniform(key0, key1, start + k)


def each_row(fill: Any) -> Any:
    """Make a function like `uniform_rows` from one that fills a dense vector."""

    @register_jitable
    def fill_rows(
        out: Any, out_step: int, start: int, step: int, rows: int, size: int, key0: int, key1: int
    ) -> None:
        for i in range(rows):
            fill(carray(moved(out, i * out_step), size), key0, key1, start + i * step)

    return fill_rows
