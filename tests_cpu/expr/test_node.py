"""Nodes are immutable, interned, and know where the user made them."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.expr.node import Node, user_call, user_line
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


def test_a_folder_whose_name_begins_like_the_package_is_the_users():
    file = f"{Path(gpuscale.__file__).parent}_plugins/program.py"
    names = {"user_line": user_line, "user_call": user_call}
    code = compile(
        "def ones():\n    return user_line(), user_call({'ones'})\nfound = ones()", file, "exec"
    )
    exec(code, names)
    assert names["found"] == ((file, 2), None)


def test_origin_is_the_line_of_the_user_where_the_package_is_found_by_a_link(tmp_path):
    (tmp_path / "link").symlink_to(Path(gpuscale.__file__).parent.parent)
    program = tmp_path / "program.py"
    program.write_text("import gpuscale.array as ga\nprint(ga.ones(3).expr.origin)\n")
    ran = subprocess.run(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "link")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str((str(program), 2))


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
