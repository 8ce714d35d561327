"""What is known of frames and values before they are there."""

import pandas as pd

from gpuscale.base.tokens import tokenize
from gpuscale.expr.frames import FrameMeta, ScalarMeta, row_bytes, unknown_rows

EMPTY = pd.DataFrame({"x": pd.Series(dtype="int64"), "n": pd.Series(dtype="str")})


def test_a_frame_is_one_axis_of_rows():
    meta = FrameMeta(EMPTY, (3, 4), "layout", (0, 3, 6))
    assert (meta.ndim, meta.chunks, meta.shape, meta.numblocks) == (1, ((3, 4),), (7,), (2,))
    assert (meta.region((1,)), meta.known, meta.one_array) == ((1,), True, False)
    assert meta.block_nbytes((1,)) == 4 * row_bytes(EMPTY) == 4 * meta.dtype.itemsize
    assert meta.kind == "DataFrame[x, n]"


def test_rows_that_data_decide_are_projected():
    meta = FrameMeta(EMPTY, unknown_rows("layout", 2), "layout", projected=(10, 20))
    assert not meta.known
    assert meta.block_sizes([(0,), (1,)]) == [10, 20]
    assert meta.projected_nbytes == 30 * meta.row_bytes
    counted = meta.with_(chunks=((1, 2),))
    assert (counted.rows, counted.projected) == ((1, 2), (1, 2))


def test_projections_are_no_part_of_the_identity():
    one = FrameMeta(EMPTY, (3,), "layout", row_bytes=8)
    assert one == FrameMeta(EMPTY, (3,), "layout", row_bytes=9)
    assert tokenize(one) == tokenize(FrameMeta(EMPTY, (3,), "layout", row_bytes=9))
    assert one != FrameMeta(EMPTY[["x"]], (3,), "layout")
    assert one.of(EMPTY[["x"]]).row_bytes == row_bytes(EMPTY[["x"]])


def test_a_value_has_no_axes():
    meta = ScalarMeta(1.5)
    assert (meta.ndim, meta.chunks, meta.numblocks, meta.kind) == (0, (), (), "float")
    assert meta == ScalarMeta(2.5) != ScalarMeta("text")
