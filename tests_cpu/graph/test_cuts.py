"""Cuts of sorted runs: bounds that hold, and are tight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.graph.cuts import find_cuts, step_of_samples


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_cuts_are_bounded_from_both_sides(data):
    lists = st.lists(st.integers(0, data.draw(st.integers(0, 20))), max_size=9)
    runs = [
        np.sort(np.array(run, int)) for run in data.draw(st.lists(lists, min_size=1, max_size=6))
    ]
    step = data.draw(st.integers(1, 5))
    sizes = [len(run) for run in runs]
    ranks = range(sum(sizes) + 1)
    owner = np.repeat(np.arange(len(runs)), sizes)
    owner = owner[np.argsort(np.concatenate(runs), kind="stable")]
    cuts = find_cuts([(run[::step],) for run in runs], sizes, step, ranks)
    expected = np.array([np.bincount(owner[:rank], minlength=len(runs)) for rank in ranks])
    assert (cuts.lower <= expected).all()
    assert (expected <= cuts.upper).all()
    uncertain = np.maximum(ranks - cuts.lower.sum(axis=1), cuts.upper.sum(axis=1) - ranks)
    assert (uncertain <= (len(runs) + 1) * step).all()
    if step == 1:
        np.testing.assert_array_equal(cuts.lower, expected)


@pytest.mark.parametrize("kind", ["random", "alike", "ascending", "apart"])
@pytest.mark.parametrize("n", [10, 100, 256])
def test_a_bounded_sample_keeps_parts_balanced(kind, n):
    length = 4000
    size, rng = n * length, np.random.default_rng(0)
    data = {
        "random": rng.random((n, length)),
        "alike": rng.integers(0, 3, (n, length)),
        "ascending": np.arange(size).reshape(n, length),
        "apart": np.exp(rng.random((n, length)) * np.arange(n)[:, None]),
    }[kind]
    step = step_of_samples(size, n, n)
    samples = [run[::step] for run in np.sort(data, axis=1)]
    assert sum(map(len, samples)) <= max(1 << 19, n)
    cuts = find_cuts([(each,) for each in samples], [length] * n, step, range(0, size + 1, length))
    parts = [sum(b - a for a, b in cuts.spans(range(k, k + 1), range(n))) for k in range(n)]
    assert max(parts) <= length + 2 * (n + 1) * step
    assert step == 1 or max(parts) <= 1.52 * length
