"""Halos against numpy.pad, and what is cut off again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.blocks import offsets
from gpuscale.chunks.overlap import (
    BOUNDARIES,
    Boundary,
    halo_axis,
    merge_below,
    normalize_boundary,
    normalize_depth,
    trim_axis,
)

axis_sizes = st.lists(st.integers(0, 5), min_size=1, max_size=6).map(tuple)
PAD_MODES = {"periodic": "wrap", "reflect": "symmetric", "nearest": "edge", "constant": "constant"}


def put_together(blocks, pieces, fill):
    parts = []
    for block, start, step, length in pieces:
        if block is None:
            parts.append(np.full(length, fill))
        else:
            assert step or length
            parts.append(blocks[block][start + step * np.arange(length)])
    return np.concatenate(parts)


@given(axis_sizes, st.integers(0, 12), st.integers(0, 12), st.sampled_from(BOUNDARIES))
def test_blocks_with_halos_are_windows_of_the_padded_axis(sizes, before, after, boundary):
    data = np.arange(sum(sizes)) + 1
    starts = offsets(sizes)
    blocks = np.split(data, starts[1:-1])
    halos = halo_axis(sizes, before, after, boundary)
    if not data.size:
        assert [sum(piece.length for piece in pieces) for pieces in halos] == [0] * len(sizes)
        return
    for start, size, pieces in zip(starts, sizes, halos, strict=False):
        got = put_together(blocks, pieces, -7)
        if boundary == "none":
            expected = data[max(0, start - before) : start + size + after]
        else:
            fill = {"constant_values": -7} if boundary == "constant" else {}
            padded = np.pad(data, (before, after), PAD_MODES[boundary], **fill)
            expected = padded[start : start + before + size + after]
        np.testing.assert_array_equal(got, expected)
        assert all(piece.length or piece.block is not None for piece in pieces)


@given(axis_sizes, st.integers(0, 12), st.integers(0, 12), st.sampled_from(BOUNDARIES))
def test_trimming_gives_the_blocks_back(sizes, before, after, boundary):
    blocks = np.split(np.arange(sum(sizes)), offsets(sizes)[1:-1])
    halos = halo_axis(sizes, before, after, boundary)
    trims = trim_axis(sizes, before, after, boundary)
    for block, pieces, (start, stop) in zip(blocks, halos, trims, strict=True):
        np.testing.assert_array_equal(put_together(blocks, pieces, -7)[start:stop], block)


@given(axis_sizes, st.integers(1, 8))
def test_merged_blocks_are_never_smaller_than_the_halo(sizes, least):
    merged = merge_below(sizes, least)
    assert sum(merged) == sum(sizes)
    assert set(offsets(merged)) <= set(offsets(sizes))
    assert min(merged) >= least or len(merged) == 1
    if sum(sizes) >= least:
        halos = halo_axis(merged, least, least)
        for block, pieces in enumerate(halos):
            assert {piece.block - block for piece in pieces} <= {-1, 0, 1}


def test_spellings_of_depth():
    assert normalize_depth((1, (0, 2)), 2) == ((1, 1), (0, 2))
    assert normalize_depth(np.int64(3), 1) == ((3, 3),)
    for wrong in (-1, (1, 2, 3), ((1, 2, 3), 0), {0: (0, -1)}):
        with pytest.raises(ValueError, match="depth"):
            normalize_depth(wrong, 2)
    with pytest.raises(np.exceptions.AxisError):
        normalize_depth({2: 1}, 2)
    with pytest.raises(TypeError):
        normalize_depth(1.5, 2)


def test_spellings_of_boundaries():
    assert normalize_boundary("nearest", 2) == (Boundary("nearest"),) * 2
    assert normalize_boundary((None, 2.5), 2) == (Boundary("none"), Boundary("constant", 2.5))
    assert normalize_boundary({-1: "periodic"}, 2) == (Boundary("none"), Boundary("periodic"))
    for wrong in ("wrap", "constant", ("none",) * 3):
        with pytest.raises(ValueError, match="boundary"):
            normalize_boundary(wrong, 2)
