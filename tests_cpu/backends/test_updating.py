"""Elements that are changed as often as an index names them, against ``ufunc.at``."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.seams import update
from gpuscale.backends.updating import update_in_turn
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing import fake_device

NAMES = ("add", "subtract", "multiply", "divide", "power", "maximum", "fmin", "logical_xor")


@given(st.data())
def test_as_numpy(data):
    name = data.draw(st.sampled_from([*NAMES, "bitwise_or"]))
    # An integer that is too large wraps around; a float that is cast to one must not be.
    whole = name in ("bitwise_or", "multiply", "power")
    kinds = ["i1", "i8"] if whole else ["i1", "i8", "f4", "f8"]
    array = np.arange(1, 13).reshape(3, 4).astype(data.draw(st.sampled_from(kinds)))
    line = np.array(sorted(data.draw(st.lists(st.integers(0, 11), max_size=20))), int)
    whole_rows = data.draw(st.booleans())
    index = (np.sort(line % 3),) if whole_rows else np.unravel_index(line, (3, 4))
    values = 1 + np.arange(array[index].size).reshape(array[index].shape) % 5
    values = values.astype(data.draw(st.sampled_from(kinds)))
    expected = array.copy()
    update(expected, name, index, values)
    update_in_turn(np, array, name, index, values)
    np.testing.assert_allclose(array, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["negative", "reciprocal"])
def test_functions_of_one_operand(name):
    array, expected = np.array([2.0, 4.0, 8.0]), np.array([2.0, 4.0, 8.0])
    index = (np.array([0, 0, 2]),)
    update(expected, name, index)
    update_in_turn(np, array, name, index)
    assert array.tolist() == expected.tolist()


def test_each_turn_takes_what_the_one_before_made():
    array = np.array([100], "i1")
    # What is cast in between wraps around: the operands cannot be joined.
    update_in_turn(np, array, "maximum", (np.zeros(2, int),), np.array([200, 101]))
    expected = np.array([100], "i1")
    np.maximum.at(expected, [0, 0], np.array([200, 101]))
    assert array == expected == [101]


def test_functions_that_the_library_has_no_method_of():
    with fake_device.active() as xp:
        x = xp.arange(1, 4)
        update(x, "multiply", (np.array([0, 2, 2]),), xp.asarray(np.array([5, 2, 7])))
        assert x.get().tolist() == [5, 2, 42]


def test_functions_that_the_library_lacks_are_refused():
    with fake_device.active() as xp, pytest.raises(NotSupportedError, match=r"spacing\(x\[index"):
        update(xp.ones(3), "spacing", (np.array([0, 0]),))
