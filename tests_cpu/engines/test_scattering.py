"""Data of this process on their way to workers, some of which die meanwhile."""

import pytest

pytest.importorskip("dask", exc_type=ModuleNotFoundError)

from gpuscale.engines import scattering  # noqa: E402
from gpuscale.engines.scattering import scatter  # noqa: E402
from gpuscale.engines.sending import Parcel  # noqa: E402


class Client:
    """Takes data, or fails to."""

    asynchronous = False

    def __init__(self, error=None, n_workers=1):
        self.error, self.n_workers = error, n_workers

    def scheduler_info(self):
        return {"workers": {f"tcp://{i}": {} for i in range(self.n_workers)}}

    def scatter(self, data, hash):  # noqa: A002 - the name of dask.distributed
        if self.error is not None:
            raise self.error
        return [("sent", each) for each in data]


def parcel(name, *data):
    each = Parcel()
    each.name, each.data = name, data
    return each


def parcels(nbytes):
    return [parcel(("read-0", 0), bytes(nbytes)), parcel(("sum-1", 1))]


def test_much_is_sent_and_little_goes_with_its_tasks():
    assert scatter(Client(), parcels(2 << 20)) == {("read-0", 0): ("sent", (bytes(2 << 20),))}
    assert scatter(Client(), parcels(1 << 10)) == {}


def test_data_go_with_their_tasks_where_no_worker_is_there_yet():
    assert scatter(Client(TimeoutError("no workers found"), 0), parcels(2 << 20)) == {}


@pytest.mark.parametrize("error", [ConnectionResetError("by peer"), KeyError("tcp://gone")])
def test_data_go_with_their_tasks_where_a_worker_dies(error):
    assert scatter(Client(error), parcels(2 << 20)) == {}


class OfMessages(Client):
    """Loses its worker after some messages."""

    def __init__(self, most):
        super().__init__()
        self.sizes, self.most = [], most

    def scatter(self, data, hash):  # noqa: A002
        if len(self.sizes) == self.most:
            raise ConnectionResetError("by peer")
        self.sizes.append(sum(len(each) for values in data for each in values))
        return super().scatter(data, hash)


def test_no_message_is_larger_than_workers_have_room_for(monkeypatch):
    monkeypatch.setattr(scattering, "MESSAGE", 1 << 20)
    many = [parcel(k, bytes(400 << 10)) for k in range(6)]
    client = OfMessages(most=9)
    assert list(scatter(client, many)) == list(range(6))
    assert client.sizes == [800 << 10] * 3
    # What did not arrive goes with its tasks.
    assert list(scatter(OfMessages(most=2), many)) == [0, 1, 2, 3]
