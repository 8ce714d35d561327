"""The headline computation by hand: ``y = (X + X.T) - X.mean(axis=0)`` with X uniform random.

The best kernel we can write for this one expression, and the mark that generated kernels are
measured against. Nothing of X is stored: two passes over tiles that stay in the second-level
cache, the first for the column means, the second for the statistics of ``y``.

What makes it fast (one core with AVX-512 at 3.3 GHz, nanoseconds per generated double):

* *512-bit vectors*, 1.55 -> 1.05: LLVM prefers 256-bit vectors on server CPUs of this family.
  `wide_vectors` sets the function attribute that says otherwise, for one kernel at a time.
* *four rows side by side*, 1.05 -> 0.85: a round of Philox waits for the round before it (ten
  rounds, 85 cycles), and the scheduler of the CPU looks about a hundred instructions ahead. Four
  independent counters, interleaved round by round in the text, fill that window.
* *two elements from each Philox block*: a loop that takes ``index >> 1`` for each element and keeps
  half of the block costs twice as much.
* *rounds written out ten times*: a loop over the rounds of four counters is too long for LLVM to
  unroll, and what is not unrolled is not vectorized (11 instead of 0.9).
* *counter words 2 and 3 literal zeros*: LLVM then drops one of the twenty multiplications.
* *no interleaved stores*: storing ``out[2 * k], out[2 * k + 1]`` to four rows stops the vectorizer
  (7 instead of 0.9). A row of a tile keeps its even elements first and its odd elements after;
  the rows of a tile are laid out in the same order, so that tile and transposed tile match.
* *8 x 8 doubles transposed in registers* with 24 shuffles; a plain loop gathers.
* *unsigned indices*: signed ones cost a test for negative values on every access.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

TILE = 160  # two tiles of 205 kB fit any second-level cache of 512 kB; divides 20,000 and 100,000
HALF = TILE // 2
U = np.uint64
MASK, S32 = U(0xFFFFFFFF), U(32)
M0, M1 = (
    U(0xD2511F53),
    U(0xCD9E8D57),
)  # Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
W0, W1 = U(0x9E3779B9), U(0xBB67AE85)
ZERO, ONE, FOUR, EIGHT, UTILE, UHALF = U(0), U(1), U(4), U(8), U(TILE), U(HALF)
S5, S6 = U(5), U(6)
BITS_OF_2_25, BITS_OF_HALF = U(0x4180 << 48), U(0x3FE0 << 48)
COMPILE = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": {"contract"}}


@intrinsic
def wide_vectors(typing_context):
    """Let LLVM use 512-bit vectors in the function that calls this; elsewhere it has no effect."""

    def codegen(context, builder, signature, args):
        # set.add: llvmlite checks names against a list that lacks this attribute
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def add_transposed(typing_context, a, r, c, b):
    """``a[r:r+8, c:c+8] += b[c:c+8, r:r+8].T`` for float64, in registers."""

    def codegen(context, builder, signature, args):
        vector = ir.VectorType(ir.DoubleType(), 8)

        def rows(array_type, array, row, column):
            array = context.make_array(array_type)(context, builder, array)
            stride = cgutils.unpack_tuple(builder, array.strides, 2)[0]
            column = builder.mul(column, ir.Constant(column.type, 8))
            start = builder.add(builder.mul(row, stride), column)
            start = builder.add(builder.ptrtoint(array.data, stride.type), start)
            offsets = [builder.mul(stride, ir.Constant(stride.type, k)) for k in range(8)]
            return [builder.inttoptr(builder.add(start, o), vector.as_pointer()) for o in offsets]

        def exchange(values, distance):
            """Swap the off-diagonal blocks of each 2 x 2 arrangement of blocks."""
            low = [k + (8 - distance if k & distance else 0) for k in range(8)]
            high = [k + (8 if k & distance else distance) for k in range(8)]
            out = list(values)
            for k in range(8):
                if not k & distance:
                    pair = values[k], values[k + distance]
                    for target, lanes in ((k, low), (k + distance, high)):
                        lanes = ir.Constant(ir.VectorType(ir.IntType(32), 8), lanes)
                        out[target] = builder.shuffle_vector(*pair, lanes)
            return out

        a, r, c, b = args
        values = [builder.load(p, align=8) for p in rows(signature.args[3], b, c, r)]
        for distance in (1, 2, 4):
            values = exchange(values, distance)
        for pointer, value in zip(rows(signature.args[0], a, r, c), values, strict=True):
            builder.store(builder.fadd(builder.load(pointer, align=8), value), pointer, align=8)
        return context.get_dummy_value()

    return types.none(a, r, c, b), codegen


@njit(inline="always")
def one_round(a, b, c, d, k0, k1):
    p, q = M0 * a, M1 * c
    return (q >> S32) ^ b ^ k0, q & MASK, (p >> S32) ^ d ^ k1, p & MASK


@njit(inline="always")
def four_rounds(w, key, number):
    """Round `number` of four independent Philox counters."""
    k0, k1 = (key[0] + U(number) * W0) & MASK, (key[1] + U(number) * W1) & MASK
    a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3 = w
    a0, b0, c0, d0 = one_round(a0, b0, c0, d0, k0, k1)
    a1, b1, c1, d1 = one_round(a1, b1, c1, d1, k0, k1)
    a2, b2, c2, d2 = one_round(a2, b2, c2, d2, k0, k1)
    a3, b3, c3, d3 = one_round(a3, b3, c3, d3, k0, k1)
    return a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3


@njit(inline="always")
def unit(high, low):
    """The 53-bit fraction; CPUs without AVX-512 turn no uint64 into float64 in vectors (3.3 ns)."""
    upper, lower = (high >> S5) | BITS_OF_2_25, (low >> S6) | BITS_OF_HALF
    return (U(upper).view(np.float64) - 33554432.5) + U(lower).view(np.float64)


@njit(inline="always")
def four_pairs(t0, t1, t2, t3, k, key):
    """Elements 2*(t+k) and 2*(t+k)+1 of the uniform stream, for each of four block numbers t."""
    t0, t1, t2, t3 = t0 + k, t1 + k, t2 + k, t3 + k
    first, second = (t0 & MASK, t0 >> S32, ZERO, ZERO), (t1 & MASK, t1 >> S32, ZERO, ZERO)
    third, fourth = (t2 & MASK, t2 >> S32, ZERO, ZERO), (t3 & MASK, t3 >> S32, ZERO, ZERO)
    w = first + second + third + fourth
    w = four_rounds(four_rounds(four_rounds(w, key, 0), key, 1), key, 2)
    w = four_rounds(four_rounds(four_rounds(w, key, 3), key, 4), key, 5)
    w = four_rounds(four_rounds(four_rounds(w, key, 6), key, 7), key, 8)
    a0, b0, c0, d0, a1, b1, c1, d1, a2, b2, c2, d2, a3, b3, c3, d3 = four_rounds(w, key, 9)
    return (unit(a0, b0), unit(c0, d0), unit(a1, b1), unit(c1, d1),
            unit(a2, b2), unit(c2, d2), unit(a3, b3), unit(c3, d3))  # fmt: skip


@njit(**COMPILE)
def fill_tile(out, i0, j0, n, key):
    """``out = X[i0:i0+TILE, j0:j0+TILE]``, even rows and columns first, odd ones after."""
    wide_vectors()
    for r in range(ZERO, UTILE, FOUR):
        t = ((i0 + r) * n + j0) >> ONE
        even0, odd0 = out[r >> ONE], out[(r >> ONE) + UHALF]
        even1, odd1 = out[(r >> ONE) + ONE], out[(r >> ONE) + UHALF + ONE]
        for k in range(UHALF):
            u = four_pairs(t, t + (n >> ONE), t + n, t + n + (n >> ONE), k, key)
            even0[k], even0[UHALF + k], odd0[k], odd0[UHALF + k] = u[0], u[1], u[2], u[3]
            even1[k], even1[UHALF + k], odd1[k], odd1[UHALF + k] = u[4], u[5], u[6], u[7]


@njit(**COMPILE)
def add_column_sums(sums, i0, n, key):
    """Add rows i0 to i0+TILE of X to `sums`, whose tiles hold even columns first."""
    wide_vectors()
    for j0 in range(ZERO, n, UTILE):
        even, odd = sums[j0 : j0 + UHALF], sums[j0 + UHALF : j0 + UTILE]
        for r in range(ZERO, UTILE, FOUR):
            t = ((i0 + r) * n + j0) >> ONE
            for k in range(UHALF):
                u = four_pairs(t, t + (n >> ONE), t + n, t + n + (n >> ONE), k, key)
                even[k] += (u[0] + u[2]) + (u[4] + u[6])
                odd[k] += (u[1] + u[3]) + (u[5] + u[7])


@njit(**COMPILE)
def tile_columns(s, r, means, shift, s1, s2):
    """Sums and sums of squares of ``s - means - shift`` over rows r to r+8, for each column."""
    wide_vectors()
    for c in range(UTILE):
        total, squares = 0.0, 0.0
        for k in range(EIGHT):
            d = (s[r + k, c] - means[c]) - shift[c]
            total += d
            squares += d * d
        s1[c] += total
        s2[c] += squares


@njit(**COMPILE | {"fastmath": {"contract", "reassoc"}})
def tile_rows(s, r, means, shift, s1, s2):
    """The same for rows r to r+8 over all columns: the columns of the transposed tile."""
    wide_vectors()
    for k in range(r, r + EIGHT):
        mean, start = means[k], s[k, ZERO] - means[k]
        total, squares = 0.0, 0.0
        for c in range(UTILE):
            d = (s[k, c] - mean) - start
            total += d
            squares += d * d
        shift[k], s1[k], s2[k] = start, total, squares


@njit(**COMPILE)
def merge(tile_count, mean, m2, shift, s1, s2):
    """Add a tile's moments to running ones (Chan, Golub and LeVeque 1983)."""
    wide_vectors()
    count = float(TILE)
    weight = 1.0 / (tile_count + 1.0)
    for c in range(UTILE):
        delta = (shift[c] + s1[c] / count) - mean[c]
        mean[c] += delta * weight
        m2[c] += (s2[c] - s1[c] * s1[c] / count) + delta * delta * (count * tile_count * weight)


@njit(**COMPILE)
def add_stripe(i, n, paired, key, means, work, counts, mean, m2):
    """Add tiles (i, j) of y to the column moments; `paired`: (i, j) and (j, i) for j >= i."""
    a, b = work[0], work[1]
    shift, s1, s2 = work[2, 0], work[2, 1], work[2, 2]
    i0, first = i * UTILE, i if paired else ZERO
    for j in range(first, n // UTILE):
        j0 = j * UTILE
        fill_tile(a, i0, j0, n, key)
        fill_tile(b, j0, i0, n, key)
        across, down = slice(j0, j0 + UTILE), slice(i0, i0 + UTILE)
        s1[:], s2[:] = 0.0, 0.0
        rows = work[3]
        for r in range(ZERO, UTILE, EIGHT):
            for c in range(ZERO, UTILE, EIGHT):
                add_transposed(a, r, c, b)
            if r == ZERO:
                shift[:] = a[ZERO] - means[across]
            tile_columns(a, r, means[across], shift, s1, s2)
            if paired and j > i:
                tile_rows(a, r, means[down], rows[0], rows[1], rows[2])
        merge(counts[j], mean[across], m2[across], shift, s1, s2)
        counts[j] += 1.0
        if paired and j > i:
            merge(counts[i], mean[down], m2[down], rows[0], rows[1], rows[2])
            counts[i] += 1.0


def over_stripes(n: int, threads: int, kernel: Callable, make_state: Callable) -> list:
    """Call ``kernel(stripe, *state)`` for every stripe of tiles; return every state."""
    stripes = iter(range(n // TILE))  # shared: whoever is free takes the next

    def worker() -> tuple:
        state = make_state()
        for i in stripes:
            kernel(U(i), *state)
        return state

    with ThreadPoolExecutor(threads) as pool:
        return [f.result() for f in [pool.submit(worker) for _ in range(threads)]]


def key_of(seed: int) -> tuple[np.uint64, np.uint64]:
    """The two 32-bit words that a 64-bit seed consists of."""
    return U(seed & 0xFFFFFFFF), U(seed >> 32)


def column_moments(n: int, seed: int = 0, paired: bool = True, threads: int = 2) -> np.ndarray:
    """Mean and sum of squared deviations of each column of y, shape (2, n)."""
    if n % TILE:
        raise ValueError(f"the hand-written kernel takes multiples of {TILE}, got n={n}")
    key = key_of(seed)

    def sums_kernel(i, sums):
        add_column_sums(sums, i * UTILE, U(n), key)

    partial = over_stripes(n, threads, sums_kernel, lambda: (np.zeros(n),))
    means = sum(sums for (sums,) in partial) / n

    def moments_kernel(i, work, counts, mean, m2):
        add_stripe(i, U(n), paired, key, means, work, counts, mean, m2)

    def moments_state():
        return np.zeros((4, TILE, TILE)), np.zeros(n // TILE), np.zeros(n), np.zeros(n)

    (_, count, mean, m2), *others = over_stripes(n, threads, moments_kernel, moments_state)
    count = np.repeat(count, TILE) * TILE
    for _, other_count, other_mean, other_m2 in others:
        other_count = np.repeat(other_count, TILE) * TILE
        total = np.maximum(count + other_count, 1)
        delta = other_mean - mean
        mean = mean + delta * other_count / total
        m2 = m2 + other_m2 + delta**2 * count * other_count / total
        count = total
    return np.stack([mean, m2]).reshape(2, -1, 2, HALF).swapaxes(2, 3).reshape(2, n)


def total(n: int, seed: int = 0, paired: bool = True, threads: int = 2) -> float:
    """``y.sum()`` for X of shape (n, n)."""
    return float(column_moments(n, seed, paired, threads)[0].sum() * n)


def deviations(n: int, seed: int = 0, paired: bool = True, threads: int = 2) -> np.ndarray:
    """``y.std(axis=0)`` for X of shape (n, n)."""
    return np.sqrt(column_moments(n, seed, paired, threads)[1] / n)
