import asyncio
import threading

import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.graph.annotations import annotate, without_annotations
from gpuscale.graph.options import TaskOptions
from gpuscale.run import graph_of


def made():
    return gs.delayed(int)(1)._task


def test_delayed_calls_remember_the_block_in_which_they_were_called():
    with annotate(priority=3, retries=2, backoff=1, timeout=5, resources={"GPU": 1}, memory=100):
        inside = gs.delayed(int)(1)
        others = [gs.delayed(max)([inside, 1]), inside.real, inside.conjugate(), -inside]
    for each in (inside, *others):
        assert each._task.options == TaskOptions(2, 1, 5, {"GPU": 1})
        assert (each._task.priority, each._task.workspace) == (3, 100)
    outside = made()
    assert (outside.options, outside.priority, outside.workspace) == (None, 0, 0)


def test_blocks_nest_and_the_inner_one_wins():
    with annotate(retries=2, priority=1, resources={"GPU": 1}):
        with annotate(retries=5, resources={"disk": 1}):
            inner = made()
        outer = made()
    assert inner.options == TaskOptions(retries=5, resources={"disk": 1})
    assert (inner.priority, outer.priority) == (1, 1)
    assert outer.options == TaskOptions(retries=2, resources={"GPU": 1})


def test_a_block_ends_with_an_exception_too():
    with pytest.raises(KeyError), annotate(retries=1):
        raise KeyError
    assert made().options is None


def test_a_block_is_of_one_thread():
    seen = []
    with pytest.warns(UserWarning, match="no task was made"), annotate(retries=1):
        thread = threading.Thread(target=lambda: seen.append(made().options))
        thread.start()
        thread.join()
    assert seen == [None]


def test_arrays_remember_the_block_in_which_they_are_computed():
    with pytest.warns(UserWarning, match="no task was made"), annotate(retries=4):
        x = ga.ones(6, chunks=3)
    value = gs.delayed(sum)(x)
    assert {task.options for task in graph_of(x).values()} == {None}
    with annotate(retries=1, memory="1 KiB"):
        tasks = graph_of(x, value)
    assert tasks.pop(value.key).options is None
    assert [task.options for task in tasks.values()] == [TaskOptions(retries=1)] * len(tasks)
    assert {task.nbytes + task.workspace for task in tasks.values()} == {1024}


def test_memory_is_no_less_than_what_is_known():
    with annotate(memory=1):
        tasks = graph_of(ga.ones(6, chunks=3))
    assert {task.nbytes for task in tasks.values()} == {24}


def test_tasks_of_get_are_annotated_and_refused():
    with annotate(memory="2 GiB"), pytest.raises(MemoryError, match=r"needs 2\.0 GiB"):
        gs.get({"x": (int, 1)}, "x", memory_limit="1 GiB")


def test_tasks_inside_of_tasks_stand_outside_of_the_block():
    with annotate(retries=1):
        assert gs.delayed(lambda: made().options)().compute() is None
        with without_annotations():
            assert made().options is None
        assert made().options == TaskOptions(retries=1)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"worker": 1}, TypeError, "no annotation 'worker'; there are priority, retries, backoff"),
        ({"resource": 1}, TypeError, "did you mean 'resources'?"),
        ({"memory": -1}, ValueError, "annotation memory: a size in bytes cannot be -1"),
        ({"memory": "much"}, ValueError, "annotation memory: cannot read 'much' as a size"),
        ({"memory": []}, TypeError, "memory is a size such as '2 GiB', not []"),
        ({"priority": "high"}, TypeError, "priority is an integer, not 'high'"),
        ({"retries": -1}, ValueError, "at least 0, not -1"),
        ({"timeout": -1}, ValueError, "timeout is a number of seconds above 0"),
        ({"resources": {"GPU": -1}}, ValueError, "resource 'GPU'"),
    ],
)
def test_bad_annotations_are_refused_where_they_are_written(given, error, said):
    with pytest.raises(error) as caught:
        annotate(**given)
    assert said in str(caught.value)


def test_each_call_of_a_decorated_function_is_a_block():
    @annotate(retries=3, priority=2)
    def call(depth=1):
        """Make one task for each level."""
        return [made(), *(call(depth - 1) if depth else ())]

    assert call.__doc__ == "Make one task for each level."
    for _ in range(2):
        assert [task.options for task in call()] == [TaskOptions(retries=3)] * 2
    with annotate(priority=1):
        assert [task.priority for task in call()] == [2, 2]
    assert made().options is None


def test_calls_of_a_decorated_function_in_threads_do_not_meet():
    inside, errors = threading.Barrier(2, timeout=20), []

    @annotate(retries=3)
    def call():
        inside.wait()
        assert made().options == TaskOptions(retries=3)
        inside.wait()

    def ask():
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_coroutine_and_delayed_functions_are_decorated():
    @annotate(retries=3)
    async def later():
        await asyncio.sleep(0)
        return made().options

    assert asyncio.run(later()) == TaskOptions(retries=3)
    power = annotate(retries=3)(gs.delayed(pow))
    assert power(2, 3)._task.options == TaskOptions(retries=3)
    assert power(2, 3).compute() == 8


def test_what_cannot_be_decorated_is_refused():
    def several():
        yield 1

    with pytest.raises(TypeError, match="have the block inside"):
        annotate(retries=3)(several)
    with pytest.raises(TypeError, match="decorates functions, not int"):
        annotate(retries=3)(7)


def test_a_block_without_a_task_warns():
    with pytest.warns(UserWarning, match="make theirs when they are computed"):  # noqa: SIM117
        with gs.annotate(retries=2):
            x = ga.ones(4, chunks=2) + 1
    with gs.annotate(retries=2), gs.annotate(priority=1):
        x.sum().compute()

    @gs.annotate(retries=2)
    def maybe():
        return None

    maybe()
    with pytest.raises(KeyError), gs.annotate(retries=2):
        raise KeyError
