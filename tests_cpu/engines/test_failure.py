import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.engines.failure import annotate
from gpuscale.graph.task import Task


def note_of(task, *inputs):
    error = ValueError("no")
    annotate(error, task, inputs)
    (note,) = error.__notes__
    return note


def test_the_note_names_task_line_and_inputs():
    task = Task(("add", 1, 0), max, label="add+sum", origin=("model.py", 12))
    note = note_of(task, np.ones((2, 3)), np.ones(4, "i1"), "text")
    assert note.splitlines() == [
        "in operation add+sum, written at model.py:12",
        "  chunk: ('add', 1, 0)",
        "  shapes: (2, 3), (4,)",
        "  bytes: 52 B",
    ]


def test_what_is_unknown_is_left_out():
    assert note_of(Task("x", int)).splitlines() == ["in operation (unnamed)", "  chunk: x"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (("add+sum-3b60850109ec7656", 3, 2), "(3, 2)"),
        (("sum-3b60850109ec7656",), "()"),
        (("cumsum-3b60850109ec7656-carry", 1, 0), "(1, 0) of step carry"),
        (("mine", 3), "('mine', 3)"),
        ((), "()"),
    ],
)
def test_a_block_is_named_by_its_index_not_by_its_key(key, said):
    assert note_of(Task(key, max)).splitlines()[1] == f"  chunk: {said}"


def boom(chunk):
    raise ZeroDivisionError("no")


@pytest.mark.parametrize("write", ["to_npy", "to_npy_stack", "to_zarr", "store"])
def test_a_write_that_fails_names_the_block(write, tmp_path):
    if write == "to_zarr":
        pytest.importorskip("zarr", reason="zarr is an extra")
    x = ga.ones((2, 2), chunks=2).map_blocks(boom, dtype=float)
    with pytest.raises(ZeroDivisionError) as caught:
        getattr(ga, write)(x, np.zeros((2, 2)) if write == "store" else tmp_path / "x")
    (note,) = caught.value.__notes__
    assert note.splitlines()[1] == "  chunk: (0, 0)"
