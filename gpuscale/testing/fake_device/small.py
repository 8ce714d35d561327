"""Computations on a device that has room for a fifth of what each of them reads.

The rule, for every call of `compute`: the option ``device-memory-limit`` is a fifth of the bytes of
the arrays at the leaves of the expression, or what the largest task of the plan needs if that is
more, by the numbers of `explain`, since arrays of tests may have few chunks, and 4 KiB in any case;
what `persist` keeps comes on top. The pool of the device has more, for results of less than 4 KiB,
which never leave it, and `BESIDE` bytes for what no plan counts: numbers, lists of a few places. A
computation that still finds no memory has failed, as on any device. Who limits the device in
another way has that limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from gpuscale import run
from gpuscale.base import config
from gpuscale.engines.spilling import SMALLEST
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort
from gpuscale.graph.calls import calls_behind
from gpuscale.memory.kept import kept_bytes
from gpuscale.memory.projection import task_bytes
from gpuscale.memory.spaces import DEVICE
from gpuscale.testing.fake_device.pool import POOL

__all__ = ["BESIDE", "a_fifth_of_room"]

BESIDE = 1 << 14
_WHOLE = config.get("device-memory-limit")
_TRIES = 5  # a plan for more room may have larger tasks


@contextmanager
def a_fifth_of_room() -> Iterator[None]:
    """Give every computation a device that has room for a fifth of its data.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active(), a_fifth_of_room():
    ...     x = ga.random.default_rng(0).random(10**5, chunks=10**3, like="fake")
    ...     int(ga.sort(x).argmax().compute())
    99999
    """
    compute_nodes = run._compute_nodes

    def within_a_fifth(nodes: list[Node], handles: Any, *more: Any) -> Any:
        if POOL.limit is not None or config.get("device-memory-limit") != _WHOLE:
            return compute_nodes(nodes, handles, *more)
        room, beside = _room(nodes, handles)
        limit = room + kept_bytes()[DEVICE]
        with POOL.limited_to(room + beside), config.set({"device-memory-limit": limit}):
            return compute_nodes(nodes, handles, *more)

    with patch.object(run, "_compute_nodes", within_a_fifth):
        yield


def _room(nodes: Sequence[Node], handles: Sequence[Any]) -> tuple[int, int]:
    """Return the bytes that plans keep to, and those that the pool has beside them."""
    leaves = [node.meta for node in toposort(nodes) if not node.children]
    room = max(SMALLEST, sum(meta.nbytes for meta in leaves if meta.known) // 5)
    for _ in range(_TRIES):
        with config.set({"device-memory-limit": room + kept_bytes()[DEVICE]}):
            calls = calls_behind(handles, nodes)
            graph = calls.build(*calls.optimize(nodes))
        needed = max((task_bytes(graph, t) for t in graph.values()), default=0)
        if needed <= room:
            break
        room = needed
    small = (t.nbytes for t in graph.values() if t.space == DEVICE and t.nbytes < SMALLEST)
    return room, BESIDE + sum(small)
