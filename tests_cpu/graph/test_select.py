"""Selection is exact whatever the sample says, and holds no more than it has to."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.array.api import quantiles
from gpuscale.base import config
from gpuscale.chunks import sampling
from gpuscale.chunks.sampling import sample_step
from gpuscale.graph.select import _Choose
from gpuscale.run import graph_of

Q = [0, 0.01, 25, 50, 99.9, 100]


@pytest.fixture
def tries(monkeypatch):
    """Samples are small, and whoever had to try again is noted."""
    monkeypatch.setattr(quantiles, "FEW", 0)
    monkeypatch.setattr(sampling, "LEAST", 200)
    noted, once_more = [], _Choose._another_try
    monkeypatch.setattr(
        _Choose, "_another_try", lambda *args: noted.append(args[1]) or once_more(*args)
    )
    return noted


@pytest.mark.parametrize("order", ["random", "sorted", "reversed", "few values", "misleading"])
@pytest.mark.parametrize("chunks", [100, 997, 20_000])
def test_percentiles_of_any_order(order, chunks, tries):
    array = np.random.default_rng(0).normal(size=20_000)
    q = [25, 50, 75] if order == "misleading" else Q  # without the open ends, which are kept
    step = sample_step(array.size, len(q))
    if order == "sorted":
        array.sort()
    elif order == "reversed":
        array = np.sort(array)[::-1].copy()
    elif order == "few values":
        array = np.round(array)
    elif order == "misleading":
        array[step // 2 :: step] = -5.0  # exactly what the sample sees
    found = ga.percentile(ga.from_array(array, chunks=chunks), q).compute()
    np.testing.assert_array_equal(found, np.percentile(array, q))
    assert tries == ([1] if order == "misleading" else [])


def test_another_try_goes_through_blocks_of_other_tasks(tries):
    array = np.random.default_rng(0).normal(size=20_000)
    step = sample_step(array.size)
    array[::step] = -5.0  # what samples of blocks see
    x = ga.from_array(array, chunks=700)
    for y in (x.map_blocks(np.negative), np.exp(x) + x.mean()):
        assert ga.median(y).compute() == np.median(y.compute())
    assert len(tries) == 2


def test_blocks_are_neither_many_nor_large():
    assert len(graph_of(ga.median(ga.from_array(np.zeros(200_000), chunks=10)))) < 10
    large = graph_of(ga.median(ga.random.random((4000, 4000), chunks=-1)))
    assert len(large) > 16
    assert max(task.nbytes + task.workspace for task in large.values()) < 32 << 20


def test_what_is_costly_is_computed_again_where_it_is_too_large_to_keep():
    x = ga.median(np.exp(np.sin(ga.from_array(np.zeros(400_000), chunks=50_000))))
    kept = sum(task.nbytes for task in graph_of(x).values())
    with config.set({"memory-limit": "4 MiB"}):
        again = sum(task.nbytes for task in graph_of(x).values())
    assert again < kept / 2
