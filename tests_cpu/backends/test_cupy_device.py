"""The device of CuPy, on a stand-in that notes what is asked of it."""

import sys
import threading
import types

import pytest

from gpuscale.backends.cupy_device import CupyDevice
from gpuscale.backends.devices import MemoryFigures


@pytest.fixture
def calls():
    return []


class Device:
    """A device, the current one of a thread within its context; 0 is that of new threads."""

    here = threading.local()

    def __init__(self):
        self.id, self.before = self.current(), []

    @classmethod
    def current(cls):
        return getattr(cls.here, "id", 0)

    def __enter__(self):
        self.before.append(self.current())
        self.here.id = self.id

    def __exit__(self, *error):
        self.here.id = self.before.pop()


@pytest.fixture
def cupy(calls):
    class Stream:
        def __enter__(self):
            calls.append("enter")

        def __exit__(self, *error):
            calls.append("exit")

        def synchronize(self):
            calls.append("synchronize")

    def pool(name):
        return types.SimpleNamespace(
            free_all_blocks=lambda: calls.append(f"free {name}"),
            used_bytes=lambda: 10,
            total_bytes=lambda: 25,
            get_limit=lambda: 0,
        )

    nvtx = types.SimpleNamespace(
        RangePush=lambda text: calls.append(text), RangePop=lambda: calls.append("pop")
    )
    runtime = types.SimpleNamespace(
        deviceSynchronize=lambda: calls.append("device"), memGetInfo=lambda: (70, 100)
    )
    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(Device=Device, Stream=Stream, nvtx=nvtx, runtime=runtime),
        get_default_memory_pool=lambda: pool("pool"),
        get_default_pinned_memory_pool=lambda: pool("pinned"),
    )


def test_a_task_has_a_stream_and_a_name_and_is_done_at_the_end(cupy, calls):
    with CupyDevice(cupy).running("add+sum"):
        calls.append("task")
    assert calls == ["add+sum", "enter", "task", "exit", "synchronize", "pop"]


def test_a_task_that_fails_is_waited_for_too(cupy, calls):
    device = CupyDevice(cupy)
    with pytest.raises(ZeroDivisionError), device.running("add"):
        raise ZeroDivisionError
    assert calls == ["add", "enter", "exit", "synchronize", "pop"]


def test_what_the_device_says_late_is_of_the_task(cupy, calls):
    def fails(self):
        raise RuntimeError("illegal address")

    cupy.cuda.Stream.synchronize = fails
    with pytest.raises(RuntimeError, match="illegal address"), CupyDevice(cupy).running("add"):
        pass
    with pytest.raises(ZeroDivisionError), CupyDevice(cupy).running("add"):
        raise ZeroDivisionError
    assert calls.count("pop") == 2


def test_as_many_streams_as_tasks_at_a_time(cupy):
    device, made = CupyDevice(cupy), []
    kind = cupy.cuda.Stream
    cupy.cuda.Stream = lambda: made.append(kind()) or made[-1]

    def work():
        for _ in range(3):
            with device.running("x"):
                pass

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(made) == 1
    with device.running("outer"), device.running("inner"):
        assert len(made) == 2
    with pytest.raises(ZeroDivisionError), device.running("fails"):
        raise ZeroDivisionError
    work()
    assert len(made) == 2


def test_all_threads_use_the_device_that_the_program_chose(cupy, monkeypatch):
    monkeypatch.setattr(Device.here, "id", 1, raising=False)
    device, seen = CupyDevice(cupy), []
    kind = cupy.cuda.Stream
    cupy.cuda.Stream = lambda: seen.append(Device.current()) or kind()
    cupy.cuda.runtime.memGetInfo = lambda: seen.append(Device.current()) or (70, 100)
    cupy.cuda.runtime.deviceSynchronize = lambda: seen.append(Device.current())

    def work():
        with device.running("x"):
            seen.append(Device.current())
        device.figures()
        device.free_blocks()
        seen.append(Device.current())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [1, 1, 1, 1, 0] and device.index == 1


def test_pools_are_emptied_when_the_device_has_finished(cupy, calls):
    CupyDevice(cupy).free_blocks()
    assert calls == ["device", "free pool", "free pinned"]


def test_figures_of_its_own_pool(cupy, monkeypatch):
    monkeypatch.delitem(sys.modules, "rmm.statistics", raising=False)
    assert CupyDevice(cupy).figures() == MemoryFigures(10, 15, None, 70, 100)


def test_figures_of_rmm(cupy, monkeypatch):
    counts = types.SimpleNamespace(current_bytes=42)
    module = types.SimpleNamespace(get_statistics=lambda: counts)
    monkeypatch.setitem(sys.modules, "rmm.statistics", module)
    assert CupyDevice(cupy).figures() == MemoryFigures(42, free=70, total=100)
    counts = None
    assert CupyDevice(cupy).figures().used == 10
