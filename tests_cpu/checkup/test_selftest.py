import warnings

import pytest

from gpuscale.backends.cupy_trial import DeviceTrial
from gpuscale.backends.driver.devices import Device, Driver, State
from gpuscale.backends.driver.visible import select
from gpuscale.base import config
from gpuscale.base.errors import BackendError
from gpuscale.checkup import selftest
from gpuscale.checkup.packages import Installed
from gpuscale.checkup.selftest import CpuTrial, SelfTest, run_self_test, try_cpu

HERE = Driver(State.WORKS, cuda=(13, 0), devices=(Device(0),))
NOWHERE = Driver(State.ABSENT)
SHOWN = select({}, HERE.devices)
CUPY = Installed({"cupy-cuda13x": "14.0"})


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(selftest, "try_cpu", lambda: CpuTrial(0.1))


def test_the_processor_computes_with_a_kernel(tmp_path):
    with config.set({"codegen.cache-dir": str(tmp_path), "memory-limit": "1 GiB"}):
        found = try_cpu()
        assert config.get("codegen.min-elements") > 0
    assert (found.failed, found.warned) == ("", ())
    assert list(tmp_path.glob("*.kernel"))


def test_wrong_numbers_are_a_failure(monkeypatch):
    monkeypatch.setattr(selftest.np, "testing", refusing(AssertionError("Not equal")))
    assert try_cpu().failed == "AssertionError: Not equal"


def refusing(error):
    class Refusing:
        def __getattr__(self, name):
            raise error

    return Refusing()


def test_an_engine_that_fails(monkeypatch):
    monkeypatch.setattr(selftest.ga, "random", refusing(RuntimeError("no\n threads")))
    assert try_cpu().failed == "RuntimeError: no threads"


def test_warnings_are_told(monkeypatch):
    class Warning_:
        def assert_allclose(self, *arguments, **options):
            for _ in range(2):
                warnings.warn("no room for kernels", UserWarning, stacklevel=1)

    monkeypatch.setattr(selftest.np, "testing", Warning_())
    assert try_cpu().warned == ("no room for kernels",)


def test_devices_are_tried_where_they_can_be(quick, monkeypatch):
    monkeypatch.setattr(selftest, "device_count", lambda: 2)
    trials = [DeviceTrial(0, 8, 1e9, 2e9), DeviceTrial(1, failed="allocate: OutOfMemoryError: no")]
    monkeypatch.setattr(selftest, "try_device", trials.__getitem__)
    found = run_self_test(CUPY, HERE, SHOWN)
    assert found.devices == tuple(trials)
    assert found.failures == ("device 1: allocate: OutOfMemoryError: no",)
    assert (
        run_self_test(CUPY, NOWHERE, SHOWN).devices_said == "no device to try: there is no driver"
    )
    assert "CuPy is not installed" in run_self_test(Installed({}), HERE, SHOWN).devices_said
    assert run_self_test(CUPY, NOWHERE, SHOWN).failures == ()


def test_devices_that_are_hidden_are_no_failure(quick):
    hidden = run_self_test(CUPY, HERE, select({"CUDA_VISIBLE_DEVICES": ""}, HERE.devices))
    assert hidden.devices_said == "no device to try: CUDA_VISIBLE_DEVICES selects no device"
    none = run_self_test(CUPY, Driver(State.WORKS), select({}, ()))
    assert none.devices_said == "no device to try: there is none"
    assert hidden.failures == none.failures == ()


@pytest.mark.parametrize("error", [BackendError("does not answer"), OSError("does not answer")])
def test_cuda_that_does_not_start_is_a_failure(quick, monkeypatch, error):
    def refuse():
        raise error

    monkeypatch.setattr(selftest, "device_count", refuse)
    (failure,) = run_self_test(CUPY, HERE, SHOWN).failures
    assert "does not answer" in failure


def test_what_failed_on_the_processor():
    assert SelfTest(CpuTrial(failed="MemoryError: no")).failures == ("CPU: MemoryError: no",)
