import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.diagnostics.stream import merge_short_tasks

TASKS = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0, 10), st.floats(0, 3)), min_size=1, max_size=200
)


def columns(tasks):
    """Tasks of each worker one after the other, with pauses."""
    now = dict.fromkeys(range(4), 0.0)
    rows = []
    for worker, pause, seconds in tasks:
        start = now[worker] + pause
        now[worker] = start + seconds
        rows.append((start, now[worker], worker))
    start, stop, worker = zip(*rows, strict=True)
    return np.array(start), np.array(stop), np.array(worker)


@given(TASKS, st.integers(8, 60))
def test_merging_keeps_tasks_time_and_workers(tasks, most):
    start, stop, worker = columns(tasks)
    bars = merge_short_tasks(start, stop, worker, most)
    assert bars.count.sum() == len(start)
    assert np.isclose(bars.seconds.sum(), (stop - start).sum())
    assert len(bars.left) <= max(most, 8)
    assert (bars.left <= bars.right).all()
    assert (worker[bars.task] == bars.worker).all()
    for each in np.unique(worker):
        assert bars.count[bars.worker == each].sum() == (worker == each).sum()
        assert bars.left[bars.worker == each].min() == start[worker == each].min()
        assert bars.right[bars.worker == each].max() == stop[worker == each].max()


@given(TASKS)
def test_bars_of_a_worker_do_not_overlap(tasks):
    bars = merge_short_tasks(*columns(tasks), most=20)
    for each in np.unique(bars.worker):
        own = bars.worker == each
        order = np.lexsort((bars.right[own], bars.left[own]))
        left, right = bars.left[own][order], bars.right[own][order]
        assert (left[1:] >= right[:-1] - 1e-9).all()


def test_few_tasks_stay_as_they_are():
    bars = merge_short_tasks(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([0, 0]))
    assert bars.task.tolist() == [0, 1]
    assert bars.cell == 0


def test_some_tasks_are_alone_in_any_case():
    start = np.arange(0.0, 100.0)
    bars = merge_short_tasks(start, start + 0.5, np.zeros(100, dtype=int), most=10, alone=[3, 50])
    assert sorted(bars.count.tolist()) == [1, 1, 19, 19, 20, 20, 20]
    assert {3, 50} <= set(bars.task[bars.count == 1].tolist())
    assert bars.count.sum() == 100
