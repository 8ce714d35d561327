from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import MemoryBudgetError
from gpuscale.memory.projection import check_fits, check_measured, peak_bytes, task_bytes
from gpuscale.memory.spaces import DEVICE, HOST

GIB = 1 << 30


class Task:
    """What the projection needs to know of a task, and no more."""

    def __init__(self, key, deps=(), nbytes=0, workspace=0, label="", origin=None, fn=int, space=0):
        self.key, self.deps, self.nbytes, self.workspace = key, deps, nbytes, workspace
        self.label, self.origin, self.fn = label, origin, fn
        self.space = space


def of_host(limit):
    """The limits where nothing lies on a device."""
    return limit, 0


def graph_of(*tasks):
    return {task.key: task for task in tasks}


SUM = graph_of(
    Task("x", nbytes=GIB, label="ones", origin=("model.py", 3)),
    Task("y", nbytes=GIB),
    Task("x+y", ("x", "y"), GIB, GIB // 2, "add", ("model.py", 12)),
)


def test_inputs_result_and_workspace_are_in_use_together():
    assert task_bytes(SUM, SUM["x"]) == GIB
    assert task_bytes(SUM, SUM["x+y"]) == 3.5 * GIB


def test_a_plan_that_fits_passes():
    check_fits(SUM, of_host(3.5 * GIB), ["x+y"])
    check_fits({}, (0, 0))


def test_a_task_that_cannot_fit_is_named_with_its_line():
    with pytest.raises(MemoryBudgetError) as caught:
        check_fits(SUM, of_host(3 * GIB))
    message = str(caught.value)
    assert message.startswith("a task of add, written at model.py:12, needs 3.5 GiB at once")
    assert "2.0 GiB of inputs, 1.0 GiB of result and 512.0 MiB to work in" in message
    assert "the memory limit is 3.0 GiB" in message
    assert "smaller chunks" in message and "memory-limit" in message


def test_a_task_without_label_and_line():
    with pytest.raises(MemoryBudgetError, match=r"the task 'y' needs 1.0 GiB"):
        check_fits(graph_of(Task("y", nbytes=GIB)), of_host(10))


def test_inputs_that_are_read_in_regions_may_be_on_disk():
    def merge(*inputs):
        """Stands for a task that reads its inputs by slices."""

    x, y = Task("x", nbytes=8), Task("y", ("x",), nbytes=3, workspace=1, fn=merge)
    graph = {"x": x, "y": y}
    assert task_bytes(graph, graph["y"]) == 12
    merge.reads_regions = True
    assert task_bytes(graph, graph["y"]) == 4
    check_fits(graph, of_host(8))


def test_requested_results_are_in_memory_together():
    pieces = graph_of(*(Task(i, nbytes=GIB) for i in range(10)))
    check_fits(pieces, of_host(8 * GIB), [0, 1, 2])
    with pytest.raises(MemoryBudgetError, match="take 10.0 GiB together.*limit is 8.0 GiB.*files"):
        check_fits(pieces, of_host(8 * GIB), pieces)


ON_DEVICE = graph_of(
    Task("read", nbytes=GIB, label="read"),
    Task("up", ("read",), GIB, label="up", space=DEVICE),
    Task("sum", ("up", "read"), GIB, 2 * GIB, label="add", space=DEVICE),
    Task("down", ("sum",), GIB, label="to_host"),
)


def test_each_space_has_a_limit_of_its_own():
    check_fits(ON_DEVICE, (GIB, 4 * GIB), ["down"])
    with pytest.raises(
        MemoryBudgetError,
        match=r"task of add needs 4.0 GiB at once on the device: 1.0 GiB of inputs.*"
        r"device memory limit is 3.0 GiB.*device-memory-limit",
    ):
        check_fits(ON_DEVICE, (GIB, 3 * GIB))
    with pytest.raises(MemoryBudgetError, match=r"task of read needs .* the memory limit is 1 B"):
        check_fits(ON_DEVICE, (1, 4 * GIB))
    with pytest.raises(
        MemoryBudgetError,
        match=r"results take 2.0 GiB .* device memory limit is 1.5 GiB.*device-memory-limit",
    ):
        check_fits(
            {k: ON_DEVICE[k] for k in ("read", "up")}
            | {"more": Task("more", nbytes=GIB, space=DEVICE)},
            (GIB, 1.5 * GIB),
            ["up", "more"],
        )


def test_the_peaks_of_two_spaces():
    assert peak_bytes(ON_DEVICE, ON_DEVICE, ["down"]) == GIB
    assert peak_bytes(ON_DEVICE, ON_DEVICE, ["down"], space=DEVICE) == 4 * GIB


def test_the_peak_of_a_chain():
    chain = graph_of(Task("a", nbytes=5), Task("b", ("a",), 7, 2), Task("c", ("b",), 1))
    assert peak_bytes(chain, "abc", "c") == 5 + 7 + 2
    assert peak_bytes(chain, "abc", "abc") == 14
    assert peak_bytes({}, "") == 0


def test_the_peak_of_several_workers():
    maps = graph_of(
        *(Task(("x", i), (), 100) for i in range(9)),
        *(Task(("y", i), (("x", i),), 1) for i in range(9)),
    )
    order = [(name, i) for i in range(9) for name in "xy"]
    kept = [("y", i) for i in range(9)]
    assert peak_bytes(maps, order, kept) == 100 + 9
    assert peak_bytes(maps, order, kept, n_workers=2) == 200 + 8
    assert peak_bytes(maps, order, kept, n_workers=18) == sum(t.nbytes for t in maps.values())


@given(st.integers(0, 2**32), st.integers(1, 15), st.integers(1, 4))
def test_more_workers_never_need_less(seed, n, n_workers):
    rng = Random(seed)
    tasks = [
        Task(
            i,
            tuple(rng.choices(range(i), k=rng.randrange(3))) if i else (),
            rng.randint(0, 9),
            rng.randint(0, 9),
        )
        for i in range(n)
    ]
    graph = graph_of(*tasks)
    kept = rng.sample(range(n), rng.randint(0, n))
    peaks = [peak_bytes(graph, range(n), kept, w) for w in range(1, n_workers + 1)]
    assert peaks == sorted(peaks)
    assert peaks[0] >= max(task_bytes(graph, task) for task in tasks)
    assert peaks[0] == walk(tasks, kept)


def walk(tasks, kept):
    """The peak of one worker by keeping the set of living results."""
    alive, peak = {}, 0
    for i, task in enumerate(tasks):
        peak = max(peak, sum(alive.values()) + task.nbytes + task.workspace)
        alive[i] = task.nbytes
        later = {dep for other in tasks[i + 1 :] for dep in other.deps} | set(kept)
        alive = {key: nbytes for key, nbytes in alive.items() if key in later}
    return peak


def same(value):
    return value


same.hands_on = True


def test_what_is_handed_on_stays_alive():
    graph = graph_of(
        *(Task(("x", i), (), 100) for i in range(3)),
        *(Task(("y", i), (("x", i),), fn=same) for i in range(3)),
        Task("z", [("y", i) for i in range(3)], 1),
    )
    order = [*((name, i) for i in range(3) for name in "xy"), "z"]
    assert peak_bytes(graph, order, ["z"]) == 301
    assert task_bytes(graph, graph["z"]) == 301
    del graph["z"]
    with pytest.raises(MemoryBudgetError, match="take 200 B together"):
        check_fits(graph, of_host(150), [("y", 0), ("y", 1)])


class Distinct:
    """What returns at most as much as it gets, with as much to work in."""

    advice = "there are too many"

    def needs(self, inputs):
        return sum(inputs), sum(inputs)


def test_where_data_decide_only_what_is_measured_refuses():
    merge = Task("y", ("x",), 100, 100, fn=Distinct(), label="unique", origin=("a.py", 1))
    graph = graph_of(Task("x", (), 100), merge, Task("z", ("y",), 1))
    check_fits(graph, of_host(150), ["y"])
    assert peak_bytes(graph, "xyz") == 300
    check_measured(merge, [(50, HOST)], of_host(150))
    with pytest.raises(
        MemoryBudgetError,
        match=r"unique, written at a.py:1, needs 180 B at once.*"
        r"60 B of inputs.* there are too many",
    ):
        check_measured(merge, [(60, HOST)], of_host(150))


def test_a_function_knows_what_would_help():
    def sample():
        """Stands for a task that grows with the number of chunks."""

    sample.advice = "use larger chunks"
    with pytest.raises(MemoryBudgetError, match="9 B; use larger chunks, or raise"):
        check_fits({"x": Task("x", nbytes=10, fn=sample)}, of_host(9))


def test_who_makes_what_is_too_large_says_what_would_help_not_who_reads_it():
    def whole():
        """Stands for a function that needs all axes whole."""

    whole.advice = "make the array smaller"
    graph = graph_of(
        Task("write", ("whole",), label="write"),
        Task("whole", ("joined",), 10, label="inv", fn=whole),
        Task("joined", ("x",), 10, label="rechunk"),
        Task("x", nbytes=1),
    )
    with pytest.raises(MemoryBudgetError, match="a task of inv .*; make the array smaller, or"):
        check_fits(graph, of_host(9))
    graph["whole"].fn = int  # nobody says anything: then it is who was found first
    with pytest.raises(MemoryBudgetError, match="a task of write needs.*; use smaller chunks, or"):
        check_fits(graph, of_host(9))


def test_results_beyond_a_device_are_refused_with_a_way_out():
    graph = graph_of(*(Task(k, nbytes=GIB, space=1) for k in "xyz"))
    way_out = r"x.to_backend\('numpy'\), compute them in pieces, .* the option device-memory-limit"
    with pytest.raises(MemoryBudgetError, match=way_out):
        check_fits(graph, (9 * GIB, 2 * GIB), "xyz")
