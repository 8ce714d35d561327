"""The best elements of rows: which, where, and which of equal ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..cuda_harness import needs_numba_cuda

DTYPES = [np.int8, np.uint8, np.int64, np.uint64, np.float16, np.float32, np.float64]


def draw(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        values = rng.standard_normal(shape).round(seed % 3).astype(dtype)
        special = [np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0]
        values[rng.random(shape) < 0.2] = special[seed % len(special)]
        return values
    limits = np.iinfo(dtype)
    spread = 9 if seed % 2 else limits.max
    values = rng.integers(max(limits.min, -spread), spread, shape, dtype)
    values[rng.random(shape) < 0.1] = limits.min
    return values


def oracle(row, k, largest):
    """Sort by (value, position): a stable sort of the negated ranks where the largest are asked."""
    rank = np.unique(row, return_inverse=True)[1]  # NaN is the last of all, and one value
    best = np.sort(np.argsort(-rank if largest else rank, kind="stable")[:k])
    last = (min if largest else max)(rank[best])
    return np.concatenate([best[rank[best] != last], best[rank[best] == last]])


def check(found, values, k, largest):
    chosen, places = found
    assert places.dtype == np.int64
    assert chosen.dtype == values.dtype
    assert chosen.shape == places.shape == (*values.shape[:-1], k)
    rows = values.reshape(-1, values.shape[-1])
    for row, mine in zip(rows, places.reshape(rows.shape[0], k), strict=True):
        np.testing.assert_array_equal(mine, oracle(row, k, largest) if k else [])
    assert chosen.tobytes() == np.take_along_axis(values, places, -1).tobytes()


def test_random_rows(target):
    @settings(max_examples=2 * target.few)
    @given(
        st.sampled_from([(1,), (40,), (130,), (3, 70), (2, 2, 9), (0, 5)]),
        st.sampled_from(DTYPES),
        st.sampled_from([0, 1, 4, 9, 70]),
        st.booleans(),
        st.integers(0, 99),
    )
    def run(shape, dtype, k, largest, seed):
        values = draw(shape, dtype, seed)
        k = min(k, shape[-1])
        check(target.run("topk.topk", values, k, largest), values, k, largest)

    run()


@pytest.mark.parametrize("largest", [True, False])
def test_all_of_a_row_and_all_equal(target, largest):
    values = np.full((2, 37), 3.5)
    values[1] = np.nan
    check(target.run("topk.topk", values, 37, largest), values, 37, largest)
    check(target.run("topk.topk", values, 5, largest), values, 5, largest)


def test_bad_input_is_named(target):
    with pytest.raises(ValueError, match="there are no 4 best of 3 elements"):
        target.run("topk.topk", np.ones(3), 4)
    with pytest.raises(TypeError, match="integers and floats, not complex128"):
        target.run("topk.topk", np.ones(3, complex), 2)


def test_workspace_is_what_is_said(simulator):
    from gpuscale.kernels.topk.topk_cuda import workspace_bytes

    for shape in [(130,), (3, 20)]:
        result, allocated, _ = simulator.ask("topk.topk", np.ones(shape), 4, threads=16)
        rows = int(np.prod(shape[:-1]))
        used = allocated - sum(each.nbytes for each in result)
        assert used == workspace_bytes(rows, shape[-1], 16)


@needs_numba_cuda
@pytest.mark.parametrize(
    ("dtype", "largest"),
    [(np.float64, True), (np.float16, False), (np.int32, False), (np.uint64, True)],
)
def test_kernels_compile(compiler, dtype, largest):
    _, _, compiled = compiler.ask("topk.topk", np.ones(9999, dtype), 7, largest)
    names = {"count_digits", "pick_digit", "count_better", "scan_rows", "take"}
    assert set(compiled) == names
