"""Results of outcomes on their way to disk, there, and back."""

from threading import Barrier, Thread

import numpy as np

from gpuscale.engines.outcome import Outcome
from gpuscale.graph.task import Task


class Stored:
    """A result on disk, which gives a new object each time it is read."""

    kind = np.ndarray

    def __init__(self):
        self.n_read = 0

    def load(self):
        self.n_read += 1
        return np.ones(3)


def finished():
    outcome = Outcome(Task("x", int))
    outcome.settle("finished", np.zeros(3))
    return outcome


def test_a_result_goes_and_comes_back_once():
    told, outcome, stored = [], finished(), Stored()
    away = outcome.send_away(7, told.append)
    assert outcome.send_away(7, told.append) is None
    assert outcome.has_left(away, stored) and outcome.kind is np.ndarray
    assert told == []
    value = outcome.value
    assert value is outcome.value and value[0] == 1 and stored.n_read == 1
    assert told == [away] and away.number == 7 and away.fetch() is value


def test_what_is_looked_at_on_its_way_does_not_go():
    told, outcome = [], finished()
    away = outcome.send_away(0, told.append)
    value = outcome.value
    assert not outcome.has_left(away, Stored())
    assert outcome.value is value and value[0] == 0


def test_what_cannot_be_written_or_is_cancelled_meanwhile():
    outcome = finished()
    away = outcome.send_away(0, print)
    assert not outcome.has_left(away, None)
    assert outcome.value[0] == 0
    away = outcome.send_away(0, print)
    outcome.settle("cancelled")
    assert not outcome.has_left(away, Stored()) and outcome.value is None
    assert outcome.send_away(0, print) is None


def test_all_who_ask_at_once_get_the_same_object():
    outcome, stored, start, seen = finished(), Stored(), Barrier(4), []
    assert outcome.has_left(outcome.send_away(0, lambda away: None), stored)

    def look():
        start.wait()
        seen.append(outcome.value)

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(value) for value in seen}) == 1 and stored.n_read == 1
