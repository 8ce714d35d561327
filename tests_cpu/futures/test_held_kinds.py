"""Which of the results that futures hold go to disk where room is lacking, and which stay."""

import logging
import re
import threading
from dataclasses import dataclass

import numpy as np
import pytest

import gpuscale as gs

from .held import LIMIT, N, alive, files, filled, settle, wait_until

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2, memory_limit=LIMIT) as client:
        yield client


def read_only(k):
    value = filled(k)
    value.flags.writeable = False
    return value


@pytest.mark.parametrize("kind", [lambda x: x, lambda x: (x, x.copy()), lambda x: [x, 1]])
def test_what_is_read_only_stays_so(client, kind):
    futures = client.map(lambda k: kind(read_only(k)), range(6))
    gs.wait(futures)
    settle(client)
    assert files()
    for k, future in enumerate(futures):
        value = future.result()
        value = value if isinstance(value, np.ndarray) else value[0]
        assert value[0] == k and not value.flags.writeable


@dataclass
class Pair:
    left: np.ndarray
    name: str


CONTAINERS = {
    "list": lambda k: [filled(k), "x", None],
    "dict": lambda k: {"x": filled(k), ("y", 1): [k]},
    "tuple": lambda k: (filled(k), k),
    "arrays": lambda k: (filled(k), filled(k)),
    "dataclass": lambda k: Pair(filled(k), str(k)),
    "bytes": lambda k: bytes([k]) * (8 * N),
    "view": lambda k: filled(k).reshape(100, -1).T,
    "text": lambda k: str(k) * (8 * N),
    "numbers": lambda k: [k + 1.5 * j for j in range(N // 5)],
    "texts": lambda k: [f"text {k} {j}" for j in range(N // 10)],
    "records": lambda k: [{"k": k, "n": j, "t": f"text {j}"} for j in range(N // 40)],
    "set": lambda k: {k * N + j for j in range(N // 10)},
    "texts by number": lambda k: {j: f"text {k} {j}" for j in range(N // 10)},
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_containers_of_data_go_and_come_back(client, kind):
    make = CONTAINERS[kind]
    futures = client.map(make, range(8))
    gs.wait(futures)
    settle(client)
    assert files()
    for _ in range(2):
        for k, future in enumerate(futures):
            value = future.result()
            assert type(value) is type(make(k)) is future.type
            assert value == make(k) if kind == "set" else repr(value) == repr(make(k))
            del value
        settle(client)


def test_tables_go_and_come_back(client):
    pd = pytest.importorskip("pandas")
    futures = client.map(lambda k: pd.DataFrame({"x": filled(k), "n": "text"}), range(6))
    gs.wait(futures)
    settle(client)
    assert files()
    for k, future in enumerate(futures):
        assert (future.result()["x"] == k).all()


class Model:
    """Something that may be known elsewhere."""

    def __init__(self, k):
        self.k, self.weights = k, filled(k)
        self.lock = threading.Lock()

    @property
    def nbytes(self):
        return self.weights.nbytes


def test_small_results_go_to_disk_in_few_files(client):
    futures = client.map(lambda k: np.full(1_000, k), range(1_000))  # 8 MB
    assert client.gather(client.map(lambda x: x[7].item(), futures)) == list(range(1_000))
    settle(client)
    assert 0 < len(files()) < 20 and alive(client) <= LIMIT
    assert [futures[k].result()[-1] for k in (0, 500, 999)] == [0, 500, 999]
    del futures
    settle(client)
    assert files() == []


def test_very_small_results_stay_and_a_warning_says_so(client, caplog):
    with caplog.at_level(logging.WARNING, "gpuscale.client"):
        texts = client.map(lambda k: f"{k:04}" * 500, range(1_500))  # 3 MB
        assert client.gather(client.map(len, texts)) == [2_000] * 1_500
        wait_until(lambda: not client._session._seats)
    (message,) = caplog.messages
    assert re.search(r"go to disk: [\d.]+ MiB in results smaller than 4.0 KiB each;", message)


def test_what_is_more_than_data_stays_and_a_warning_says_so(client, caplog):
    with caplog.at_level(logging.WARNING, "gpuscale.client"):
        futures = client.map(Model, range(6))
        gs.wait(futures)
        wait_until(lambda: not client._session._seats)
        assert [future.result().k for future in futures] == list(range(6))
        assert files() == []
        assert len(caplog.messages) == 1
    assert "more than the client's memory limit of 1.9 MiB" in caplog.text
    assert "MiB in what is more than arrays, tables, bytes" in caplog.text
    assert "release futures" in caplog.text


def test_a_result_of_shared_parts_stays(client):
    shared = filled(1)
    futures = [client.submit(lambda k: [shared, filled(k)], k) for k in range(6)]
    gs.wait(futures)
    wait_until(lambda: not client._session._seats)
    assert all(future.result()[0] is shared for future in futures)
