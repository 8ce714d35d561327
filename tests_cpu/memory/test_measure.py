import numpy as np

from gpuscale.memory.measure import held_bytes


def test_an_array_that_owns_its_memory_is_measured():
    assert held_bytes(np.ones((3, 4)), 1) == 96
    assert held_bytes(np.float32(1), 100) == 4


def test_views_and_other_objects_are_taken_at_their_word():
    x = np.ones((30, 40))
    assert held_bytes(x[:3], 7) == 7
    assert held_bytes([x], 7) == 7
    assert held_bytes(None, 7) == 7


def test_a_mapped_file_takes_no_memory_of_ours(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(100))
    assert held_bytes(np.load(tmp_path / "x.npy", mmap_mode="r"), 0) == 0


def test_what_only_has_a_name_in_common_with_arrays():
    class Store:
        def nbytes(self):
            return 7

    assert held_bytes(Store(), 3) == 3
