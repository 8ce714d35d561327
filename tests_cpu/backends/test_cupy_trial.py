"""The trial of devices, against a namespace that has what it asks of CuPy and computes by NumPy."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from gpuscale.backends import cupy_trial
from gpuscale.backends.cupy_trial import TRIAL_BYTES, device_count, try_device
from gpuscale.base.errors import BackendError


class Memory:
    """An array on the device: host arrays go in by `set` and come out by `get`."""

    def __init__(self, count, calls, wrong):
        self.data, self.calls, self.wrong = np.zeros(count), calls, wrong

    def set(self, host):
        self.calls.append("set")
        self.data[:] = host

    def get(self, out):
        self.calls.append("get")
        out[:] = self.data + self.wrong

    def __imul__(self, factor):
        self.calls.append("kernel")
        self.data *= factor
        return self

    def __iadd__(self, term):
        self.data += term
        return self


class Cupy:
    """What the trial uses; ``fails`` names the call that raises."""

    def __init__(self, free=1 << 40, fails="", wrong=0.0):
        self.calls, self.free, self.fails, self.wrong = [], free, fails, wrong
        runtime = SimpleNamespace(memGetInfo=lambda: (self.free, 1 << 41), getDeviceCount=lambda: 3)
        self.cuda = SimpleNamespace(
            Device=self.device,
            Event=lambda: SimpleNamespace(record=lambda: None, synchronize=lambda: None),
            alloc_pinned_memory=lambda nbytes: bytearray(nbytes),
            get_elapsed_time=lambda start, stop: 2.0,  # milliseconds
            runtime=runtime,
        )

    @contextmanager
    def device(self, index):
        self.calls.append(f"enter {index}")
        yield
        self.calls.append(f"leave {index}")

    def empty(self, count, dtype):
        if self.fails == "empty":
            raise MemoryError("out of\n memory")
        return Memory(count, self.calls, self.wrong)

    def get_default_memory_pool(self):
        return SimpleNamespace(free_all_blocks=lambda: self.calls.append("free device"))

    def get_default_pinned_memory_pool(self):
        return SimpleNamespace(free_all_blocks=lambda: self.calls.append("free pinned"))


@pytest.mark.parametrize("free", [1 << 40, 1 << 20])
def test_all_goes_well(free):
    cupy = Cupy(free)
    found = try_device(1, cupy)
    assert found.nbytes == min(TRIAL_BYTES, free // 4)
    assert (found.to_device, found.to_host) == (found.nbytes / 2e-3,) * 2
    assert (found.index, found.failed) == (1, "")
    steps = ["set", "set", "kernel", "get", "get", "free device", "free pinned"]
    assert cupy.calls == ["enter 1", *steps, "leave 1"]


def test_the_step_that_fails_is_named():
    found = try_device(0, Cupy(fails="empty"))
    assert found.failed == "allocate: MemoryError: out of memory"
    assert (found.to_device, found.to_host) == (None, None)
    wrong = try_device(0, Cupy(wrong=1.0))
    assert wrong.failed.startswith("compare with NumPy: ArithmeticError")
    assert wrong.to_host is not None


def test_the_number_of_devices():
    assert device_count(Cupy()) == 3


def test_without_cupy(monkeypatch):
    def refuse():
        raise BackendError("CuPy cannot be imported here")

    monkeypatch.setattr(cupy_trial, "load_cupy", refuse)
    assert try_device(0).failed == "load CuPy: BackendError: CuPy cannot be imported here"
    with pytest.raises(BackendError):
        device_count()
