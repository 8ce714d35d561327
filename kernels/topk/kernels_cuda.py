"""The texts of the kernels that select; `topk_cuda.py` says what each is launched for."""

from typing import Any

import numpy as np
from numba import cuda, from_dtype

from ..blocks_cuda import prefix_sums

__all__ = ["build_count_digits", "build_pick_digit", "build_count_better", "build_take"]

_LONG, _INT = from_dtype(np.dtype(np.int64)), from_dtype(np.dtype(np.int32))
_WORD = from_dtype(np.dtype(np.uint64))
_ZERO, _DIGIT = np.uint64(0), np.uint64(255)

_BETTER = 32  # one sum of 64 bits counts better elements above these bits, and equal ones below
_ONE_BETTER = 1 << _BETTER


@cuda.jit(device=True, inline="always")
def _key(bits: Any, kind: int, is_flipped: bool, sign: Any, full: Any, infinity: Any) -> Any:
    """Return an unsigned integer that is the larger, the better the element with these bits is."""
    key = _WORD(bits)
    if kind == 1:
        key = key ^ sign
    elif kind == 2:
        magnitude = key & (full ^ sign)
        if magnitude > infinity:  # NaN
            key = full
        elif magnitude == _ZERO:  # both zeros
            key = sign
        elif key >= sign:  # negative
            key = full ^ key
        else:
            key = key | sign
    if is_flipped:
        key = full ^ key
    return key


@cuda.jit(device=True, inline="always")
def _counted(key: Any, last: Any) -> int:
    """Return what an element adds to the sum of better and equal ones."""
    own = 0
    if key > last:
        own = _ONE_BETTER
    elif key == last:
        own = 1
    return own


def _typed(order: Any) -> tuple[Any, ...]:
    kind, is_flipped, *words = order
    return "uif".index(kind), is_flipped, *map(np.uint64, words)


def build_count_digits(order: Any, threads: int) -> Any:
    """Build what counts the next digits of keys."""
    kind, is_flipped, sign, full, infinity = _typed(order)

    def count_digits(
        bits: Any,
        last: Any,
        digits: Any,
        shift: int,
        rows: int,
        length: int,
        segments: int,
        size: int,
    ) -> None:
        """Count the next digits of the keys in a segment that begin as the last one does."""
        own = cuda.shared.array(256, _INT)
        shift_word, byte = _WORD(shift), _WORD(8)
        for job in range(cuda.blockIdx.x, rows * segments, cuda.gridDim.x):
            row = job // segments
            start = (job - row * segments) * size
            known = last[row] >> shift_word >> byte  # two steps: none shifts by all 64 bits
            for k in range(cuda.threadIdx.x, 256, threads):
                own[k] = 0
            cuda.syncthreads()
            for k in range(start + cuda.threadIdx.x, min(start + size, length), threads):
                word = bits[row * length + k]
                rest = _key(word, kind, is_flipped, sign, full, infinity) >> shift_word
                if rest >> byte == known:
                    cuda.atomic.add(own, _LONG(rest & _DIGIT), 1)
            cuda.syncthreads()
            for k in range(cuda.threadIdx.x, 256, threads):
                if own[k] > 0:
                    cuda.atomic.add(digits, row * 256 + k, own[k])
            cuda.syncthreads()

    return count_digits


def build_pick_digit() -> Any:
    """Build what picks the digit of the last one chosen."""

    def pick_digit(digits: Any, last: Any, left: Any, rows: int, shift: int, k: int) -> None:
        """Find the digit of the last one, and how many are still wanted; a thread for each row."""
        for row in range(cuda.grid(1), rows, cuda.gridsize(1)):
            wanted = left[row]
            if wanted == 0:  # in the first round; afterwards the last one itself is wanted
                wanted = _LONG(k)
            digit = 255
            while digits[row * 256 + digit] < wanted:
                wanted -= digits[row * 256 + digit]
                digit -= 1
            last[row] = last[row] | (_WORD(digit) << _WORD(shift))
            left[row] = wanted
            for each in range(256):
                digits[row * 256 + each] = 0

    return pick_digit


def build_count_better(order: Any, threads: int) -> Any:
    """Build what counts in segments how many are better and how many equal."""
    kind, is_flipped, sign, full, infinity = _typed(order)

    def count_better(
        bits: Any, last: Any, counts: Any, rows: int, length: int, segments: int, size: int
    ) -> None:
        """Count what is better than the last one, and what equals it, in a segment."""
        partial = cuda.shared.array(threads, _LONG)
        thread = cuda.threadIdx.x
        for job in range(cuda.blockIdx.x, rows * segments, cuda.gridDim.x):
            row = job // segments
            start = (job - row * segments) * size
            own = 0
            for k in range(start + thread, min(start + size, length), threads):
                key = _key(bits[row * length + k], kind, is_flipped, sign, full, infinity)
                own += _counted(key, last[row])
            partial[thread] = own
            prefix_sums(partial, threads)
            if thread == threads - 1:
                counts[job] = partial[thread]
            cuda.syncthreads()

    return count_better


def build_take(order: Any, threads: int) -> Any:
    """Build what writes the chosen ones and their positions."""
    kind, is_flipped, sign, full, infinity = _typed(order)
    better, below = _BETTER, _ONE_BETTER - 1

    def take_best(
        bits: Any,
        last: Any,
        left: Any,
        before: Any,
        chosen: Any,
        places: Any,
        best: int,
        rows: int,
        length: int,
        segments: int,
        size: int,
    ) -> None:
        """Write what is chosen of a segment after all that come before, a block for each."""
        sums = cuda.shared.array(threads, _LONG)
        thread = cuda.threadIdx.x
        for job in range(cuda.blockIdx.x, rows * segments, cuda.gridDim.x):
            row = job // segments
            begin = (job - row * segments) * size
            end = min(begin + size, length)
            at = before[job]
            for start in range(begin, end, threads):
                own = 0
                k = min(start + thread, length - 1)
                word = bits[row * length + k]
                key = _key(word, kind, is_flipped, sign, full, infinity)
                if start + thread < end:
                    own = _counted(key, last[row])
                sums[thread] = own
                prefix_sums(sums, threads)
                total = at + sums[thread]
                slot = -1
                if own > 1:
                    slot = (total >> better) - 1
                elif own == 1 and (total & below) <= left[row]:
                    slot = best - left[row] + (total & below) - 1
                if slot >= 0:
                    chosen[row * best + slot] = word
                    places[row * best + slot] = k
                at += sums[threads - 1]
                cuda.syncthreads()

    return take_best
