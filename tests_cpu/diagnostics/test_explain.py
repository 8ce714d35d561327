"""What an explanation says, and that it is true of the graph that runs."""

import re

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.sizes import format_bytes
from gpuscale.diagnostics.explain import explain
from gpuscale.diagnostics.plan import plan_rows
from gpuscale.expr import stages
from gpuscale.graph.build import build
from gpuscale.testing import nothing_computes


def expression():
    x = ga.from_array(np.ones((8, 6)), chunks=(4, 3))
    return (x + x.mean(axis=0)).sum(axis=1)


def rows_of(x):
    physical = stages.optimize([x.expr])
    graph = build(physical)
    return plan_rows(physical, graph), graph


def test_the_plan_has_a_row_for_each_physical_node():
    with nothing_computes():
        text = str(expression().explain())
    lines = text.splitlines()
    assert lines[0].split()[:3] == ["operations", "node", "tasks"]
    assert "mean" in text
    assert "TreeReduce" in text
    assert re.search(r"\d+ tasks; projected peak .* with two workers, memory limit", lines[-1])


def test_rows_count_the_tasks_and_bytes_of_the_graph():
    rows, graph = rows_of(expression())
    assert sum(row.tasks for row in rows) == len(graph)
    assert sum(row.written for row in rows) == sum(task.nbytes for task in graph.values())
    assert sum(row.read for row in rows) == 2 * 8 * 6 * 8  # once for the means, once with them
    assert all(row.peak >= row.written / max(row.tasks, 1) for row in rows)


def test_rows_name_the_users_line():
    rows, _ = rows_of(expression())
    assert all(re.fullmatch(r"test_explain\.py:\d+", row.line) for row in rows)


def test_broadcast_inputs_are_read_as_small_as_they_are():
    x = ga.from_array(np.ones((8, 1)), chunks=4) + ga.zeros((8, 100), chunks=(4, 100))
    rows, _ = rows_of(x)
    assert sum(row.read for row in rows) == 8 * 8


@pytest.mark.parametrize("stage", ["expression", "simplify", "lower", "fuse"])
def test_stages_are_trees(stage):
    lines = expression().explain(stage).splitlines()
    assert lines[0].endswith("float64 (8,), 2 blocks, 64 B")
    assert all(line.startswith("  ") for line in lines[1:])
    assert ("Blockwise" in "\n".join(lines)) == (stage in ("lower", "fuse"))


def test_shared_parts_are_shown_once():
    x = ga.map_blocks(np.sort, ga.ones(4), dtype=float)
    text = explain([(x.sum() + x.max()).expr], "lower")
    assert text.count("(see above)") == 1


def test_everything_at_once():
    text = expression().explain("all")
    found = re.findall(r"^--- (\w+) ---$", text, flags=re.MULTILINE)
    assert found == ["expression", "simplify", "lower", "fuse", "plan"]
    assert repr(text) == str(text)


def test_stages_that_do_not_exist():
    with pytest.raises(ValueError, match="no stage 'graph'"):
        expression().explain("graph")


def test_a_plan_for_a_device_that_is_not_here():
    x = ga.ones((4, 4), chunks=2, like="cupy")
    with nothing_computes():
        assert "sum" in (x + 1).sum(axis=0).explain()


def test_sizes_that_depend_on_data():
    x = ga.arange(9, chunks=4)
    assert "?" in x[x > 3].explain("expression")


def test_the_projected_peak_is_that_of_a_small_part():
    x = ga.ones((4000, 4000), chunks=1000)
    text = (x + 1).map_blocks(np.sqrt).sum().explain()
    peak = re.search(r"projected peak (.*?) with", text)[1]
    assert peak.split()[1] == "MiB"
    assert float(peak.split()[0]) < 100
    assert format_bytes(x.nbytes) not in peak


def _lines(shape, chunks):
    return ga.from_array(np.ones(shape), chunks=chunks)


REFUSED = {
    "the result would take": lambda: _lines((500, 500), (50, 500)) + 1,
    "fft needs axis 0 whole: use smaller chunks along axis 1": lambda: ga.fft.fft(
        _lines((10_000, 20), (100, 20)), axis=0
    ).sum(),
    "fft needs axis 0 whole, and smaller chunks do not help": lambda: ga.fft.fft(
        _lines((200_000,), 1000)
    ).sum(),
    "inv needs axes 0 and 1 whole, and smaller chunks do not help": lambda: ga.linalg.inv(
        _lines((400, 400), 50)
    ).sum(),
    "total needs axis 1 whole: use smaller chunks along axis 0": lambda: (
        _lines((4, 100_000), (4, 500)).map_blocks(total, drop_axis=1, dtype=float).sum()
    ),
    "; use smaller chunks, or raise": lambda: (
        _lines((400, 400), 50).rechunk(400).map_blocks(np.copy, dtype=float).sum()
    ),
}


def total(block):
    return block.sum(axis=1)


@pytest.mark.parametrize("words", REFUSED)
def test_what_compute_refuses_an_explanation_says(words):
    with config.set({"memory-limit": "1 MiB"}):
        x = REFUSED[words]()
        with pytest.raises(MemoryBudgetError) as caught:
            x.compute()
        text = str(x.explain())
    assert words in str(caught.value)
    assert text.splitlines()[-1] == f"compute() refuses this: {caught.value}"
    assert "goes to disk" not in text


def test_what_compute_does_beyond_the_limit_goes_to_disk():
    with config.set({"memory-limit": "1 MiB"}):
        x = _lines((600, 600), (20, 600)).map_blocks(np.copy, dtype=float).rechunk((600, 20))
        y = x.map_blocks(np.copy, dtype=float).sum()
        text = str(y.explain())
        assert y.compute() == 360_000
    assert text.endswith("the rest goes to disk")
