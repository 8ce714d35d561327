"""Kernels of steps, and how work on partitions is merged into one task."""

import operator

import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.expr.kernels import Block
from gpuscale.expr.physical import Blockwise
from gpuscale.expr.stages import optimize
from gpuscale.expr.steps import Step, StepsKernel, Value
from gpuscale.expr.walk import toposort

BLOCK = Block((0,), (0,), (3,), "pandas")
X, Y = Value(0), Value(1)


def test_steps_are_functions_of_those_before():
    steps = (
        Step(operator.add, (X, Y), label="add"),
        Step(operator.mul, (Value(2), X), label="mul"),
    )
    kernel = StepsKernel(2, steps)
    assert kernel(BLOCK, [3, 4]) == 21
    assert kernel.label == "add+mul"


def test_inputs_are_dropped_after_their_last_use():
    alive = []

    class Part:
        def __del__(self):
            alive.append("gone")

    def first(part):
        return 1

    def second(number):
        return list(alive)

    inputs = [Part()]
    kernel = StepsKernel(1, (Step(first, (X,)), Step(second, (Value(1),))))
    assert kernel(BLOCK, inputs) == ["gone"]


def test_errors_name_the_step_and_its_line():
    steps = (Step(operator.truediv, (X, 0), label="div", origin=("program.py", 7)),)
    with pytest.raises(ZeroDivisionError) as caught:
        StepsKernel(1, steps)(BLOCK, [1])
    assert "div, written at program.py:7" in caught.value.__notes__[0]


PDF = pd.DataFrame({"x": [1, 2, 3, 4], "y": [5, 6, 7, 8]})


def blockwise(*collections):
    roots = optimize([each.expr for each in collections])
    return [node for node in toposort(roots) if isinstance(node, Blockwise)]


def test_chains_and_diamonds_are_one_task():
    df = gd.from_pandas(PDF, npartitions=2)
    z = df.x * 2
    assert len(blockwise((z + df.y) / z)) == 1
    assert len(blockwise(df[z > 2].y.sum())) == 1


def test_what_two_results_need_is_computed_once():
    df = gd.from_pandas(PDF, npartitions=2)
    calls = []

    def counted(part):
        calls.append(len(part))
        return part * 2

    z = df.x.map_partitions(counted, meta=("x", "int64"))
    one, other = gpuscale.compute(z.sum(), z.max(), engine="sync")
    assert (one, other, len(calls)) == (20, 8, 2)
    calls.clear()
    kept, total = gpuscale.compute(z, z.sum(), engine="sync")
    assert (kept.tolist(), total, len(calls)) == ([2, 4, 6, 8], 20, 2)
