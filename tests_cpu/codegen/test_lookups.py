"""Compiled loops that look numbers up pair them as pandas merges them."""

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen.lookups import looked_up, pays

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize("widest", [2, 60, 10**6, 2**63 - 1])
@pytest.mark.parametrize("size", [1, 7, 300])
@pytest.mark.parametrize("once", [True, False])
def test_pairs_are_those_of_pandas(widest, size, once):
    rng = np.random.default_rng(widest % 1000 + size)
    keys = rng.integers(-widest, widest, size, endpoint=True)
    keys = rng.permutation(np.unique(keys)) if once else keys
    values = np.append(rng.choice(keys, 200), rng.integers(-widest, widest, 100))
    found = looked_up(values, keys)
    left, right = found.listed()
    expected = pd.DataFrame({"k": values, "left": np.arange(300)}).merge(
        pd.DataFrame({"k": keys, "right": np.arange(len(keys))}), on="k"
    )
    assert expected.left.tolist() == (np.arange(300) if left is None else left).tolist()
    assert expected.right.tolist() == right.tolist()
    assert found.pairs == len(expected)
    assert found.missing == 300 - np.isin(values, keys).sum()
    assert (found.following is None) == (len(np.unique(keys)) == len(keys))


def test_the_least_number_and_the_greatest_are_looked_up():
    ends = np.array([-(2**63), 2**63 - 1])
    assert looked_up(ends, ends[::-1].copy()).first.tolist() == [1, 0]
    assert looked_up(ends, np.array([5, 6, 6])).first.tolist() == [-1, -1]
    assert looked_up(np.zeros(0, np.int64), ends).listed()[1].tolist() == []


def test_few_rows_are_left_to_a_library():
    assert not pays(1000)
    with config.set({"codegen.min-elements": 0}):
        assert pays(1)
