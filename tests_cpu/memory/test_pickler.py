"""Values as bytes, one behind the other."""

import numpy as np
import pytest

from gpuscale.memory.pickler import packed, unpacked


def test_values_are_as_they_were_in_memory_of_their_own():
    values = [np.arange(5, dtype="i1"), {"x": [np.ones(3), None]}, "text", np.ones((3, 2)).T]
    data = np.concatenate([packed(each) for each in values])
    found = list(unpacked(data))
    data[:] = 0
    np.testing.assert_array_equal(found[0], values[0])
    np.testing.assert_array_equal(found[1]["x"][0], np.ones(3))
    assert found[2] == "text"
    assert found[3].strides == values[3].strides
    assert all(each.flags.aligned and each.flags.writeable for each in (found[0], found[3]))
    assert list(unpacked(data[:0])) == []


@pytest.mark.parametrize("dtype", ["float64", "str", "category", "Int64"])
def test_rows_of_a_frame_take_no_others_along(dtype):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": np.arange(10_000) % 9}).astype(dtype)
    rows = frame.iloc[10:20]
    data = packed(rows)
    assert len(data) < 4000
    (found,) = unpacked(data)
    pd.testing.assert_frame_equal(found, rows)
