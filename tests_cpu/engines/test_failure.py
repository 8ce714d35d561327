import numpy as np

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
