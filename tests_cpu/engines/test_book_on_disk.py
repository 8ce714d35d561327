"""The book of a session where there is too little room: results on disk, and back."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.engines.book import Book
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.task import Task

from .book_driver import Driver

BIG = 10_000  # numbers in a result that is worth a file


def numbers(value):
    return np.full(BIG, float(value))


def total(*arrays):
    return sum(array.sum() for array in arrays)


class SmallDriver(Driver):
    """A driver that has room for two big results, and writes others to disk."""

    def __init__(self):
        super().__init__()
        self.book = Book(2.5 * 8 * BIG, Tokens())
        self.n_written = 0

    def write(self):
        victim = self.book.state.spill()
        if victim is not None:
            written = self.book.write(victim, 0)
            self.n_written += written.stored is not None
            self.book.take_written(victim, written)
        return victim is not None

    def run(self):
        while (started := self.start()) or self.write():
            for i in started:
                self.finish(i)
        self.call("let_go")


def pieces(name, n):
    """Tasks of n big results, and one that needs them all."""
    parts = [Task(f"{name}{k}", numbers, (), (k,), nbytes=8 * BIG) for k in range(n)]
    return [*parts, Task(name, total, tuple(each.key for each in parts))]


def test_results_between_others_go_to_disk_and_come_back():
    driver = SmallDriver()
    tasks = pieces("x", 4)
    (x,) = driver.add(*tasks, wanted=tasks[-1:])
    for _ in range(4):
        while not (started := driver.start()):
            assert driver.write()
        driver.finish(started[0])
    assert driver.n_written >= 1
    (one, two) = driver.add(tasks[0], tasks[1])  # asked for while on disk, or about to be
    (user,) = driver.add(Task("user", total, ("x0",)))
    driver.run()
    assert (x.value, user.value) == (BIG * 6, 0)
    assert (one.value[0], two.value[0]) == (0, 1)
    del x, one, two, user
    driver.call("let_go")
    assert driver.keys == set() and driver.book.state.alive == [0, 0]
    assert set(driver.book._results) <= {None}


def test_a_number_is_not_given_away_while_its_result_is_being_written():
    driver = SmallDriver()
    tasks = pieces("x", 4)
    (x,) = driver.add(*tasks, wanted=tasks[-1:])
    while (victim := driver.book.state.spill()) is None:
        (i,) = driver.start()
        driver.finish(i)
    written = driver.book.write(victim, 0)
    driver.call("cancel", x)
    others = driver.add(*[Task(f"y{k}", int) for k in range(9)])
    assert victim not in driver.book._numbers.values()
    driver.book.take_written(victim, written)
    driver.run()
    assert [each.value for each in others] == [0] * 9
    assert driver.book._results[victim] is None
    assert driver.add(Task("z", int)) and victim in driver.book.growing._free + [
        driver.book._numbers.get("z")
    ]


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_any_events_with_results_on_disk(seed, n):
    rng = Random(seed)
    driver, held, running = SmallDriver(), {}, []
    for step in range(n):
        event = rng.choice(
            ["add", "drop", "cancel", "start", "start", "finish", "write", "more", "look"]
        )
        if event == "look" and held:
            outcome, expected = held[rng.choice(list(held))]
            if outcome.status == "finished":
                assert np.ravel(outcome.value)[0] == expected
            driver.call("let_go")
        elif event == "add":
            k = rng.randrange(1, 5)
            tasks = pieces(f"{step}-", k)
            wanted = [t for t in tasks[:-1] if rng.random() < 0.2] + tasks[-1:]
            outcomes = driver.add(*tasks, wanted=wanted)
            held.update({o.key: (o, BIG * k * (k - 1) // 2) for o in outcomes[-1:]})
            held.update({o.key: (o, int(o.key.partition("-")[2])) for o in outcomes[:-1]})
        elif event == "more" and held:
            key = rng.choice(list(held)).partition("-")[0] + "-0"
            if key in driver.keys and key not in held:
                (outcome,) = driver.add(Task(key, numbers, (), (0,), nbytes=8 * BIG))
                held[key] = outcome, 0
                del outcome
        elif event == "drop" and held:
            del held[rng.choice(list(held))]
        elif event == "cancel" and held:
            driver.call("cancel", held[rng.choice(list(held))][0])
        elif event == "start":
            running += driver.start(rng.randrange(1, 3))
        elif event == "finish" and running:
            driver.finish(running.pop(rng.randrange(len(running))))
        elif event == "write":
            driver.write()
        outcomes = None
    while running:
        driver.finish(running.pop())
    driver.run()
    for outcome, expected in held.values():
        assert outcome.status in ("finished", "cancelled")
        if outcome.status == "finished":
            value = outcome.value
            assert (value if np.ndim(value) == 0 else value[0]) == expected
    held.clear()
    outcome = None
    driver.call("let_go")
    book = driver.book
    assert (driver.keys, book._wanted, set(book._results) - {None}) == (set(), {}, set())
    assert book.state.alive == book.state.reserved == [0, 0] and not book.state.unfinished
    assert (book.state._away, book.state._writing, book.state._stays) == ({}, set(), set())
    assert (book.growing._spared, book.growing._most_users) == (set(), {})
