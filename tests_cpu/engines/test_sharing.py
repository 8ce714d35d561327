"""What workers share: room in memory, and each other's batches."""

from collections import deque
from types import SimpleNamespace

from gpuscale.engines.sharing import fill_batch, room_beside, take_half_of_longest
from gpuscale.engines.state import State
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task


def run_with(alive, reserved):
    return SimpleNamespace(
        job=SimpleNamespace(state=SimpleNamespace(alive=alive, reserved=reserved))
    )


def test_others_leave_what_they_neither_hold_nor_reserved():
    own = run_with([50, 0], [50, 0])
    first, second = run_with([10, 5], [1, 0]), run_with([20, 6], [2, 3])
    assert room_beside((own, first, second), own, (100, 50)) == [67, 36]
    assert room_beside((own,), own, (100, 50)) == [100, 50]


def test_half_of_the_longest_batch_moves_from_its_end():
    batches = [deque([1]), deque([2, 3, 4, 5]), deque()]
    take_half_of_longest(batches, batches[2])
    assert batches == [deque([1]), deque([2, 3]), deque([5, 4])]
    nothing = [deque(), deque()]
    take_half_of_longest(nothing, nothing[0])
    assert nothing == [deque(), deque()]


def test_a_batch_is_a_share_of_what_is_ready_and_then_of_what_another_worker_has():
    numbered = number({k: Task(k, int) for k in range(8)}, range(8))
    state, batches = State(numbered, depth_first(numbered)), [deque(), deque()]
    assert fill_batch(state, batches, 0, 64) and batches == [deque([0, 1, 2]), deque()]
    assert fill_batch(state, batches, 0, 64) and len(batches[0]) == 3  # there is enough in it
    assert fill_batch(state, batches, 1, 1) and batches[1] == deque([3])
    state.cancel()
    batches[1].clear()
    assert fill_batch(state, batches, 1, 64) and batches == [deque([0]), deque([2, 1])]
    assert not fill_batch(state, [deque(), deque()], 1, 64)
