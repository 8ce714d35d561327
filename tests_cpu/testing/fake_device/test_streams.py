"""The order of work on streams is checked, as far as waiting makes one."""

import threading

import pytest

from gpuscale.testing.fake_device import Event, Stream, StreamOrderError, current_stream


@pytest.fixture
def streams():
    return Stream(non_blocking=True), Stream(non_blocking=True)


def made_on(stream, xp):
    with stream:
        return xp.arange(4)


def test_reading_too_early_names_both_streams(xp, streams):
    one, other = streams
    x = made_on(one, xp)
    with other, pytest.raises(StreamOrderError, match=f"stream {other.number} .* {one.number} "):
        x + 1
    with one:
        x + 1
    with pytest.raises(StreamOrderError, match="stream null reads"):
        x.get()


@pytest.mark.parametrize("how", ["event", "host", "event on the host"])
def test_waiting_makes_an_order(xp, streams, how):
    one, other = streams
    x = made_on(one, xp)
    if how == "event":
        other.wait_event(one.record())
    elif how == "host":
        one.synchronize()
        assert one.done
    else:
        event = one.record()
        assert not event.done
        event.synchronize()
        assert event.done
    with other:
        assert (x + 1).tolist() == [1, 2, 3, 4]


def test_an_event_covers_what_was_before_it(xp, streams):
    one, other = streams
    event = one.record(Event())
    x = made_on(one, xp)
    other.wait_event(event)
    with other, pytest.raises(StreamOrderError):
        x + 1


def test_waiting_is_handed_on(xp, streams):
    one, other = streams
    third = Stream(non_blocking=True)
    x = made_on(one, xp)
    other.wait_event(one.record())
    third.wait_event(other.record())
    with third:
        assert (x + 1)[0].item() == 1


def test_the_null_stream_is_ordered_with_blocking_ones(xp):
    blocking = Stream()
    x = made_on(blocking, xp)
    y = x + 1
    with blocking:
        assert (y + x).tolist() == [1, 3, 5, 7]
    with Stream(), pytest.raises(StreamOrderError):
        x + 1


def test_parts_may_be_written_on_several_streams(xp, streams):
    one, other = streams
    x = xp.zeros(10)
    for stream in streams:
        stream.wait_event(current_stream().record())
    with one:
        x[:5] = 1
    with other:
        x[5:] = 2
        assert x[7].item() == 2
        with pytest.raises(StreamOrderError):
            x[3:7] + 1
        with pytest.raises(StreamOrderError):
            x[0] = 3


def test_streams_are_current_per_thread():
    stream, seen = Stream(), []
    with stream:
        thread = threading.Thread(target=lambda: seen.append(current_stream()))
        thread.start()
        thread.join()
        assert current_stream() is stream
    assert seen == [Stream.null]
    assert current_stream() is Stream.null
