"""Pieces of a rechunk on their way from worker to worker."""

import asyncio

import pytest

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from distributed.shuffle._rechunk import ArrayRechunkSpec  # noqa: E402

from gpuscale.engines.remote_rechunk import RechunkSpec  # noqa: E402


class Buffer:
    async def send(self, address, pieces):
        return (address, pieces)


class Run:
    """What `RechunkSpec` needs of a run of dask.distributed."""

    local_address = "here"

    def __init__(self):
        self._comm_buffer, self.received, self.is_closed = Buffer(), [], False
        self._disk_buffer = None

    def raise_if_closed(self):
        if self.is_closed:
            raise RuntimeError("closed")

    async def receive(self, pieces):
        self.received.append(pieces)
        return {"status": "OK"}


@pytest.fixture
def run(monkeypatch):
    run = Run()
    monkeypatch.setattr(ArrayRechunkSpec, "create_run_on_worker", lambda self, **options: run)
    spec = RechunkSpec(id="a", disk=True, new=((1,),), old=((1,),))
    assert spec.create_run_on_worker(run_id=1) is run
    return run


def test_pieces_for_the_worker_itself_take_no_network(run):
    pieces = [object()]
    assert asyncio.run(run._comm_buffer.send("here", pieces)) == {"status": "OK"}
    assert run.received[0] is pieces
    assert asyncio.run(run._comm_buffer.send("there", pieces)) == ("there", pieces)
    assert len(run.received) == 1


def test_a_run_that_is_over_takes_no_pieces(run):
    run.is_closed = True
    with pytest.raises(RuntimeError, match="closed"):
        asyncio.run(run._comm_buffer.send("here", [object()]))
    assert not run.received
