"""Ranks and quantiles against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.divisions import (
    QUANTILE_METHODS,
    boundary_ranks,
    quantile_ranks,
    sample_counts,
    sample_positions,
    splitter_positions,
)

axis_sizes = st.lists(st.integers(0, 30), min_size=1, max_size=8).map(tuple)
STEPS = ["lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf"]


@given(axis_sizes)
def test_cutting_sorted_data_at_the_ranks_gives_the_blocks(sizes):
    pieces = np.split(np.arange(sum(sizes)), boundary_ranks(sizes))
    assert tuple(map(len, pieces)) == sizes


@given(axis_sizes, st.integers(0, 10), st.integers(1, 20))
def test_samples_are_shared_out_by_size(sizes, n_splitters, oversample):
    counts = sample_counts(sizes, n_splitters, oversample)
    assert all(count <= size for count, size in zip(counts, sizes, strict=True))
    assert sum(counts) >= min(sum(sizes), n_splitters * oversample)
    assert sum(counts) <= n_splitters * oversample + len(sizes)


@given(st.integers(1, 100), st.integers(1, 100))
def test_sample_positions_are_distinct_and_even(size, n_samples):
    n_samples = min(size, n_samples)
    positions = sample_positions(size, n_samples)
    assert len(set(positions)) == n_samples
    assert positions[0] >= 0
    assert positions[-1] < size
    steps = np.diff(positions)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_splitters_cut_near_the_wanted_ranks():
    sizes = (300, 100, 600)
    samples = np.array(sample_positions(1000, 100))
    cuts = samples[list(splitter_positions(sizes, 100))]
    assert np.abs(cuts - boundary_ranks(sizes)).max() <= 10
    assert splitter_positions((5,), 3) == ()


@given(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
    st.integers(1, 20),
    st.sampled_from([*QUANTILE_METHODS, *STEPS, "closest_observation"]),
)
def test_quantiles_are_numpys(q, n, method):
    data = np.cumsum(np.arange(1.0, n + 1))
    lower, upper, weight = quantile_ranks(q, n, method)
    got = data[lower] + weight * (data[upper] - data[lower])
    np.testing.assert_allclose(got, np.quantile(data, q, method=method), rtol=1e-9)


def test_mistakes_are_refused():
    for q in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"range \[0, 1\]"):
            quantile_ranks(q, 5)
    with pytest.raises(ValueError, match="'mean' is not a quantile method"):
        quantile_ranks(0.5, 5, "mean")
