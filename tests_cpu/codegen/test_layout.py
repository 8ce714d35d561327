"""Layouts walk over every position once, and read in order where they can."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.codegen.geometry import dense_strides
from gpuscale.codegen.layout import COSTS, Domain, choose_layout, merge_axes, walking_order

shapes = st.lists(st.integers(1, 5), max_size=4).map(tuple)


@st.composite
def domains(draw):
    shape = draw(shapes)
    operands = []
    for _ in range(draw(st.integers(1, 3))):
        strides = list(dense_strides(shape, draw(st.permutations(range(len(shape))))))
        for axis in range(len(shape)):
            if draw(st.integers(0, 3)) == 0:
                strides[axis] = draw(st.sampled_from([0, -strides[axis], 2 * strides[axis]]))
        operands.append(tuple(strides))
    reduced = tuple(draw(st.booleans()) for _ in shape)
    return Domain(shape, reduced, tuple(operands))


def visited(shape, strides):
    """Offsets of every operand at every position, as a multiset."""
    positions = itertools.product(*map(range, shape))
    return sorted(
        tuple(sum(s * p for s, p in zip(each, position, strict=True)) for each in strides)
        for position in positions
    )


@given(domains(), st.data())
def test_merging_visits_the_same_places(domain, data):
    order = data.draw(st.permutations(range(len(domain.shape))))
    merged = merge_axes(domain, order)
    assert 1 not in merged.shape
    assert visited(merged.shape, merged.strides) == visited(domain.shape, domain.strides)


@given(domains(), st.sampled_from(["load", "random"]), st.booleans())
def test_layouts_visit_the_same_places(domain, role, reducing):
    merged = merge_axes(domain, range(len(domain.shape)))
    layout = choose_layout(merged, [role] * len(domain.strides), reducing)
    shape = (*layout.outer, layout.rows, layout.columns)
    assert visited(shape, layout.strides) == visited(domain.shape, domain.strides)
    assert layout.form in (("columns", "fold") if reducing else ("map",))


def test_dense_operands_become_one_long_row():
    strides = dense_strides((3, 4, 5), (0, 1, 2))
    domain = Domain((3, 4, 5), (False,) * 3, (strides, strides))
    assert merge_axes(domain, (0, 1, 2)) == Domain((60,), (False,), ((1,), (1,)))


def test_kept_and_reduced_axes_stay_apart():
    strides = dense_strides((3, 4), (0, 1))
    merged = merge_axes(Domain((3, 4), (True, False), (strides,)), (0, 1))
    assert merged.shape == (3, 4)


def test_memory_order_of_the_first_full_operand_leads():
    assert walking_order((2, 3, 4), [(0, 1, 2), (1, 2, 6)]) == [2, 1, 0]
    assert walking_order((2, 3), [(0, 1)]) == [0, 1]


def test_long_rows_are_folded_and_short_ones_are_turned():
    for columns, form in ((5000, "fold"), (20, "columns")):
        domain = Domain((10_000, columns), (False, True), ((columns, 1), (1, 0)))
        layout = choose_layout(domain, ["load", "accumulator"], True, 300.0)
        assert layout.form == form
        assert layout.rows == (1 if form == "fold" else columns)


def test_a_random_matrix_and_its_transpose():
    domain = Domain((90, 90), (True, False), ((90, 1), (1, 90), (0, 1)))
    layout = choose_layout(domain, ["random", "random", "accumulator"], True)
    assert (layout.form, layout.moves(0), layout.moves(1)) == ("columns", "row", "column")


def test_every_role_knows_every_movement():
    assert {frozenset(costs) for costs in COSTS.values()} == {
        frozenset({"row", "scalar", "column", "tile"})
    }


def test_nothing_to_walk_along():
    layout = choose_layout(merge_axes(Domain((1, 1), (False, False), ((1, 1),)), (0, 1)), ["load"])
    assert (layout.outer, layout.rows, layout.columns) == ((), 1, 1)
    assert layout.moves(0) == "scalar"
    assert np.prod(layout.strides) == 0
