"""Results that futures hold beyond the limit of their client, for tests of where they go."""

import time
from pathlib import Path

import numpy as np

from gpuscale.memory.spill_folder import spill_root

N = 100_000  # numbers in a result: 800 kB
LIMIT = 2_000_000


def files():
    return [path for path in Path(spill_root()).glob("*/*") if path.is_file()]


def filled(value):
    return np.full(N, float(value))


def alive(client):
    return client._session.job.state.alive[0]


def wait_until(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.005)


def settle(client):
    """Wait until the client holds no more in memory than it may, once something happens."""
    client.submit(abs, -1, pure=False).result()
    wait_until(lambda: alive(client) <= LIMIT and not client._session._seats)
