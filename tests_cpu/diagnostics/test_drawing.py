"""Pictures are well-formed, show every node and task, and are refused where nobody could read."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.diagnostics.drawing import MAX_BOXES
from gpuscale.expr import stages
from gpuscale.expr.walk import toposort
from gpuscale.graph.build import build

SVG = "{http://www.w3.org/2000/svg}"


def headline():
    x = ga.random.random((40, 40), chunks=20)
    return ((x + x.T) - x.mean(axis=0)).std(axis=0)


def boxes(drawing):
    groups = ElementTree.fromstring(drawing.svg).iter(f"{SVG}g")
    return [[text.text for text in group.iter(f"{SVG}text")] for group in groups]


def edges(drawing):
    return [e for e in ElementTree.fromstring(drawing.svg).iter(f"{SVG}path") if e.get("class")]


@pytest.mark.parametrize("stage", ["expression", "simplify", "lower", "fuse"])
def test_every_node_and_every_input_is_drawn(stage):
    y = headline()
    nodes = list(toposort(stages.optimize([y.expr], stage)))
    drawing = y.visualize(kind="expression", stage=stage)
    assert sorted(lines[0].replace(" ", "") for lines in boxes(drawing)) == sorted(
        node.name for node in nodes
    )
    assert len(edges(drawing)) == sum(len(node.children) for node in nodes)


@pytest.mark.parametrize("stage", ["lower", "fuse"])
def test_every_task_and_every_dependency_is_drawn(stage):
    y = headline()
    graph = build(stages.optimize([y.expr], stage))
    drawing = y.visualize(stage=stage)
    assert len(boxes(drawing)) == len(graph)
    assert len(edges(drawing)) == sum(len(set(task.deps)) for task in graph.values())


def test_a_box_says_operations_shape_blocks_and_kind():
    (total, partial) = sorted(boxes(ga.ones((6, 4), chunks=2).sum().visualize(kind="expression")))[
        ::-1
    ]
    assert partial[0] == "full + sum"
    assert partial[-1] == "Blockwise"
    assert total == ["sum", "() float64", "1 block of 8 B", "TreeReduce"]


def test_tasks_inside_a_rechunk_know_their_node():
    drawing = gpuscale.visualize(ga.arange(12, chunks=4).rechunk(6).cumsum())
    assert {lines[-1] for lines in boxes(drawing)} <= {"Blockwise", "Exchange", "TreeReduce"}


def test_what_is_read_inside_the_task_has_a_dashed_edge(tmp_path):
    import numpy as np

    np.save(tmp_path / "x.npy", np.ones((4, 4)))
    x = ga.from_array(np.load(tmp_path / "x.npy", mmap_mode="r"), chunks=2)
    dashes = [edge.get("stroke-dasharray") for edge in edges((x + 1).visualize(kind="expression"))]
    assert dashes == ["4 3"]


def test_names_that_xml_would_misread():
    def less_than(chunk):
        return chunk

    less_than.__name__ = "a<b>&'c'"
    x = ga.map_blocks(less_than, ga.ones(4, chunks=2), dtype=float)
    assert "a<b>&'c'" in [lines[0] for lines in boxes(x.visualize(kind="expression"))]


def test_collections_together_share_boxes():
    x = ga.arange(8, chunks=4)
    both = gpuscale.visualize(x.sum(), {"largest": x.max()}, kind="expression", stage="expression")
    assert [lines[0] for lines in boxes(both)].count(x.expr.name) == 1


def test_the_user_s_line_is_shown_without_its_folder():
    svg = headline().visualize(kind="expression").svg
    assert re.search(r"<title>[^/]*\ntest_drawing\.py:\d+</title>", svg)


def test_written_to_files(tmp_path):
    drawing = headline().visualize(filename=tmp_path / "plan.svg")
    assert (tmp_path / "plan.svg").read_text(encoding="utf-8") == drawing.svg
    assert drawing._repr_svg_() == drawing.svg
    assert "SVG" in repr(drawing)
    drawing.save(tmp_path / "plan", format="svg")
    assert (tmp_path / "plan").exists()


def test_png(tmp_path):
    pytest.importorskip("resvg_py", reason="resvg-py is not installed")
    headline().visualize(filename=tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


def test_png_without_the_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ModuleNotFoundError, match="pip install resvg-py"):
        headline().visualize(filename=tmp_path / "plan.png")
    assert not (tmp_path / "plan.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "tree"}, "no kind 'tree'"),
        ({"stage": "molten"}, "no stage 'molten'"),
        ({"stage": "simplify"}, "no tasks at stage 'simplify'"),
        ({"filename": "plan.jpeg"}, "cannot write 'jpeg'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        headline().visualize(**options)


def test_more_than_anyone_can_read_is_refused_with_advice():
    x = ga.ones(10 * MAX_BOXES, chunks=1) + 1
    with pytest.raises(ValueError, match="kind='expression'"):
        x.visualize()
    assert len(boxes(x.visualize(kind="expression"))) == 1


def test_more_calls_than_anyone_can_read_are_refused_without_a_word_of_chunks():
    call = gpuscale.delayed(abs)
    with pytest.raises(ValueError, match="a computation with fewer calls$"):
        gpuscale.visualize([call(n) for n in range(MAX_BOXES + 1)])


def test_a_full_disk_leaves_no_picture_or_the_one_before(tmp_path):
    program = """
import resource, signal
import gpuscale.array as ga
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
ga.ones(4, chunks=2).visualize("plan.svg")
"""
    command = [sys.executable, "-c", program]
    for before in (None, "before"):
        if before is not None:
            (tmp_path / "plan.svg").write_text(before)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert "File too large" in done.stderr
        left = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert left == ({} if before is None else {"plan.svg": before})


def test_a_picture_goes_through_links_and_into_pipes(tmp_path):
    (tmp_path / "link.svg").symlink_to(tmp_path / "plan.svg")
    drawing = ga.ones(4, chunks=2).visualize(tmp_path / "link.svg")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "plan.svg").read_text() == drawing.svg
    drawing.save("/dev/null")
    assert not Path("/dev/null").is_file()


def test_the_filename_may_come_first(tmp_path):
    ga.ones(4, chunks=2).visualize(str(tmp_path / "plan.svg"))
    assert (tmp_path / "plan.svg").exists()


def test_there_is_no_such_stage_of_delayed_calls_either():
    with pytest.raises(ValueError, match="no stage 'z'"):
        gpuscale.visualize(gpuscale.delayed(abs)(1), stage="z")


def test_delayed_values_have_tasks_alone():
    x = ga.ones((4, 4), chunks=2) + 1
    value = gpuscale.delayed(len)(x)
    for options in ({"kind": "expression"}, {"stage": "simplify"}):
        with pytest.raises(ValueError, match="have no expression|no tasks at stage"):
            gpuscale.visualize(x, value, **options)
    lowered, fused = (gpuscale.visualize(x, value, stage=s) for s in ("lower", "fuse"))
    assert len(boxes(lowered)) == len(boxes(fused)) + 4 + 1  # the ones, and the scalar
    kinds = {box[-1] for box in boxes(fused)}
    assert {"Blockwise", "0 B"} <= kinds
