import numpy as np

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
    assert held_bytes(bytes(100), 0) == held_bytes("x" * 100, 0) == 100
    assert 8000 <= held_bytes({"x": [np.ones(1000)], "y": 1}, 0) < 8200
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
