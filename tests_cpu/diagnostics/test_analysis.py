import re

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.diagnostics.trial import trial_run
from gpuscale.graph.task import Task


def expression():
    x = ga.map_blocks(np.sort, ga.ones((400, 400), chunks=100), dtype=float)
    return x - x.mean(axis=0)


@pytest.mark.parametrize("engine", ["threads", "sync"])
def test_what_was_planned_stands_beside_what_happened(engine):
    x = expression()
    with config.set({"engine": engine}):
        *lines, total = x.explain(analyze=True).splitlines()
    planned = x.explain().splitlines()
    assert lines[0].split()[:6] == ["operations", "node", "tasks", "reads", "writes", "wrote"]
    assert len(lines) == len(planned) - 1  # the same rows, and nothing else
    for line in lines[2:]:
        assert re.search(r"(\d[\d.]* \w+)  +\1 ", line), "wrote what it said it would write"
        assert re.search(r"\d (us|ms|s)  .*test_analysis\.py:\d+$", line)
    assert re.match(r"\d+ tasks in ", total)
    assert re.search(r"peak [\d.]+ KiB, projected [\d.]+ KiB, memory limit ", total)


def test_results_are_not_kept():
    x = ga.map_blocks(np.sort, ga.ones((1000, 1000), chunks=100), dtype=float)
    with config.set({"memory-limit": "1 MiB", "num-workers": 1}):
        text = x.explain(analyze=True)  # 8 MB of results
    peak = re.search(r"peak ([\d.]+) KiB", text)
    assert float(peak[1]) < 1024


def test_a_plan_that_does_not_fit_is_refused():
    with (
        config.set({"memory-limit": "10 KiB"}),
        pytest.raises(MemoryBudgetError, match="memory limit"),
    ):
        expression().explain(analyze=True)


def test_only_plans_can_be_analyzed():
    with pytest.raises(ValueError, match="only stage='plan'"):
        expression().explain("fuse", analyze=True)


def test_a_trial_lets_go_of_results_and_tells_of_failures():
    record = trial_run({k: Task(k, np.ones, (), (10,), nbytes=80) for k in "abc"}, "abc")
    assert record.memory.alive.max() <= 3 * 80
    assert len(record.keys) == 6
    with pytest.raises(ZeroDivisionError):
        trial_run({"x": Task("x", lambda: 1 // 0)}, ["x"])
