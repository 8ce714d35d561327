"""What tasks meet at, where no client of its cluster is open."""

import pytest

import gpuscale as gs
from gpuscale.base.errors import EngineError

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale import cluster as names  # noqa: E402
from gpuscale.cluster import Client, LocalCluster  # noqa: E402

USES = {
    "Event": lambda event: event.set(),
    "Lock": lambda lock: lock.acquire(),
    "Queue": lambda queue: queue.put(1),
    "Semaphore": lambda semaphore: semaphore.acquire(),
    "Variable": lambda variable: variable.set(1),
}


@pytest.fixture(scope="module")
def left():
    """Of a cluster that is closed: some that were used, and some that were not."""
    options = {"processes": False, "dashboard_address": None}
    with LocalCluster(n_workers=0, **options) as cluster, Client(cluster):
        made = {name: getattr(names, name)(name=f"{name}-a") for name in USES}
        assert all(type(getattr(gs, name)(name=f"{name}-a")) is type(made[name]) for name in USES)
        used = {name: getattr(names, name)(name=f"{name}-b") for name in USES}
        for name, use in USES.items():
            use(used[name])
    return [made, used]


@pytest.mark.parametrize("name", USES)
def test_what_needs_an_open_client_says_so(left, name):
    alone = {name: getattr(names, name)(name=f"{name}-c")}
    for each in (*left, alone):
        with pytest.raises(EngineError, match=r"no client of it is open|client .* was closed"):
            USES[name](each[name])
