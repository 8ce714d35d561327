"""Rows by number: gathered, and scattered where the last one wins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..cuda_harness import needs_numba_cuda

DTYPES = ["?", "i2", "f4", "f8", "c16", "m8[us]"]
COLUMNS = [slice(None), slice(1, 3), slice(None, None, 2), slice(-2, None), slice(3, 3)]


def draw(rows, width, n, dtype, kind, seed):
    rng = np.random.default_rng(seed)
    shape = (rows,) if width is None else (rows, width)
    table = rng.integers(0, 99, shape).astype(dtype)
    low = 0 if kind.startswith("u") else -rows
    return table, rng.integers(low, rows, n).astype(kind)


def both(few):
    return lambda run: settings(max_examples=few)(
        given(
            st.sampled_from([1, 9, 100]),
            st.sampled_from([None, 1, 5]),
            st.sampled_from([0, 1, 70]),
            st.sampled_from(DTYPES),
            st.sampled_from(["i1", "i8", "u4"]),
            st.sampled_from(COLUMNS),
            st.integers(0, 99),
        )(run)
    )


def test_random_gathers(target):
    @both(target.few)
    def run(rows, width, n, dtype, kind, columns, seed):
        table, index = draw(rows, width, n, dtype, kind, seed)
        columns = slice(None) if width is None else columns
        found = target.run("rows.gather", table, index, columns)
        expected = table[index] if width is None else table[:, columns][index]
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)

    run()


def test_random_scatters(target):
    @both(target.few)
    def run(rows, width, n, dtype, kind, columns, seed):
        table, index = draw(rows, width, n, dtype, kind, seed)
        columns = slice(None) if width is None else columns
        new = table[index] if width is None else table[:, columns][index]
        new = np.random.default_rng(seed).permutation(new)
        found = target.run("rows.scatter", table.copy(), index, new, columns)
        if width is None:
            table[index] = new
        else:
            table[:, columns][index] = new
        np.testing.assert_array_equal(found, table)

    run()


def test_a_permutation_needs_no_last_writer(target):
    index = np.random.default_rng(1).permutation(50)
    found = target.run("rows.scatter", np.zeros(50), index, np.arange(50.0), unique=True)
    np.testing.assert_array_equal(found[index], np.arange(50.0))


@pytest.mark.parametrize("number", [5, -6, 10**12])
def test_numbers_out_of_bounds_are_counted_and_nothing_is_written(target, number):
    table, index = np.zeros((5, 2)), np.array([0, number, 1, number])
    message = "2 row numbers are out of bounds for 5 rows: give numbers from -5 to 4"
    with pytest.raises(IndexError, match=message):
        target.run("rows.gather", table, index)
    with pytest.raises(IndexError, match=message):
        target.run("rows.scatter", table, index, np.ones((4, 2)))
    assert not table.any()


def test_bad_input_is_named(target):
    table, index = np.zeros((5, 2)), np.arange(3)
    with pytest.raises(ValueError, match="one or two dimensions, not 3: reshape it"):
        target.run("rows.gather", np.zeros((2, 2, 2)), index)
    with pytest.raises(ValueError, match="one dimension, not 2: use ravel"):
        target.run("rows.gather", table, table.astype(int))
    with pytest.raises(TypeError, match="integers, not float64"):
        target.run("rows.gather", table, index.astype(float))
    with pytest.raises(ValueError, match="not by steps of -1"):
        target.run("rows.gather", table, index, slice(None, None, -1))
    with pytest.raises(ValueError, match="has no columns to choose"):
        target.run("rows.gather", np.zeros(5), index, slice(1))
    with pytest.raises(ValueError, match=r"rows are \(3, 2\) of float64, not \(3, 2\) of int64"):
        target.run("rows.scatter", table, index, np.ones((3, 2), int))


@needs_numba_cuda
@pytest.mark.parametrize("dtype", ["i1", "f8", "c16"])
def test_kernels_compile(compiler, dtype):
    table, index = np.ones((9, 4), dtype), np.zeros(9, np.int32)
    _, _, compiled = compiler.ask("rows.gather", table, index)
    assert len(compiled) == 1
    for unique in (False, True):
        _, _, compiled = compiler.ask("rows.scatter", table, index, table, unique=unique)
        assert len(compiled) == 2
