"""What runs within a small memory limit has NumPy's results."""

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.diagnostics.listening import Watcher
from gpuscale.engines import spilling
from gpuscale.engines.events import Spilled
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.memory.projection import task_bytes
from gpuscale.run import graph_of


class Count(Watcher):
    wants = (Spilled,)
    n = 0

    def __call__(self, event):
        self.n += 1


def rechunk(xp, x, rng):
    if xp is np:
        return x
    sizes = tuple(int(rng.integers(1, n + 1)) for n in x.shape)
    return x.rechunk(sizes).map_blocks(np.copy, dtype=x.dtype)


def take(xp, x, rng):
    axis = int(rng.integers(x.ndim))
    index = rng.integers(0, x.shape[axis], rng.integers(1, 2 * x.shape[axis]))
    return xp.take(x, index, axis=axis)


def permuted(xp, x, rng):
    return x[rng.permutation(len(x))]


def masked(xp, x, rng):
    return x[rng.random(x.shape) < 0.5]


def flat_take(xp, x, rng):
    return xp.take(x, rng.integers(0, x.size, 50))


def centred(xp, x, rng):
    return ((x - x.mean(axis=0)) ** 2).sum(axis=-1)


def sorted_flat(xp, x, rng):
    return xp.sort(x.ravel())


def order_of_flat(xp, x, rng):
    return xp.argsort(x.ravel(), stable=True)


def symmetric(xp, x, rng):
    return rechunk(xp, x.T, rng) @ x


FUNCTIONS = [
    rechunk, take, permuted, masked, flat_take, centred, sorted_flat, order_of_flat, symmetric,
]  # fmt: skip


def computed(y, engine):
    """Compute with as little memory as the largest task allows."""
    graph = graph_of(y)
    most = max(task_bytes(graph, task) for task in graph.values())
    engine._memory_limit = engine._device_limit = most
    return y.compute(engine=engine)


class PlansForAllMemory(ThreadsEngine):
    """Of little memory, with plans that know nothing of it: spilling is tested, not planning."""

    def planning(self):
        return nullcontext()


@pytest.fixture(scope="module")
def engine():
    engine = PlansForAllMemory(num_workers=2, memory_limit=1)
    yield engine
    engine.close()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_results_are_those_of_numpy(function, engine, monkeypatch):
    @settings(max_examples=12, deadline=None)
    @given(
        st.integers(0, 2**32),
        st.lists(st.integers(1, 12), min_size=1, max_size=3),
        st.integers(2, 5),
        st.sampled_from(["f8", "i4", "u1", "c16", "f4"]),
    )
    def check(seed, shape, chunks, dtype):
        if function is symmetric:
            shape = shape[:1] * 2
        values = np.random.default_rng(seed).integers(0, 50, shape).astype(dtype)
        x = ga.from_array(values, chunks=chunks).map_blocks(np.copy, dtype=dtype)
        expected = function(np, values, np.random.default_rng(seed))
        y = function(ga, x, np.random.default_rng(seed))
        with count:
            found = computed(y, engine)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)

    count = Count()
    monkeypatch.setattr(spilling, "SMALLEST", 1)
    check()
    assert count.n
