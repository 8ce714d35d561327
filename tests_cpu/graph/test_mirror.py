"""Blocks and their mirror images in one task: fewer draws, the same results."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.expr import coarsen
from gpuscale.graph.task import validate
from gpuscale.run import graph_of

pytestmark = pytest.mark.usefixtures("small_blocks")
RNG = ga.random.default_rng(11)
REDUCTIONS = {
    "sum": lambda xp, y, axis: xp.sum(y, axis=axis),
    "std": lambda xp, y, axis: xp.std(y, axis=axis),
    "max": lambda xp, y, axis: xp.max(y, axis=axis),
    "argmin": lambda xp, y, axis: xp.argmin(y, axis=axis),
}


@pytest.fixture(scope="module")
def small_blocks():
    """Blocks stay as small as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarsen, "ENOUGH", 1)
        yield


def mirrored(graph):
    return [task for task in graph.values() if "mirrored" in task.key[0]]


@given(
    chunks=st.lists(st.integers(60, 150), min_size=1, max_size=3).map(tuple),
    axis=st.sampled_from([0, 1, None]),
    name=st.sampled_from(sorted(REDUCTIONS)),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("always_compile")
def test_results_are_those_of_the_numbers_themselves(chunks, axis, name):
    n = sum(chunks)
    x = RNG.random((n, n), chunks=(chunks, chunks))
    stored = x.compute()
    means = stored.mean(axis=0)
    y = REDUCTIONS[name](ga, (x + x.T) - ga.asarray(means), axis)
    assert len(mirrored(graph_of(y))) == len(chunks) * (len(chunks) + 1) // 2
    expected = REDUCTIONS[name](np, (stored + stored.T) - means, axis)
    np.testing.assert_allclose(y.compute(), expected, rtol=1e-9, atol=1e-9)


def test_pairs_hand_on_what_each_block_wants():
    x = RNG.random((90, 90), chunks=30)
    graph = graph_of((x - x.T).sum(axis=0))
    validate(graph)
    pairs = mirrored(graph)
    assert sorted(task.args for task in pairs) == [
        (((0, 0),),), (((0, 1), (1, 0)),), (((0, 2), (2, 0)),),
        (((1, 1),),), (((1, 2), (2, 1)),), (((2, 2),),),
    ]  # fmt: skip
    assert all(task.nbytes == 0 and task.workspace > 0 for task in pairs)


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: x.sum(axis=0),  # each number is needed once
        lambda x: (x + x.T)[:, 5:].sum(axis=0),  # not square
        lambda x: (x[:-1, 1:] + x[1:, :-1].T).sum(axis=0),  # other places
        lambda x: (x + RNG.random(x.shape, chunks=30).T).sum(axis=0),  # other numbers
        lambda x: (x + x.T).rechunk((30, 45)).sum(axis=0),  # blocks have no images
    ],
)
def test_other_plans_stay_as_they_are(expression):
    y = expression(RNG.random((90, 90), chunks=30))
    assert not mirrored(graph_of(y))
    assert np.isfinite(y.compute()).all()


def test_what_is_shifted_along_the_diagonal_is_mirrored():
    x = RNG.random((90, 90), chunks=30)
    y = (x[7:, 7:] * x[7:, 7:].T).sum(axis=0)
    assert mirrored(graph_of(y))
    part = x.compute()[7:, 7:]
    np.testing.assert_allclose(y.compute(), (part * part.T).sum(axis=0))


def test_a_block_whose_image_nobody_wants_is_alone():
    x = RNG.random((90, 90), chunks=30)
    y = (x + x.T).sum(axis=0)[:30]
    stored = x.compute()
    np.testing.assert_allclose(y.compute(), (stored + stored.T).sum(axis=0)[:30])
