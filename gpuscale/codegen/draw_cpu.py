"""Draw several rows of random numbers; uniform ones with explicit vectors.

LLVM vectorizes a loop over Philox blocks, but one block after the other: each of the ten rounds
waits for the one before, and a processor looks ahead only a hundred instructions or so. Here four
rows, eight blocks of each, go through the rounds side by side (0.9 instead of 1.6 ns for a double
with AVX-512), and even and odd elements are interleaved by shuffles before the store.
The bits are those of `gpuscale.kernels.philox.uniform`.

Imports numba: only generated kernels import this module.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from gpuscale.codegen.intrinsics import in_kernel, moved
from gpuscale.kernels.elementary import fractions
from gpuscale.kernels.philox import rounds, uniform
from gpuscale.kernels.philox import uniform_cpu as _compilable  # noqa: F401  registers uniform

__all__ = ["each_row", "uniform_rows"]

LANES = 8
WORD, DOUBLE = ir.IntType(64), ir.DoubleType()
WORDS, DOUBLES = ir.VectorType(WORD, LANES), ir.VectorType(DOUBLE, LANES)
INDICES = ir.VectorType(ir.IntType(32), LANES)
LOW = int(rounds.LOW_WORD)


# Lane k draws block BLOCKS[k]: with blocks 0 and 4 side by side, even and odd elements are put in
# turn without crossing the halves of a vector.
BLOCKS = [k // 2 + k % 2 * (LANES // 2) for k in range(LANES)]


def _constant(value: int) -> Any:
    return ir.Constant(WORDS, [value] * LANES)


def _splat(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(WORDS, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(INDICES, [0] * LANES))


def _word(builder: Any, value: Any) -> Any:
    return builder.and_(value, _constant(LOW))


def _round(builder: Any, counters: list[Any], key0: Any, key1: Any) -> list[Any]:
    """One round; the upper halves of the words hold rubbish, which a product never looks at."""
    c0, c1, c2, c3 = counters
    half = _constant(32)
    product0 = builder.mul(_constant(int(rounds.MULTIPLIER_0)), _word(builder, c0))
    product1 = builder.mul(_constant(int(rounds.MULTIPLIER_1)), _word(builder, c2))
    return [
        builder.xor(builder.lshr(product1, half), builder.xor(c1, key0)),
        product1,
        builder.xor(builder.lshr(product0, half), builder.xor(c3, key1)),
        product0,
    ]


def _unit(builder: Any, high: Any, low: Any) -> Any:
    """Doubles in [0, 1) of the upper 27 and 26 bits of two words, as `fractions.unit53`."""
    upper = builder.lshr(_word(builder, high), _constant(5))
    lower = builder.lshr(_word(builder, low), _constant(6))
    upper = builder.or_(upper, _constant(int(fractions.BITS_OF_UPPER)))
    lower = builder.or_(lower, _constant(int(fractions.BITS_OF_LOWER)))
    both = ir.Constant(DOUBLES, [fractions.UPPER_AND_LOWER] * LANES)
    upper = builder.fsub(builder.bitcast(upper, DOUBLES), both)
    return builder.fadd(upper, builder.bitcast(lower, DOUBLES))


def _store_pairs(builder: Any, out: Any, even: Any, odd: Any) -> None:
    for half in (0, LANES // 2):
        order = [BLOCKS.index(half + k // 2) + k % 2 * LANES for k in range(LANES)]
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
            blocks = builder.add(_splat(builder, first), ir.Constant(WORDS, BLOCKS))
            high = builder.lshr(blocks, _constant(32))
            states.append([blocks, high, _constant(0), _constant(0)])
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


@in_kernel
def uniform_rows(
    out: Any, out_step: int, start: int, step: int, rows: int, size: int, key0: int, key1: int
) -> None:
    """Write the uniforms start + i * step + k to ``out[i * out_step + k]``, k < size.

    Four rows are drawn together if their starts are all even or all odd, a block holding two
    elements: every other row, where starts alternate. A row left over is drawn as four rows that
    follow each other. One text for both cases: it is long, and compiled wherever it stands.
    """
    apart = 1 + (step & 1)
    grouped = rows - rows % (ROWS * apart)
    i = 0
    while i < rows:
        first = start + i * step
        head = min(first & 1, size)  # the element before the first whole block
        if i < grouped:
            together, row_step, between, advance = ROWS, apart * out_step, apart * step, CHUNK
        else:
            together, row_step, between, advance = 1, CHUNK, CHUNK, ROWS * CHUNK
        done = head
        while done + advance <= size:
            block, apart_blocks = np.uint64(first + done) >> np.uint64(1), np.uint64(between >> 1)
            to = moved(out, i * out_step + done)
            _draw_chunks(to, row_step, block, apart_blocks, np.uint64(key0), np.uint64(key1))
            done += advance
        for row in range(together):
            for rest in range(head + size - done):
                k = rest if rest < head else done + rest - head
                value = uniform.uniform(key0, key1, first + row * between + k)
                moved(out, i * out_step + row * row_step)[k] = value
        # The next group: after the odd rows of this one, or between its even rows.
        i += 1 if i >= grouped or (apart == 2 and i % (2 * ROWS) == 0) else ROWS * apart - apart + 1


def each_row(fill: Any) -> Any:
    """Make a function like `uniform_rows` from one that fills a dense vector."""

    @in_kernel
    def fill_rows(
        out: Any, out_step: int, start: int, step: int, rows: int, size: int, key0: int, key1: int
    ) -> None:
        for i in range(rows):
            fill(carray(moved(out, i * out_step), size), key0, key1, start + i * step)

    return fill_rows
