"""What is known of a device's memory before the process has one."""

import pytest

from gpuscale.backends import creation
from gpuscale.backends.devices import IN_USE
from gpuscale.backends.driver import memory
from gpuscale.backends.driver.devices import Device, Driver, Instance, State
from gpuscale.memory.limits import budget_of, device_memory_limit, memory_limit

GIB = 1 << 30
PARTS = (Instance("MIG-a", None, 10 * GIB, None), Instance("MIG-b", None, 20 * GIB, None))
DEVICES = (
    Device(0, memory_total=80 * GIB),
    Device(1, memory_total=40 * GIB),
    Device(2, memory_total=80 * GIB, instances=PARTS),
    Device(3),
)


@pytest.mark.parametrize(
    ("visible", "devices", "size"),
    [
        ("0", DEVICES, 80 * GIB),
        ("0,1", DEVICES, 40 * GIB),
        ("2", DEVICES, 10 * GIB),
        ("MIG-b", DEVICES, 20 * GIB),
        ("3", DEVICES, None),
        ("", DEVICES, None),
        (None, DEVICES, 10 * GIB),
        (None, (), None),
    ],
)
def test_the_smallest_device_that_is_visible(monkeypatch, visible, devices, size):
    state = State.WORKS if devices else State.ABSENT
    monkeypatch.setattr(memory, "ask_driver", lambda: Driver(state, devices=devices))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert memory.visible_memory.__wrapped__() == size


def test_plans_keep_to_a_device_that_is_not_in_use(monkeypatch):
    monkeypatch.setitem(creation._memories, "cupy", lambda: 1000)
    monkeypatch.delitem(IN_USE, "cupy", raising=False)
    assert budget_of("cupy") == 800 and budget_of("numpy") == memory_limit()
    assert device_memory_limit(0.5, "cupy") == 500
    monkeypatch.setitem(creation._memories, "cupy", lambda: None)
    assert budget_of("cupy") == memory_limit()
