"""Schedulers and workers as processes of their own, from their start to a signal that ends them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Nanny, Security
from distributed.core import Server

from gpuscale.cluster.ctrl_c import spawn_without_ctrl_c
from gpuscale.cluster.given_security import given_tls
from gpuscale.cluster.short_logs import shorten_logs

__all__ = ["hush_closed_connections", "pid_file", "run_servers", "said_tls"]


async def run_servers(
    make: Callable[[], Sequence[Server]],
    when_started: Callable[[Sequence[Server]], object] = lambda servers: None,
) -> None:
    """Start servers, and return when all have finished, or SIGTERM or Ctrl-C has closed them.

    Parameters
    ----------
    make : callable
        Makes them, in the loop that they are to live in.
    when_started : callable
        Called with all of them when they have started.
    """
    hush_closed_connections()
    shorten_logs()
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def ask(number: int) -> None:
        loop.remove_signal_handler(number)  # who asks twice will not wait
        asked.set()

    async def live() -> None:
        await asyncio.gather(*servers)
        when_started(servers)
        await asyncio.gather(*(each.finished() for each in servers))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)
    servers = make()
    if any(isinstance(each, Nanny) for each in servers):
        spawn_without_ctrl_c()
    living = asyncio.create_task(live())
    asking = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({living, asking}, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()
    finally:
        living.cancel()
        asking.cancel()
        await asyncio.gather(living, asking, return_exceptions=True)
        closing = [each.close(reason="asked to stop") for each in servers]
        await asyncio.gather(*closing, return_exceptions=True)


def hush_closed_connections() -> None:
    """Keep from the log a traceback for each connection that the other side closed, as at an end.

    Whoever misses the other side says so itself.
    """
    logging.getLogger("distributed.batched").setLevel(logging.WARNING)


def said_tls(chosen: Mapping[str, Any], role: str) -> Security | None:
    """Return the TLS of the options ``tls_*``, or of dask's configuration."""
    return given_tls(role, chosen["tls_ca_file"], chosen["tls_cert"], chosen["tls_key"])


@contextmanager
def pid_file(path: str | None) -> Iterator[None]:
    """Keep the number of this process in a file while it runs."""
    if not path:
        yield
        return
    Path(path).write_text(str(os.getpid()))
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)
