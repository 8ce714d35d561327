"""The fake device as a backend of gpuscale."""

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.backends.creation import backend_names
from gpuscale.backends.seams import array_namespace, backend_name, nbytes, to_host
from gpuscale.backends.transfer import to_device
from gpuscale.base import config
from gpuscale.base.errors import BackendError
from gpuscale.testing import fake_device


def test_seams(xp):
    x = to_device(np.arange(6.0).reshape(2, 3), "fake")
    assert array_namespace(x) is xp
    assert backend_name(x) == "fake"
    assert nbytes(xp.broadcast_to(x, (9, 2, 3))) == 48
    assert type(to_host((x, [x]))[1][0]) is np.ndarray


def test_data_of_the_host_goes_where_the_option_says(xp):
    host = np.arange(10.0)
    with config.set({"array.backend": "fake"}):
        x = ga.from_array(host, chunks=5)
        assert x.backend == "fake"
        assert ga.ones(3).backend == "fake"
        assert ga.from_array(host, backend="numpy").backend == "numpy"
        assert ga.asarray(np.array(["a", "b"])).backend == "numpy"
        assert ga.from_array(host.astype(">f8")).backend == "numpy"
        fake_device.TRANSFERS.clear()
        result = (x + 1).compute()
    assert isinstance(result, np.ndarray)
    np.testing.assert_array_equal(result, host + 1)
    assert fake_device.TRANSFERS.calls() == fake_device.TRANSFERS.calls("asarray", "get") == 4


def test_there_and_back_again_moves_nothing(xp):
    x = ga.from_array(np.arange(10.0), chunks=5)
    fake_device.TRANSFERS.clear()
    assert x.to_backend("fake").to_backend("numpy").sum().compute() == 45
    assert fake_device.TRANSFERS.calls() == 0


def test_results_are_numpys_and_kept_chunks_stay(xp):
    x = ga.ones((4, 4), chunks=2, backend="fake")
    assert isinstance(x.compute(), np.ndarray)
    selected = x[x > 0]  # of a size that nobody knows before
    assert isinstance(selected.compute(), np.ndarray)
    kept = (x + 1).persist()
    assert kept.backend == "fake"
    fake_device.TRANSFERS.clear()
    assert isinstance(kept.expr.reader.read((slice(0, 2), slice(0, 2))), fake_device.ndarray)
    assert fake_device.TRANSFERS.calls() == 0
    assert gpuscale.compute(kept, 3)[1] == 3


def test_it_is_known_only_while_it_is_active(request):
    if request.config.getoption("--backend") == "fake":
        pytest.skip("the whole run is on the fake device")
    with pytest.raises(BackendError, match="no backend 'fake'"):
        ga.ones(3, backend="fake")
    with fake_device.active(), pytest.raises(RuntimeError), fake_device.active():
        raise RuntimeError
    with pytest.raises(BackendError, match="no backend 'fake'"):
        ga.ones(3, backend="fake")


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.minimum, np.maximum])
@pytest.mark.parametrize("chunks", [3, 10])
def test_running_results(xp, ufunc, chunks):
    host = np.array([2.0, 1.0, 3.0, np.nan, 2.0, 5.0, 4.0, 1.0, 0.5, 2.0])
    x = ga.from_array(host, chunks=chunks, backend="fake")
    result = getattr(ga, ufunc.__name__).accumulate(x).compute()
    np.testing.assert_array_equal(result, ufunc.accumulate(host))


def test_a_device_that_is_active_already_stays_so(xp):
    with fake_device.active():
        assert fake_device.NAME in backend_names()
    assert fake_device.NAME in backend_names()
