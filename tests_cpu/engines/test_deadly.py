"""What is said about a batch that its workers have died of."""

from types import SimpleNamespace

import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.engines.deadly import deadly
from gpuscale.engines.sending import pack
from gpuscale.run import graph_of


def crash(chunk):
    return chunk


def notes(collection):
    graph = graph_of(collection)
    parcels, _ = pack(graph, list(graph)[-1:], 1)
    parcel = next(each for each in parcels if not each.needs)
    worker = SimpleNamespace(memory_limit=0, address="tcp://a:1")
    error = SimpleNamespace(allowed_failures=0, last_worker=worker)
    told = deadly(SimpleNamespace(get_events=lambda topic: ()), error, parcel)
    return "".join(told.__notes__)


def test_what_runs_inside_of_a_task_is_named():
    said = notes((ga.ones(10, chunks=5).map_blocks(crash, dtype=float) + 1).sum())
    assert said.index("in operation crash, written at") < said.index("in operation add+sum")


def test_steps_of_frames_are_named():
    pd = pytest.importorskip("pandas")
    from gpuscale.dataframe import from_pandas

    frame = from_pandas(pd.DataFrame({"a": range(4)}), npartitions=2)
    assert "in operation crash, written at" in notes(frame.map_partitions(crash).fillna(0))


def test_calls_are_named():
    assert "in operation crash, written at" in notes(gs.delayed(crash)(1))
