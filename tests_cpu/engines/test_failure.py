import re

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.engines.failure import annotate
from gpuscale.graph.task import Task


def note_of(task, *inputs):
    error = ValueError("no")
    annotate(error, task, inputs)
    (note,) = error.__notes__
    return note


def test_the_note_names_task_line_and_inputs():
    key = ("add-3b60850109ec7656", 1, 0)
    task = Task(key, max, label="add+sum", origin=("model.py", 12))
    note = note_of(task, np.ones((2, 3)), np.ones(4, "i1"), "text")
    assert note.splitlines() == [
        "in operation add+sum, written at model.py:12",
        "  chunk: (1, 0)",
        "  shapes: (2, 3), (4,)",
        "  bytes: 52 B",
    ]


def test_what_is_unknown_is_left_out():
    key = ("add-3b60850109ec7656", 1)
    assert note_of(Task(key, int)).splitlines() == ["in operation (unnamed)", "  chunk: (1,)"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (("add+sum-3b60850109ec7656", 3, 2), "(3, 2)"),
        (("sum-3b60850109ec7656",), "()"),
        (("cumsum-3b60850109ec7656-carry", 1, 0), "(1, 0) of step carry"),
    ],
)
def test_a_block_is_named_by_its_index_not_by_its_key(key, said):
    assert note_of(Task(key, max)).splitlines()[1] == f"  chunk: {said}"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("max-1f2e3d4c-17", "max"),
        ("max-" + "0123456789abcdef" * 2, "max"),
        ("mine", "max ('mine')"),
        (("mine", 3), "max (('mine', 3))"),
        ((), "max (())"),
        ("max", "max"),
        (7, "max (7)"),
    ],
)
def test_names_of_the_users_are_told_and_made_up_ones_are_not(key, said):
    lines = note_of(Task(key, max, ("x",), (3,), label="max"), 2).splitlines()
    assert lines == [f"in operation {said}", "  call: max(2, 3)"]


def wrong(*args, **kwargs):
    raise ValueError("no")


class Slow:
    """What takes for ever to show itself."""

    def __repr__(self):
        raise AssertionError("nobody asked for this")

    __str__ = __repr__


def calls_that_fail():
    five = gs.delayed(int)("5")
    yield gs.delayed(wrong)(five, "x" * 1000), "wrong(5, '" + "x" * 40 + "'...)"
    yield gs.delayed(wrong)([five, 1], {"k": five}, key=five), "wrong([5, 1], {'k': 5}, key=5)"
    yield gs.delayed(wrong)(Slow(), [Slow()]), "wrong(<Slow>, [<Slow>])"
    yield gs.delayed(wrong)(*range(100)), "wrong(0, 1, 2, 3, 4, 5, 94 more)"
    yield gs.delayed("text").index("q"), "index('text', 'q')"
    yield gs.delayed(1) / 0, "truediv(1, 0)"
    yield gs.delayed(wrong)(ga.ones((4, 2), chunks=2)), "wrong(<ndarray float64 (4, 2)>)"
    yield gs.delayed(lambda n: 1 // n)(0), "lambda(0)"


@pytest.mark.parametrize(("value", "said"), list(calls_that_fail()), ids=range(8))
def test_the_note_of_a_delayed_call_shows_the_call(value, said):
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        value.compute()
    where, call, *_ = caught.value.__notes__[0].splitlines()
    assert re.fullmatch(r"in operation \w+, written at .*test_failure\.py:\d+", where)
    assert call == f"  call: {said}"


def test_the_note_of_a_submitted_call_shows_the_call():
    with gs.Client(threads_per_worker=1) as client:
        five = client.submit(int, "5")
        plain, named = client.submit(wrong, five, 2), client.submit(wrong, [five], key="mine")
        (first,), (second,) = (each.exception().__notes__ for each in (plain, named))
    assert re.fullmatch(r"in operation wrong, written at .*:\d+\n  call: wrong\(5, 2\)", first)
    assert re.match(r"in operation wrong \('mine'\), written at ", second)
    assert second.endswith("  call: wrong([5])")


def boom(chunk):
    raise ZeroDivisionError("no")


@pytest.mark.parametrize("write", ["to_npy", "to_npy_stack", "to_zarr", "store"])
def test_a_write_that_fails_names_the_block(write, tmp_path):
    if write == "to_zarr":
        pytest.importorskip("zarr", reason="zarr is an extra")
    x = ga.ones((2, 2), chunks=2).map_blocks(boom, dtype=float)
    with pytest.raises(ZeroDivisionError) as caught:
        if write == "to_npy_stack":
            ga.to_npy_stack(tmp_path / "x", x)
        else:
            getattr(ga, write)(x, np.zeros((2, 2)) if write == "store" else tmp_path / "x")
    (note,) = caught.value.__notes__
    assert note.splitlines()[1] == "  chunk: (0, 0)"
