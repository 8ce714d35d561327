import re
import sys
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.engines.failure import annotate, task_name, too_late
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


@pytest.mark.parametrize(
    ("key", "label", "said"),
    [
        ("load-1f2e3d4c-17", "load", "load"),
        ("load-" + "0123456789abcdef" * 2, "load", "load"),
        ("mine", "load", "load ('mine')"),
        ("mine", "", "'mine'"),
        ("load-1f2e3d4c-17", "", "'load-1f2e3d4c-17'"),
        (("add+sum-3b60850109ec7656", 3, 2), "add+sum", "add+sum, chunk (3, 2)"),
        (("cumsum-3b60850109ec7656-carry", 1), "cumsum", "cumsum, chunk (1,) of step carry"),
        (("add-3b60850109ec7656", 1), "", "add, chunk (1,)"),
    ],
)
def test_messages_name_what_a_task_does_not_its_made_up_key(key, label, said):
    task = Task(key, max, label=label)
    assert task_name(task) == said
    assert str(too_late(task, 2.5)).startswith(f"task {said} took longer than its timeout of 2.5 s")


def test_failures_are_named_by_what_failed_and_keep_the_key():
    calls = [gs.delayed(divmod)(1, 0), gs.delayed(divmod)(1, 0, dask_key_name="mine")]
    x = ga.ones((4, 4), chunks=2).map_blocks(lambda chunk: 1 // 0, dtype=float)
    one, own, blocks = gs.compute(*calls, x, on_error="continue")
    assert repr(one) == f"<Failure of divmod: {one.error!r}>"
    assert repr(own).startswith("<Failure of divmod ('mine'): ZeroDivisionError(")
    assert repr(blocks).startswith("<Failure of <lambda>, chunk (")
    assert (one.key, own.key) == (calls[0].key, "mine")


def test_futures_that_are_late_cancelled_or_strange_are_named_by_what_they_do():
    go_on = threading.Event()

    def load(_=None):
        return go_on.wait(20)

    with gs.Client(threads_per_worker=1, set_as_default=False) as client:
        late, behind = client.map(load, [1, 2])
        with pytest.raises(TimeoutError, match="^load has not finished within 0.01 seconds"):
            late.result(0.01)
        with gs.Client(threads_per_worker=1, set_as_default=False) as other:
            with pytest.raises(ValueError, match="^future load belongs to another client"):
                other.submit(abs, late)
            with pytest.raises(ValueError, match="^future load belongs to another client"):
                other.cancel(late)
        behind.cancel()
        with pytest.raises(CancelledError, match="^argument load was cancelled or released"):
            client.submit(abs, behind)
        never = client.submit(load, 3)
        threading.Timer(0.01, go_on.set).start()
    with pytest.raises(CancelledError, match="^load was cancelled: its client was closed"):
        never.result(20)


def test_inputs_without_a_size_are_said_to_have_none():
    error = MemoryError("no")
    annotate(error, Task(("unique-0123456789abcdef", 0), len, label="unique"), [(np.ones(3),)])
    assert "bytes" not in error.__notes__[0]


def leave(chunk):
    sys.exit(3)


def test_what_exits_inside_of_a_task_is_named():
    with pytest.raises(SystemExit) as caught:
        ga.ones(4, chunks=2).map_blocks(leave, dtype=float).sum().compute()
    assert "in operation leave, written at" in caught.value.__notes__[0]
