"""Every rule about chunks: what it rewrites, what it leaves, and that the elements stay."""

import numpy as np

import gpuscale.array as ga
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.array.nodes.view import View
from gpuscale.array.rules import rechunk as rules
from gpuscale.expr.physical import Source
from gpuscale.testing import assert_eq

ARRAY = np.arange(24.0).reshape(6, 4)
OLD, NEW = ((3, 3), (4,)), ((2, 4), (1, 3))


def memory(chunks=OLD):
    return ga.from_array(ARRAY, chunks=chunks)


def opaque():
    """An array that cannot be read at other chunks."""
    return ga.map_blocks(np.sort, memory(), dtype=float)


def same(node, array=ARRAY):
    assert_eq(ga.Array(node), array)
    return node


def test_align_inputs():
    x, row = memory(NEW), ga.from_array(ARRAY[0], chunks=2)
    node = Elementwise("add", (x.expr, row.expr), np.dtype(float))
    new = same(rules.align_inputs(node), ARRAY + ARRAY[0])
    assert [each.meta.chunks for each in new.inputs] == [node.meta.chunks, node.meta.chunks[1:]]
    assert rules.align_inputs(new) is None


def test_align_inputs_leaves_what_broadcasts_in_one_block():
    x, column = memory(NEW), ga.from_array(ARRAY[:, :1], chunks=-1)
    node = Elementwise("add", (x.expr, column.expr), np.dtype(float))
    new = same(rules.align_inputs(node), ARRAY + ARRAY[:, :1])
    assert new.inputs[1].meta.chunks == ((2, 4), (1,))


def test_drop_rechunk():
    x = opaque().expr
    assert rules.drop_rechunk(Rechunk(x, x.meta.chunks)) is x
    assert rules.drop_rechunk(Rechunk(x, NEW)) is None


def test_rechunk_twice():
    x = opaque().expr
    node = Rechunk(Rechunk(x, ((6,), (2, 2))), NEW)
    assert rules.rechunk_twice(node) is Rechunk(x, NEW)
    same(rules.rechunk_twice(node), np.sort(ARRAY))
    assert rules.rechunk_twice(Rechunk(x, NEW)) is None


def test_rechunk_index_function():
    x = ga.arange(9, chunks=4)
    new = rules.rechunk_index_function(Rechunk(x.expr, ((2, 7),)))
    assert isinstance(same(new, np.arange(9)), IndexFunction)
    assert new.meta.chunks == ((2, 7),)
    assert rules.rechunk_index_function(Rechunk(opaque().expr, NEW)) is None


def test_rechunk_source_in_memory():
    new = rules.rechunk_source(Rechunk(memory().expr, NEW))
    assert isinstance(same(new), Source)
    assert new.meta.chunks == NEW
    assert rules.rechunk_source(Rechunk(opaque().expr, NEW)) is None


class Decoding:
    """Reads stored chunks, which must be decoded whole."""

    cost = "decode"

    def __gpuscale_tokenize__(self):
        return "decoding"

    def read(self, slices):
        return ARRAY[slices]


def test_rechunk_source_never_cuts_stored_chunks():
    x = Source(Decoding(), memory().expr.meta)
    assert isinstance(same(rules.rechunk_source(Rechunk(x, ((6,), (4,))))), Source)
    assert rules.rechunk_source(Rechunk(x, NEW)) is None


def test_rechunk_view_of_free():
    new = rules.rechunk_view_of_free(Rechunk(memory().T.expr, NEW[::-1]))
    assert isinstance(same(new, ARRAY.T), View)
    assert new.meta.chunks == NEW[::-1]
    assert rules.rechunk_view_of_free(Rechunk(opaque().T.expr, NEW[::-1])) is None


def test_rechunk_free_elementwise():
    x = memory() + ga.ones(4)
    new = rules.rechunk_free_elementwise(Rechunk(x.expr, NEW))
    assert isinstance(same(new, ARRAY + 1), Elementwise)
    assert new.meta.chunks == NEW
    costly = ga.sin(opaque())
    assert rules.rechunk_free_elementwise(Rechunk(costly.expr, NEW)) is None


def test_chunks_that_differ_cost_no_tasks_where_data_can_be_read_anyhow():
    y = (memory().rechunk(NEW) + memory().rechunk(5)).rechunk(2)
    names = [type(node).__name__ for node in _nodes(y.optimize().expr)]
    assert "Exchange" not in names
    assert_eq(y, 2 * ARRAY)


def _nodes(node):
    return [node, *(each for child in node.children for each in _nodes(child))]
