"""Arrays that a program already has on its device, beside lazy ones of the same backend."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.backends.creation import namespace
from gpuscale.base.errors import BackendError
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import TRANSFERS

HOST = np.arange(60.0).reshape(6, 10)


@pytest.fixture(autouse=True)
def xp(request):
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield namespace("fake")
        return
    with fake_device.active():
        yield namespace("fake")


@pytest.fixture
def x():
    return ga.asarray(HOST, like="fake", chunks=(2, 5))


@pytest.fixture
def given(xp):
    return xp.asarray(HOST)


def agrees(lazy, expected):
    assert lazy.backend == "fake"
    np.testing.assert_array_equal(lazy.compute(), expected)


def test_numpys_functions_take_both_in_either_order(x, given):
    agrees(np.add(x, given), HOST + HOST)
    agrees(np.multiply(given, x), HOST * HOST)
    agrees(np.matmul(x, given.T), HOST @ HOST.T)
    agrees(np.maximum.outer(x[0], given[1]), np.maximum.outer(HOST[0], HOST[1]))


def test_numpys_functions_name_both_backends(given):
    with pytest.raises(BackendError, match="fake and numpy.*like='fake'"):
        np.add(ga.asarray(HOST, like="numpy"), given)


def test_bins_lie_on_the_device(x, xp):
    edges = [0, 3, 60]
    TRANSFERS.clear()
    counts, found = ga.histogram(x, xp.asarray(edges))
    places = ga.digitize(x, xp.asarray([1, 3]))
    assert TRANSFERS.calls() == TRANSFERS.calls("asarray")  # nothing comes while this is planned
    agrees(counts, np.histogram(HOST, edges)[0])
    np.testing.assert_array_equal(found.compute(), edges)
    agrees(places, np.digitize(HOST, [1, 3]))
    counts, _ = ga.histogramdd(x[:, :2], [xp.asarray(edges), xp.asarray([0, 30, 60])])
    agrees(counts, np.histogramdd(HOST[:, :2], [edges, [0, 30, 60]])[0])


def test_a_list_of_arrays_is_their_stack(given):
    agrees(ga.asarray([given[0], given[1]]), HOST[:2])
    agrees(ga.asarray([[given[0]], [given[1]]]), HOST[:2, None])
    with pytest.raises(BackendError, match="fake and numpy"):
        ga.asarray([given[0], HOST[1]])
