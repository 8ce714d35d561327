import pytest

from gpuscale.base.errors import EngineError
from gpuscale.engines.tokens import ScarceTasks, Tokens
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task


def asking(key, **resources):
    return Task(key, int, options=TaskOptions(resources=resources))


def test_all_or_nothing_is_taken():
    tokens = Tokens({"GPU": 2, "disk": 1})
    assert tokens.take({"GPU": 1, "disk": 1})
    assert not tokens.take({"GPU": 1, "disk": 1})
    assert tokens.take({"GPU": 1})
    tokens.give({"GPU": 1, "disk": 1})
    assert tokens.take({"GPU": 1, "disk": 1})


def test_small_amounts_add_up():
    tokens = Tokens({"GPU": 1})
    for _ in range(3):
        assert [tokens.take({"GPU": 0.1}) for _ in range(11)] == [True] * 10 + [False]
        for _ in range(10):
            tokens.give({"GPU": 0.1})
    assert tokens.take({"GPU": 1})


def test_what_is_asked_for_and_not_there_is_refused():
    with pytest.raises(EngineError, match=r"asks for 1 of 'GPU', but there is none; .*'GPU': 1"):
        Tokens().check(asking("x", GPU=1))
    Tokens().check(asking("x", GPU=0))
    Tokens().check(Task("x", int))
    with pytest.raises(ValueError, match="at least 0, not -1"):
        Tokens({"GPU": -1})


def test_tasks_that_ask_for_the_same_wait_in_one_heap():
    scarce = ScarceTasks(Tokens({"GPU": 1, "disk": 1}))
    assert not scarce.wanted
    scarce.add(
        [Task("x", int), asking("a", GPU=1), asking("b", GPU=1), asking("c", disk=1)], range(4)
    )
    assert set(scarce.wanted) == {1, 2, 3}
    assert scarce.heap_of(1) is scarce.heap_of(2) is not scarce.heap_of(3)
    for task in (1, 2, 3):
        scarce.heap_of(task).append(task)
    assert scarce.open_heaps() == [[1, 2], [3]]
    assert scarce.take(1)
    assert scarce.open_heaps() == [[3]]
    assert not scarce.take(2)
    scarce.give(1)
    scarce.give(0)
    assert scarce.take(2)
