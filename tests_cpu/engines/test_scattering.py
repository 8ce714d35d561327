"""Data of this process on their way to workers, some of which die meanwhile."""

import pytest

pytest.importorskip("dask", exc_type=ModuleNotFoundError)

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


def parcels(nbytes):
    each = Parcel()
    each.name, each.data = ("read-0", 0), (bytes(nbytes),)
    without = Parcel()
    without.name, without.data = ("sum-1", 1), ()
    return [each, without]


def test_much_is_sent_and_little_goes_with_its_tasks():
    assert scatter(Client(), parcels(2 << 20)) == {("read-0", 0): ("sent", (bytes(2 << 20),))}
    assert scatter(Client(), parcels(1 << 10)) == {}


def test_data_go_with_their_tasks_where_no_worker_is_there_yet():
    assert scatter(Client(TimeoutError("no workers found"), 0), parcels(2 << 20)) == {}


@pytest.mark.parametrize("error", [ConnectionResetError("by peer"), KeyError("tcp://gone")])
def test_data_go_with_their_tasks_where_a_worker_dies(error):
    assert scatter(Client(error), parcels(2 << 20)) == {}
