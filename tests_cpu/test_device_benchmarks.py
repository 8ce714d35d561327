"""The workloads for a device compute the right thing, as far as a machine without one can tell."""

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from benchmarks import __main__ as command
from benchmarks import harness, report, worker
from benchmarks.limits import Rates
from benchmarks.workload import OURS, Limit, Workload
from benchmarks.workloads import WORKLOADS
from gpuscale.testing import fake_device

ON_DEVICE = {name: w for name, w in WORKLOADS.items() if w.on_device}
# What stands for CuPy has neither a compiler nor memory that the driver moves.
BEYOND_THE_FAKE = {"device-first-call", "device-cached-call", "device-larger"}


@pytest.fixture(autouse=True)
def device():
    with fake_device.active(), gpuscale.config.set({"array.backend": "fake"}):
        yield


class Cupy:
    """The fake device's namespace with the random numbers that benchmarks ask CuPy for."""

    __name__ = "cupy"

    class random:  # noqa: N801 - as in CuPy
        @staticmethod
        def random(shape, dtype):
            return fake_device.fake.asarray(np.random.default_rng(1).random(shape, dtype=dtype))

    def __getattr__(self, name):
        return getattr(fake_device.fake, name)


def result_of(name, implementation, library, folder):
    workload = ON_DEVICE[name]
    run = workload.implementations[implementation](library, workload.sizes["quick"], folder)
    seconds, result = worker.timed(run)
    assert seconds > 0
    return None if result is None else worker.digest(result)


@pytest.mark.parametrize("name", sorted(ON_DEVICE.keys() - BEYOND_THE_FAKE))
def test_gpuscale_and_the_device_library_agree(name, tmp_path):
    ours = result_of(name, OURS, ga, tmp_path)
    theirs = result_of(name, "cupy", Cupy(), tmp_path)
    assert harness.agree(ours, theirs, ON_DEVICE[name].same, ON_DEVICE[name].tolerance)


@pytest.mark.parametrize("name", ["device-first-call", "device-cached-call"])
def test_calls_are_timed(name, tmp_path):
    assert result_of(name, OURS, ga, tmp_path) is None


def test_what_is_larger_than_the_device_is_right(tmp_path):
    data = np.random.default_rng(1).random(8_000_000)
    found = result_of("device-larger", OURS, ga, tmp_path)
    assert found["sample"] == np.sort(data)[::8000].tolist()


def test_one_table_is_of_the_cpu_or_of_a_device():
    assert {w.on_device for w in command.chosen([], False, True)} == {True}
    assert {w.on_device for w in command.chosen([], True)} == {False}
    with pytest.raises(SystemExit, match="runs with --device alone"):
        command.chosen(["device-sort"], False)
    with pytest.raises(SystemExit, match="runs without --device alone"):
        command.chosen(["headline-sum"], False, True)


def test_a_table_of_a_device_needs_one(monkeypatch):
    monkeypatch.setattr("sys.argv", ["benchmarks", "run", "--device"])
    said = r"--device measures on a CUDA device.*gpuscale\[cuda1.*without --device"
    with pytest.raises(SystemExit, match=said):
        command.main()


def test_the_link_limits_what_crosses_it_alone():
    rates = Rates(bytes=1e9, randoms=1e9, flops=1e9)
    assert rates.seconds(Limit(bytes=2e9)) == 2
    assert Rates(1e9, 1e9, 1e9, link=5e8).seconds(Limit(bytes=2e9, link=2e9)) == 4


@pytest.mark.parametrize(("seconds", "mark"), [(1.4, "yes"), (1.6, r"**no**")])
def test_a_goal_is_a_multiple_of_the_limit(seconds, mark):
    workload = Workload("w", "w", {}, {}, limit_goal=1.5)
    results = {OURS: harness.Measurement(seconds=[seconds])}
    assert report.verdict(workload, results, least=1.0) == f"1.5x the limit: {mark}"
