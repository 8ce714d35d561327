import sys
from collections import namedtuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.seams import array_namespace, backend_name, nbytes, to_host


def test_arrays_and_scalars_of_numpy():
    for data in (np.ones(3), np.float32(1), np.ones((2, 2)).view(np.matrix)):
        assert array_namespace(data) is np
        assert backend_name(data) == "numpy"
        assert to_host(data) is data


def test_other_objects_stay_where_they_are():
    thing = object()
    assert to_host(thing) is thing
    assert nbytes("text") == sys.getsizeof("text")
    assert to_host(None) is None


@given(st.lists(st.integers(0, 5), max_size=3), st.sampled_from(["u1", "f8", "c16", "M8[s]", "U3"]))
def test_nbytes_of_whole_arrays(shape, dtype):
    x = np.zeros(shape, dtype)
    assert nbytes(x) == x.nbytes
    assert nbytes(x.T) == x.nbytes


def test_nbytes_of_scalars():
    assert nbytes(np.float32(1)) == 4


def test_elements_shown_many_times_count_once():
    assert nbytes(np.broadcast_to(np.arange(3.0), (1000, 3))) == 24
    assert nbytes(np.broadcast_to(np.arange(3.0), (0, 3))) == 0


def test_objects_in_arrays_are_estimated():
    texts = np.array(["x" * 1000] * 5000, dtype=object)
    assert 0.9 * 5000 * 1000 < nbytes(texts) < 1.2 * 5000 * 1100
    assert nbytes(np.array([], dtype=object)) == 0
    assert nbytes(np.array(None, dtype=object)) == 8 + sys.getsizeof(None)


Moments = namedtuple("Moments", "n mean")


def test_containers():
    x = np.zeros(4)
    assert nbytes((x, [x, x], {"a": x})) == 4 * x.nbytes
    moved = to_host([Moments(3, x), {"a": (x,)}])
    assert isinstance(moved[0], Moments)
    assert moved[0].mean is x and moved[1]["a"][0] is x
