"""Nodes are immutable, interned, and know where the user made them."""

import pickle

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.expr.node import Node
from gpuscale.expr.walk import toposort


def test_equal_nodes_are_one_object():
    x = ga.ones(4)
    assert (x + 1).expr is (x + 1).expr
    assert (x + 1).expr is not (x + 2).expr


def test_nodes_are_immutable():
    node = ga.ones(4).expr
    with pytest.raises(AttributeError, match="immutable"):
        node.label = "zeros"


def test_wrong_number_of_operands():
    with pytest.raises(TypeError, match="operands"):
        type(ga.ones(4).expr)(1)


def test_a_node_without_metadata_says_so():
    class Nameless(Node):
        x: int

    with pytest.raises(NotImplementedError, match="Nameless"):
        Nameless(1)


def test_pickle_keeps_identity():
    node = (ga.ones((4, 4), chunks=2).T + 1).sum().expr
    assert pickle.loads(pickle.dumps(node)) is node


def test_origin_is_the_line_of_the_user():
    node = (ga.ones(4) + 12345).expr
    assert node.origin is not None
    assert node.origin[0] == __file__


def test_children_come_once_and_in_order():
    x, y = ga.ones(4), ga.arange(4)
    assert [c.name for c in (x + y).expr.children] == ["full", "arange"]
    assert len((x + x).expr.children) == 1


def test_walks_have_no_depth_limit():
    x = ga.asarray(np.ones(2))
    for k in range(1200):
        x = x + (k + 100)
    assert sum(1 for _ in toposort([x.expr])) > 2400
    assert x.sum().compute(engine="sync") == 2 * (1 + sum(range(100, 1300)))


def test_walks_meet_shared_nodes_once():
    x = ga.ones(4)
    y = (x + 1) * (x + 1)
    seen = list(toposort([y.expr]))
    assert seen[-1] is y.expr
    assert len(seen) == len({node.token for node in seen})


def test_glimpse_is_a_copy_over_other_children_that_nobody_finds_again():
    y = ga.arange(4) + ga.ones(4)
    other = ga.zeros(4).expr
    copy = y.expr.glimpse(lambda child: other)
    assert copy.inputs == (other, other)
    assert copy.op == "add"
    assert copy.meta == y.expr.meta
    assert (ga.zeros(4) + ga.zeros(4)).expr is not copy
