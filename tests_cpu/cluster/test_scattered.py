"""Data that users scatter, a few items at a time, to workers that have room for each."""

import asyncio

import numpy as np
import pytest

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from distributed.comm.core import CommClosedError  # noqa: E402

from gpuscale.base.errors import EngineError  # noqa: E402
from gpuscale.cluster import scattered  # noqa: E402
from gpuscale.cluster.scattered import check_room, named_items, scatter_in_messages  # noqa: E402
from gpuscale.engines import scattering  # noqa: E402

LARGE = bytes(600 << 10)


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        ([LARGE, 1, LARGE, 2], [[LARGE, 1], [LARGE, 2]]),
        ((LARGE, LARGE), [[LARGE], [LARGE]]),
        ({"a": 1, "b": LARGE, "c": LARGE}, [{"a": 1, "b": LARGE}, {"c": LARGE}]),
        ((1, 2), [(1, 2)]),
        ([], [[]]),
        ({1, 2}, [{1, 2}]),
        (LARGE + LARGE, [LARGE + LARGE]),
    ],
)
def test_items_travel_in_messages_of_some_bytes(monkeypatch, data, messages):
    monkeypatch.setattr(scattering, "MESSAGE", 1 << 20)
    sent = []

    async def send(some):
        sent.append(some)
        return some

    assert asyncio.run(scatter_in_messages(send, data)) == data
    assert sent == messages


@pytest.mark.parametrize("deaths", [1, scattered.ATTEMPTS])
def test_data_of_a_worker_that_ends_meanwhile_are_sent_again(monkeypatch, deaths):
    monkeypatch.setattr(scattered, "PERIOD", 0)
    tries = []

    async def send(some):
        tries.append(some)
        if len(tries) <= deaths:
            raise CommClosedError("in <TCP (closed) ConnectionPool.scatter>: Stream is closed")
        return some

    if deaths < scattered.ATTEMPTS:
        assert asyncio.run(scatter_in_messages(send, [1, 2])) == [1, 2]
    else:
        with pytest.raises(EngineError, match=r"3 times, .* ended: its log .* again when there"):
            asyncio.run(scatter_in_messages(send, [1, 2]))


def test_an_item_that_no_worker_has_room_for_is_refused():
    async def workers():
        return {"a": {"memory_limit": 256 << 20}, "b": {"memory_limit": 512 << 20}}

    async def without_limits():
        return {"a": {"memory_limit": None}}

    small, large = np.empty(100 << 20, "u1"), np.empty(400 << 20, "u1")
    asyncio.run(check_room(named_items([small, small, small, small]), workers))
    asyncio.run(check_room(named_items(large), without_limits))
    with pytest.raises(ValueError, match=r"item 1 takes 400.0 MiB.* 512.0 MiB.*smaller items"):
        asyncio.run(check_room(named_items((small, large)), workers))
    with pytest.raises(ValueError, match=r"item 'x' takes .*memory_limit="):
        asyncio.run(check_room(named_items({"x": large}), workers))
    with pytest.raises(ValueError, match="it takes"):
        asyncio.run(check_room(named_items(large), workers))
