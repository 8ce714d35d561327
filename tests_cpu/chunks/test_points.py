"""Points on the line of blocks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.points import line_positions, line_sizes

SIZES = st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any).map(tuple)


@given(st.lists(SIZES, min_size=1, max_size=3).map(tuple))
def test_the_line_holds_one_block_after_the_other(chunks):
    shape = tuple(map(sum, chunks))
    numbered = np.arange(np.prod(shape)).reshape(shape)
    blocks = [numbered]
    for axis, sizes in enumerate(chunks):
        blocks = [
            piece for b in blocks for piece in np.split(b, np.cumsum(sizes)[:-1].tolist(), axis)
        ]
    line = np.concatenate([b.ravel() for b in blocks])
    assert line_sizes(chunks) == tuple(b.size for b in blocks)
    positions = line_positions([c.ravel() for c in np.indices(shape)], chunks)
    np.testing.assert_array_equal(line[positions], numbered.ravel())
