"""What arrays show of themselves, without computing."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.strategies import chunks

SVG = "{http://www.w3.org/2000/svg}"


def parts(svg, name):
    return ElementTree.fromstring(svg).findall(f"{SVG}{name}")


def test_one_line():
    with nothing_computes():
        text = repr(ga.ones((10, 6), chunks=(4, 3)) + 1)
        assert text == "gpuscale.array<add, shape=(10, 6), dtype=float64, chunksize=(4, 3)>"
        assert repr(ga.ones(3, like="cupy")).endswith("backend=cupy>")
        x = ga.arange(9, chunks=4)
        assert "?" in repr(x[x > 3])


def test_notebooks_get_a_table_and_a_drawing():
    with nothing_computes():
        html = ga.ones((1000, 500), chunks=(250, 500))._repr_html_()
    root = ElementTree.fromstring(html)
    text = "".join(root.itertext())
    for part in ("(1000, 500)", "(250, 500)", "4 chunks", "float64", "numpy", "3.8 MiB"):
        assert part in text
    assert root.find(f".//{SVG}rect") is not None


def test_markup_is_escaped():
    x = ga.map_blocks(np.sort, ga.ones(3), name="<b>", dtype=float)
    assert "&lt;b&gt;" in x._repr_html_()
    assert "<b>" not in x._repr_html_()


def test_unknown_sizes_have_no_drawing():
    x = ga.arange(9, chunks=4)
    with nothing_computes():
        html = x[x > 3]._repr_html_()
    assert "unknown" in html
    assert "<svg" not in html


@settings(max_examples=25)
@given(st.data())
def test_the_drawing_shows_the_grid(data):
    shape = data.draw(st.sampled_from([(7,), (5, 9), (3, 4, 5)]))
    x = ga.ones(shape, chunks=data.draw(chunks(shape)))
    svg = x.to_svg(size=200)
    sheets = min(int(np.prod(x.numblocks[:-2])), 6)
    assert len(parts(svg, "rect")) == sheets
    cuts = sum(n - 1 for n in x.numblocks[-2:])
    assert len(parts(svg, "line")) == sheets * cuts
    labels = [each.text for each in parts(svg, "text")]
    assert labels == [str(n) for n in reversed(shape[-2:])]
    longest = max(float(parts(svg, "rect")[0].get(side)) for side in ("width", "height"))
    assert longest == pytest.approx(200)


def test_many_blocks_are_drawn_as_some():
    svg = ga.ones((10**5,), chunks=1).to_svg()
    assert len(parts(svg, "line")) <= 30


def test_nothing_to_draw():
    svg = ga.ones(()).to_svg()
    assert len(parts(svg, "rect")) == 1
    assert not parts(svg, "line")
    assert not parts(svg, "text")
    assert "float64" in ga.ones(())._repr_html_()
    assert "float64" in ga.ones((0, 3))._repr_html_()
