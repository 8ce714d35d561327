"""Choices and random orders."""

import numpy as np
import pytest

import gpuscale.array as ga


@pytest.mark.parametrize("replace", [True, False])
def test_choice(replace):
    items = np.arange(40).reshape(20, 2) * 3
    for p in (None, np.linspace(0, 1, 20) / np.linspace(0, 1, 20).sum()):
        drawn = [
            ga.random.default_rng(2).choice(items, 9, replace=replace, p=p, chunks=c).compute()
            for c in (-1, 4)
        ]
        np.testing.assert_array_equal(drawn[0], drawn[1])
        assert set(map(tuple, drawn[0])) <= set(map(tuple, items))
        if not replace:
            assert len(set(map(tuple, drawn[0]))) == 9
    assert ga.random.default_rng(2).choice(5, (2, 2)).shape == (2, 2)


def test_permutation_and_shuffle():
    rng = ga.random.default_rng(2)
    order = rng.permutation(30).compute()
    np.testing.assert_array_equal(np.sort(order), np.arange(30))
    assert (order != np.arange(30)).any()
    x = ga.arange(20, chunks=6)
    rng.shuffle(x)
    np.testing.assert_array_equal(np.sort(x.compute()), np.arange(20))
    rows = ga.arange(20).reshape(10, 2)
    mixed = rng.permutation(rows).compute()
    assert sorted(map(tuple, mixed)) == [(2 * k, 2 * k + 1) for k in range(10)]


def test_permuted_shuffles_each_line_on_its_own():
    x = np.arange(200).reshape(20, 10)
    mixed = [
        ga.random.default_rng(2).permuted(ga.from_array(x, chunks=c), axis=1).compute()
        for c in (-1, (7, 3))
    ]
    np.testing.assert_array_equal(mixed[0], mixed[1])
    np.testing.assert_array_equal(np.sort(mixed[0], axis=1), x)
    assert len({tuple(row % 10) for row in mixed[0]}) > 15
    everything = ga.random.default_rng(2).permuted(ga.from_array(x, chunks=7)).compute()
    np.testing.assert_array_equal(np.sort(everything, axis=None).reshape(x.shape), x)
    assert (np.sort(everything, axis=1) != x).any()


def test_names_of_older_numpy():
    old = ga.random.RandomState(3)
    sample, integers = old.random_sample(100, chunks=30).compute(), old.tomaxint(100).compute()
    assert sample.shape == integers.shape == (100,)
    assert 0 <= sample.min() < 0.2 and 0.8 < sample.max() < 1
    assert integers.dtype == np.int64
    assert 0 <= integers.min() < 2**61 and integers.max() > 2**62
    few = old.random_integers(2, size=100).compute()
    assert set(few.tolist()) == {1, 2}
