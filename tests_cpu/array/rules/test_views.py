"""Every rule about views: what it rewrites, what it leaves, and that the elements stay."""

import numpy as np

import gpuscale.array as ga
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.reduce import Reduce
from gpuscale.array.nodes.view import View
from gpuscale.array.rules import views as rules
from gpuscale.chunks import views
from gpuscale.testing import assert_eq

ARRAY = np.arange(24.0).reshape(6, 4)


def memory():
    return ga.from_array(ARRAY, chunks=(3, 2))


def same(node, array):
    assert_eq(ga.Array(node), array)
    return node


def view(x, affine):
    """A view as it is written, which no constructor has simplified."""
    node = x.expr
    return View(node, affine, views.view_chunks(affine, node.meta.chunks, None))


def test_compose_views():
    node = view(memory().T, views.transpose((4, 6), (1, 0)))
    new = same(rules.compose_views(node), ARRAY)
    assert new.x is memory().expr
    assert rules.compose_views(new) is None


def test_drop_identity():
    x = memory()
    identity = view(x, views.identity((6, 4)))
    assert rules.drop_identity(identity) is x.expr
    assert rules.drop_identity(memory().T.expr) is None
    assert rules.drop_identity(View(x.expr, identity.view, ((6,), (4,)))) is None


def test_view_of_index_function():
    x = ga.arange(24, chunks=9)
    new = rules.view_of_index_function(x[20:3:-4].expr)
    assert isinstance(same(new, np.arange(24)[20:3:-4]), IndexFunction)
    assert rules.view_of_index_function(memory().T.expr) is None


def test_view_of_free_elementwise():
    x = memory() * ga.from_array(ARRAY[0], chunks=4)
    new = rules.view_of_free_elementwise(x.T.expr)
    assert isinstance(same(new, (ARRAY * ARRAY[0]).T), Elementwise)
    costly = ga.sin(ga.map_blocks(np.sort, memory(), dtype=float))
    assert rules.view_of_free_elementwise(costly.T.expr) is None


def test_slice_before_reduce():
    new = rules.slice_before_reduce(memory().sum(axis=0)[1:3].expr)
    assert isinstance(same(new, ARRAY.sum(axis=0)[1:3]), Reduce)
    assert new.inputs[0].meta.shape == (6, 2)
    assert rules.slice_before_reduce(memory().sum(axis=0)[::2].expr) is None
    assert rules.slice_before_reduce(memory().sum(axis=0, keepdims=True)[:, 1:].expr) is None
    assert rules.slice_before_reduce(memory().T.expr) is None


def test_a_slice_of_a_mean_reads_only_its_columns():
    x = ga.ones((40, 40), chunks=10).map_blocks(np.sqrt)
    plan = x.mean(axis=0)[:10].explain()
    assert_eq(x.mean(axis=0)[:10], np.ones(10))
    assert "16" not in plan.splitlines()[2].split()


def test_view_of_piece():
    joined = ga.concatenate([ga.concatenate([memory(), memory() + 1]), memory() + 2])
    array = np.concatenate([ARRAY, ARRAY + 1, ARRAY + 2])
    affine = views.make_view([(0, 11, -2), (1, 1, 1)], (3, 3))  # of the second piece, backwards
    new = same(rules.view_of_piece(view(joined, affine)), array[11:6:-2, 1:])
    assert new.x is (memory() + 1).expr
    row = same(
        rules.view_of_piece(view(joined, views.View(((None, 17, 0), (0, 0, 1)), (4,)))), array[17]
    )
    assert row.x is (memory() + 2).expr
    across = view(joined, views.make_view([(0, 11, 1), (1, 0, 1)], (2, 4)))
    assert rules.view_of_piece(across) is None
    assert rules.view_of_piece(view(memory(), affine)) is None


def test_view_of_piece_goes_as_deep_as_loops_do():
    x = memory()
    for k in range(1500):
        x = ga.concatenate([x, memory() + k])
    assert_eq(x[1], ARRAY[1])
