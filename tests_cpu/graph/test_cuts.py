"""Cuts of sorted runs: bounds that hold, and are tight."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.graph.cuts import find_cuts


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
    cuts = find_cuts([run[::step] for run in runs], sizes, step, ranks)
    expected = np.array([np.bincount(owner[:rank], minlength=len(runs)) for rank in ranks])
    assert (cuts.lower <= expected).all()
    assert (expected <= cuts.upper).all()
    uncertain = np.maximum(ranks - cuts.lower.sum(axis=1), cuts.upper.sum(axis=1) - ranks)
    assert (uncertain <= (len(runs) + 1) * step).all()
    if step == 1:
        np.testing.assert_array_equal(cuts.lower, expected)
