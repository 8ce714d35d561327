"""Contractions carried out block by block, against NumPy."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.blocks import Grid, max_block, shape_of
from gpuscale.chunks.einsum import matmul_labels, parse_einsum
from gpuscale.chunks.linear import fit_contraction, plan_contraction

SUBSCRIPTS = ["ij,jk->ik", "ij,jk,k->i", "ii,ij->j", "ij->", "i,j->ij", "ijk,kj->ki", "ij,ij->ij"]
LENGTHS = {"i": 6, "j": 9, "k": 5}


def cut(length, cuts):
    places = sorted({min(place, length) for place in cuts} - {0, length})
    return tuple(np.diff([0, *places, length]).tolist())


def carry_out(plan, subscripts, arrays):
    grids = [Grid(chunks) for chunks in plan.chunks_in]
    for array, chunks in zip(arrays, plan.chunks_in, strict=True):
        assert shape_of(chunks) == array.shape
    out = np.zeros(plan.shape, int)
    out_grid = Grid(plan.chunks)
    for out_index in out_grid:
        for indices in plan.blocks(out_index):
            blocks = [
                array[grid.slices(index)]
                for array, grid, index in zip(arrays, grids, indices, strict=True)
            ]
            out[(*out_grid.slices(out_index), ...)] += np.einsum(subscripts, *blocks)
    return out


@given(st.sampled_from(SUBSCRIPTS), st.data(), st.sampled_from([None, 50, 300, 10**6]))
def test_products_of_blocks_sum_up_to_numpys_product(subscripts, data, max_bytes):
    terms = subscripts.split("->")[0].split(",")
    rng = np.random.default_rng(0)
    arrays, operands = [], []
    for term in terms:
        repeated = len(set(term)) < len(term)
        shape = tuple(
            LENGTHS[x] if repeated else data.draw(st.sampled_from([1, LENGTHS[x]])) for x in term
        )
        cuts = [data.draw(st.lists(st.integers(0, 9), max_size=4)) for _ in term]
        arrays.append(rng.integers(0, 9, shape))
        operands.append((tuple(map(cut, shape, cuts)), shape))
    inputs, output = parse_einsum(subscripts, [array.ndim for array in arrays])
    plan = plan_contraction(inputs, output, operands)
    if max_bytes is not None:
        plan = fit_contraction(plan, 8, max_bytes)
    expected = np.einsum(subscripts, *arrays)
    np.testing.assert_array_equal(carry_out(plan, subscripts, arrays), expected)


def matmul(m, k, n, sizes):
    def chunks(*lengths):
        return tuple(cut(length, range(sizes, length, sizes)) for length in lengths), lengths

    labels = matmul_labels((m, k), (k, n))
    return plan_contraction(*labels, (chunks(m, k), chunks(k, n)))


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(24, 10**6),
)
def test_fitted_blocks_fit(m, k, n, sizes, max_bytes):
    plan = fit_contraction(matmul(m, k, n, sizes), 8, max_bytes)
    held = sum(prod(max_block(chunks)) for chunks in (*plan.chunks_in, plan.chunks))
    assert 8 * held <= max_bytes


def test_small_blocks_are_merged_and_large_ones_cut():
    assert (
        fit_contraction(matmul(6000, 6000, 6000, 100), 8, 3 * 8 * 2000**2).chunks
        == ((2000,) * 3,) * 2
    )
    assert (
        fit_contraction(matmul(6000, 6000, 6000, 6000), 8, 3 * 8 * 2000**2).chunks
        == ((2000,) * 3,) * 2
    )
    assert fit_contraction(matmul(10**6, 10, 10, 1000), 8, 10**7).chunks_in[0][1] == (10,)


def test_operands_that_do_not_match_are_refused():
    operands = [(((4,), (3,)), (4, 3)), (((2,),), (2,))]
    with pytest.raises(ValueError, match=r"axes 'j' of shapes.*lengths \[2, 3\]"):
        plan_contraction((("i", "j"), ("j",)), ("i",), operands)
    length, sizes = Unknown("a", -1), (Unknown("a", 0),)
    unknown = [(((4,), sizes), (4, length)), (((2,),), (2,))]
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        plan_contraction((("i", "j"), ("j",)), ("i",), unknown)
    same = [unknown[0], ((sizes,), (length,))]
    plan = plan_contraction((("i", "j"), ("j",)), ("i",), same)
    assert plan.chunks_in == (((4,), sizes), (sizes,))
    with pytest.raises(UnknownSizeError, match="compute_chunk_sizes"):
        fit_contraction(plan, 8, 100)
