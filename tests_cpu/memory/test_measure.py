import sys
import tracemalloc
from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np
import pytest

from gpuscale.memory.measure import held_bytes


def test_an_array_that_owns_its_memory_is_measured():
    assert held_bytes(np.ones((3, 4)), 1) == 96
    assert held_bytes(np.float32(1), 100) == 4


def test_a_tuple_of_arrays_is_measured():
    x = np.ones(10)
    assert held_bytes((x, x.astype("f4")), 1) == 120
    assert held_bytes((x, x[1:]), 7) == 7
    assert held_bytes((x, 1), 7) == held_bytes((), 7) == 7


def test_views_and_other_objects_are_taken_at_their_word():
    x = np.ones((30, 40))
    assert held_bytes(x[:3], 7) == 7
    assert held_bytes([x], 7) == 7
    assert held_bytes(None, 7) == 7


def test_a_mapped_file_takes_no_memory_of_ours(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(100))
    assert held_bytes(np.load(tmp_path / "x.npy", mmap_mode="r"), 0) == 0


def test_containers_and_views_are_measured_where_nothing_is_projected():
    x = np.ones(1000)
    assert held_bytes(x[:3], 0) == 0  # somebody else's
    assert held_bytes(np.ones(1000)[::2], 0) == 8000
    assert held_bytes(bytes(100), 0) == sys.getsizeof(bytes(100))
    assert held_bytes("x" * 100, 0) == sys.getsizeof("x" * 100)
    assert 8000 <= held_bytes({"x": [np.ones(1000)], "y": 1}, 0) < 8600
    assert 80_000 <= held_bytes([np.ones(100) for _ in range(100)], 0) < 81_000
    circle = [np.ones(1000)]
    circle.append(circle)
    assert held_bytes(circle, 0) >= 8000


def test_a_size_that_cannot_be_asked_for():
    class Rude:
        @property
        def nbytes(self):
            raise OSError("closed")

    class Wrong:
        nbytes = "much"

    class Negative:
        nbytes = -5

    assert [held_bytes(kind(), 3) for kind in (Rude, Wrong, Negative)] == [3, 3, 0]


def test_what_only_has_a_name_in_common_with_arrays():
    class Store:
        def nbytes(self):
            return 7

    assert held_bytes(Store(), 3) == 3


@dataclass
class Record:
    n: int
    text: str


@dataclass(slots=True)
class Slotted:
    n: int
    text: str


class Plain:
    def __init__(self, k):
        self.n, self.text = k, f"text {k}"


MADE = {
    "list of floats": lambda n: [k * 1.5 for k in range(n)],
    "list of texts": lambda n: [f"text {k}" for k in range(n)],
    "tuple": lambda n: tuple(1000 + k for k in range(n)),
    "set": lambda n: {1000 + k for k in range(n)},
    "frozenset of texts": lambda n: frozenset(f"text {k}" for k in range(n)),
    "deque": lambda n: deque(k * 1.5 for k in range(n)),
    "dict": lambda n: {1000 + k: f"text {k}" for k in range(n)},
    "ordered": lambda n: OrderedDict((f"text {k}", k * 1.5) for k in range(n)),
    "records": lambda n: [{"id": k, "t": f"text {k}", "v": k * 1.5} for k in range(n)],
    "with lists": lambda n: [{"id": k, "v": [k * 1.5 + j for j in range(20)]} for k in range(n)],
    "pairs": lambda n: {"x": [(k * 1.5, f"text {k}") for k in range(n)]},
    "dataclasses": lambda n: [Record(1000 + k, f"text {k}") for k in range(n)],
    "with slots": lambda n: [Slotted(1000 + k, f"text {k}") for k in range(n)],
    "instances": lambda n: [Plain(1000 + k) for k in range(n)],
    "array of objects": lambda n: np.array([f"text {k}" for k in range(n)], object),
}


@pytest.mark.parametrize("what", MADE)
def test_objects_are_measured_with_what_they_hold(what):
    MADE[what](10)
    tracemalloc.start()
    value = MADE[what](20_000)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.6 * taken < held_bytes(value, 0) < 1.5 * taken + 2000


def test_what_is_held_many_times_takes_memory_once():
    x = np.ones(100_000)
    assert held_bytes([x] * 10, 0) < 900_000
    row = [float(k) for k in range(10)]
    assert held_bytes([row for _ in range(50)], 0) < 1500


def test_measuring_looks_at_a_bounded_number_of_objects():
    measured = []

    class Counted:
        def __sizeof__(self):
            measured.append(self)
            return 1000

    many = [[[Counted() for _ in range(30)] for _ in range(30)] for _ in range(100)]
    assert held_bytes(many, 0) > 0.9 * 100 * 30 * 30 * 1000
    assert len(measured) < 5000
    deep = Counted()
    for _ in range(2000):
        deep = [deep, deep]
    assert held_bytes(deep, 0) < 2000


def test_objects_are_not_asked_for_what_their_class_does_not_have():
    class Proxy:
        def __getattr__(self, name):
            raise RuntimeError(f"nobody asked for {name}")

    assert held_bytes(Proxy(), 3) == 3
    assert held_bytes([Proxy()], 0) > 0


def test_a_table_of_texts():
    pandas = pytest.importorskip("pandas")
    texts = [f"a text of some length, number {k}" for k in range(10_000)]
    table = pandas.DataFrame({"x": pandas.Series(texts, dtype=object)})
    expected = table.memory_usage(deep=True).sum()
    assert 0.9 * expected < held_bytes(table, 0) < 1.1 * expected
