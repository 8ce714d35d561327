"""Pieces of a rechunk on their way from worker to worker."""

import asyncio
import pickle
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from distributed.shuffle._disk import DiskShardsBuffer  # noqa: E402
from distributed.shuffle._limiter import ResourceLimiter  # noqa: E402

from gpuscale.engines import remote_rechunk  # noqa: E402
from gpuscale.engines.remote_rechunk import AT_ONCE, MESSAGE, PART, RechunkSpec  # noqa: E402

SIDE, ROWS, LIMIT = 2048, 128, 16 << 20
BLOCK = ROWS * SIDE * 8
CHUNKS = (ROWS,) * (SIDE // ROWS)
SPEC = RechunkSpec(id="gpuscale-a", disk=True, old=(CHUNKS, (SIDE,)), new=((SIDE,), CHUNKS))


class Limiter(ResourceLimiter):
    """Remembers the most that it has let in."""

    most = 0

    def increase(self, value):
        super().increase(value)
        self.most = max(self.most, self._acquired)


class Network:
    """Runs of a rechunk on two workers of this process, and what is on its way to each."""

    def __init__(self, folder, limit, executor, spec=SPEC):
        columns = len(spec.new[1])
        worker_for = {(0, i): "ab"[2 * i // columns] for i in range(columns)}
        self.on_the_way, self.most_on_the_way = defaultdict(int), 0
        self.names = defaultdict(list)
        self.runs = {}
        for address in "ab":
            local = folder / address
            local.mkdir()
            worker = SimpleNamespace(
                local_directory=str(local),
                address=address,
                rpc=lambda to: SimpleNamespace(
                    shuffle_receive=lambda **message: self.receive(to, **message)
                ),
                digest_metric=lambda name, value: None,
                scheduler=None,
                loop=None,
                memory_manager=SimpleNamespace(memory_limit=limit),
            )
            plugin = SimpleNamespace(
                worker=worker,
                _executor=executor,
                memory_limiter_comms=Limiter(1 << 30),
                memory_limiter_disk=Limiter(100 << 20),
            )
            self.runs[address] = spec.create_run_on_worker(
                run_id=1, span_id=None, worker_for=worker_for, plugin=plugin
            )

    async def receive(self, to, data, shuffle_id, run_id):
        # As they come over the network: small pieces in one pickle, others one by one.
        sent = data.data
        data = pickle.loads(sent if isinstance(sent, bytes) else pickle.dumps(sent))
        nbytes = sum(piece.nbytes for _, pieces in data for _, (_, piece) in pieces)
        self.names[to] += [name for name, _ in data]
        self.on_the_way[to] += nbytes
        self.most_on_the_way = max(self.most_on_the_way, self.on_the_way[to])
        try:
            return await self.runs[to].receive(data)
        finally:
            self.on_the_way[to] -= nbytes

    async def hand_over(self, address, block, index):
        """Do what the task of a block does."""
        run = self.runs[address]
        await run._write_to_comm(run._shard_partition(block, index))

    async def end(self):
        for run in self.runs.values():
            await run.inputs_done()
        for run in self.runs.values():
            await run.flush_receive()

    async def close(self):
        for run in self.runs.values():
            await run.close()

    def most_held(self):
        """Bytes that waited to be sent, and to be written, where most of them did."""
        to_send = max(run._comm_buffer.memory_limiter.most for run in self.runs.values())
        return to_send, max(run._disk_buffer.memory_limiter.most for run in self.runs.values())


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def disk(monkeypatch):
    """A disk that stands still until it is told to go on."""
    goes_on, write = Event(), DiskShardsBuffer._write_frames

    def when_it_goes_on(self, frames, name):
        goes_on.wait(60)
        write(self, frames, name)

    monkeypatch.setattr(DiskShardsBuffer, "_write_frames", when_it_goes_on)
    yield goes_on
    goes_on.set()


def test_tasks_wait_for_a_disk_that_stands_still(tmp_path, executor, disk, monkeypatch):
    message = 1 << 18
    monkeypatch.setattr(remote_rechunk, "MESSAGE", message)
    a = np.arange(SIDE * SIDE, dtype=float).reshape(SIDE, SIDE)
    done = []

    async def task_of_a_worker(network, address, first):
        for i in range(first, len(CHUNKS), 2):
            await network.hand_over(address, a[i * ROWS : (i + 1) * ROWS], (i, 0))
            done.append(i)

    async def rechunk():
        network = Network(tmp_path, LIMIT, executor)
        tasks = [asyncio.create_task(task_of_a_worker(network, w, i)) for i, w in enumerate("ab")]
        for _ in range(2000):  # everything that does not wait for the disk
            await asyncio.sleep(0)
        handed_over = len(done)
        disk.set()
        await asyncio.gather(*tasks)
        await network.end()
        for run in network.runs.values():
            for _, column in run.partitions_of[run.local_address]:
                block = run._get_output_partition((0, column), "key")
                np.testing.assert_array_equal(block, a[:, column * ROWS : (column + 1) * ROWS])
        await network.close()
        return handed_over, network

    handed_over, network = asyncio.run(rechunk())
    assert 0 < handed_over < len(CHUNKS)
    assert network.most_on_the_way <= AT_ONCE * message
    to_send, to_write = network.most_held()
    slack = 1 << 16  # sizes of what is no array
    assert to_send <= LIMIT // PART + BLOCK + slack
    # Each of the messages that came while there was room is let in.
    at_once = network.runs["a"]._comm_buffer.concurrency_limit + AT_ONCE
    assert to_write <= LIMIT // PART + at_once * message + slack


def make_network(folder, executor, side=20, rows=10, limit=LIMIT):
    old = ((rows,) * (side // rows), (side,))
    spec = RechunkSpec(id="gpuscale-a", disk=True, old=old, new=old[::-1])
    return Network(folder, limit, executor, spec)


def test_pieces_for_the_worker_itself_take_no_network(tmp_path, executor, monkeypatch):
    async def send():
        network = make_network(tmp_path, executor)
        run, received = network.runs["a"], []

        async def receive(message):
            received.extend(message)
            return {"status": "OK"}

        monkeypatch.setattr(run, "receive", receive)
        piece = np.ones((10, 10))
        await run._comm_buffer.send("a", [((0, 0), [((0, 0), ((0, 0), piece))])])
        (_, ((_, (_, there)),)) = received[0]
        assert there is piece
        assert not network.names
        await run._comm_buffer.send("b", [((0, 0), [((0, 1), ((0, 0), piece))])])
        assert len(network.names["b"]) == len(received) == 1
        await network.close()

    asyncio.run(send())


def test_a_run_that_is_over_takes_no_pieces(tmp_path, executor):
    async def send():
        network = make_network(tmp_path, executor)
        await network.close()
        run = network.runs["a"]
        with pytest.raises(RuntimeError, match="closed"):
            await run._comm_buffer.send("a", [((0, 0), [((0, 0), ((0, 0), np.ones(3)))])])
        assert not run.received

    asyncio.run(send())


def test_what_a_worker_refuses_is_not_followed_by_more(tmp_path, executor, monkeypatch):
    async def send():
        network = make_network(tmp_path, executor)
        run, sent = network.runs["a"], []

        async def refuse(message):
            sent.append(message)
            return {"status": "error"}

        monkeypatch.setattr(run, "receive", refuse)
        pieces = [((0, i), ((0, 0), np.empty(MESSAGE, "u1"))) for i in range(3)]
        assert await run._comm_buffer.send("a", [((0, 0), pieces)]) == {"status": "error"}
        assert len(sent) == 1
        await network.close()

    asyncio.run(send())


def test_blocks_that_come_twice_are_taken_once(tmp_path, executor):
    """From the worker itself and from another one: their messages have the same names."""

    async def rechunk():
        network = make_network(tmp_path, executor)
        a = np.arange(400.0).reshape(20, 20)
        for address, i in [("a", 0), ("a", 1), ("b", 0), ("b", 1)]:
            await network.hand_over(address, a[10 * i : 10 * i + 10], (i, 0))
        await network.end()
        sizes = [run._disk_buffer.bytes_total for run in network.runs.values()]
        block = network.runs["b"]._get_output_partition((0, 1), "key")
        np.testing.assert_array_equal(block, a[:, 10:])
        await network.close()
        return sizes

    first, second = asyncio.run(rechunk())
    assert first == second < 2 * 1600 + 1600


@pytest.mark.parametrize("limit", [None, 0, 1 << 40])
def test_workers_with_much_memory_keep_to_what_dask_says(tmp_path, executor, limit):
    async def limits():
        network = make_network(tmp_path, executor, limit=limit)
        run = network.runs["a"]
        found = run._comm_buffer.memory_limiter.limit, run._disk_buffer.memory_limiter.limit
        await network.close()
        return found

    assert asyncio.run(limits()) == (1 << 30, 100 << 20)
