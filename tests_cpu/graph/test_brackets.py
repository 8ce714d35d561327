"""What brackets keep and find, whatever the sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.graph import brackets
from gpuscale.graph.brackets import brackets_around, elements_of_ranks, keep, keep_all
from gpuscale.testing.strategies import numpy_arrays

NUMBERS = ("int8", "uint64", "float32", "float64")


@pytest.mark.parametrize("many", [0, 100])
def test_counts_and_elements(many, monkeypatch):
    monkeypatch.setattr(brackets, "SIGMAS", 0.5)
    monkeypatch.setattr(brackets, "MANY", many)

    @given(st.data())
    @settings(max_examples=100, deadline=None)
    def check(data):
        array = data.draw(numpy_arrays(dtypes=NUMBERS, max_dims=2, max_side=12)).reshape(-1)
        sample = (
            array[data.draw(st.lists(st.integers(0, len(array) - 1), max_size=9))]
            if (len(array))
            else array
        )
        shares = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=3))
        around = brackets_around(sample, shares)
        assert (around.edges[1:] > around.edges[:-1]).all()
        kept = keep_all([keep(part, around) for part in np.array_split(array, 3)])
        ordered = np.sort(array[array == array])
        assert kept.size == len(array)
        assert kept.beyond.tolist() == [int((ordered >= edge).sum()) for edge in around.edges]
        for rank in range(len(ordered)):
            found = elements_of_ranks(kept, around, np.array([rank]))
            assert found is None or found[0] == ordered[rank]

    check()


def test_a_value_that_is_everywhere_is_counted_and_not_kept():
    sample = np.repeat([1.0, 2.0, np.inf], 1000)
    around = brackets_around(sample, [0.2, 0.5, 0.9])
    kept = keep(sample, around)
    assert len(kept.values) == 0
    found = elements_of_ranks(kept, around, np.array([0, 999, 1000, 1999, 2000, 2999]))
    assert found.tolist() == [1, 1, 2, 2, np.inf, np.inf]


def test_a_sample_of_nothing_but_nan_keeps_all():
    around = brackets_around(np.full(5, np.nan), [0.5])
    kept = keep(np.array([3.0, np.nan, -np.inf]), around)
    assert elements_of_ranks(kept, around, np.array([0, 1])).tolist() == [-np.inf, 3]
