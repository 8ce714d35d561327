import pickle

import pytest

from gpuscale.graph.options import LONGEST_BACKOFF, TaskOptions
from gpuscale.graph.task import Task


def test_a_task_has_none_until_somebody_says_so():
    assert Task("x", int).options is None
    options = TaskOptions()
    assert (options.retries, options.timeout, options.resources) == (0, None, {})


def test_delays_double_up_to_a_limit():
    options = TaskOptions(retries=9, backoff=1)
    assert [options.delay(k) for k in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, LONGEST_BACKOFF, 10]
    assert TaskOptions(backoff=0).delay(9) == 0


def test_they_can_be_pickled_and_compared():
    options = TaskOptions(retries=1, resources={"GPU": 0.5})
    assert pickle.loads(pickle.dumps(options)) == options != TaskOptions()


def test_resources_are_a_copy():
    mine = {"GPU": 1}
    options = TaskOptions(resources=mine)
    mine["GPU"] = 2
    assert options.resources == {"GPU": 1}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"retries": -1}, ValueError, "at least 0, not -1"),
        ({"retries": 1.5}, TypeError, "an integer, not 1.5"),
        ({"retries": True}, TypeError, "an integer, not True"),
        ({"backoff": -1}, ValueError, "backoff is a number of seconds, at least 0, not -1"),
        ({"backoff": float("inf")}, ValueError, "not inf"),
        ({"timeout": 0}, ValueError, "timeout is a number of seconds above 0, not 0"),
        ({"timeout": float("nan")}, ValueError, "not nan"),
        ({"timeout": "1 parsec"}, ValueError, "such as '10s', '500 ms' or '2 min', not '1 p"),
        ({"resources": "GPU"}, TypeError, "such as {\"GPU\": 1}, not 'GPU'"),
        ({"resources": {1: 1}}, TypeError, "have names"),
        ({"resources": {"GPU": -1}}, ValueError, "resource 'GPU' is a number, at least 0, not -1"),
        ({"resources": {"GPU": None}}, TypeError, "not None"),
    ],
)
def test_what_cannot_be_is_refused(given, error, said):
    with pytest.raises(error) as caught:
        TaskOptions(**given)
    assert said in str(caught.value)


def test_durations_may_be_texts():
    options = TaskOptions(timeout="1 s", backoff="20ms")
    assert (options.timeout, options.backoff) == (1.0, 0.02)
