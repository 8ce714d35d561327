"""What workers share: room in memory, and each other's batches."""

from collections import deque
from types import SimpleNamespace

from gpuscale.engines.sharing import room_beside, take_half_of_longest


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
