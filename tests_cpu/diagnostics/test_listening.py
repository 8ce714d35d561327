import pytest

import gpuscale.diagnostics
from gpuscale.diagnostics.listening import Watcher, active_listeners


class Count(Watcher):
    n = 0

    def __call__(self, event):
        self.n += 1


def test_a_watcher_is_on_within_its_block():
    assert active_listeners() == []
    with Count() as outer, Count() as inner:
        assert active_listeners() == [outer, inner]
    assert active_listeners() == []


def test_a_watcher_is_off_after_an_exception():
    with pytest.raises(ValueError, match="no"), Count():
        raise ValueError("no")
    assert active_listeners() == []


def test_register_and_unregister():
    count = Count()
    count.register()
    assert active_listeners() == [count]
    count.unregister()
    assert active_listeners() == []


def test_a_watcher_must_take_events():
    with pytest.raises(NotImplementedError):
        Watcher()("event")


def test_switching_off_what_is_not_on():
    profiler = gpuscale.diagnostics.Profiler()
    profiler.register()
    profiler.unregister()
    with pytest.raises(ValueError, match="this Profiler is not registered"):
        profiler.unregister()
