"""Boxes lie below what they read and never on each other."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.diagnostics.layered import GAP, place, spread


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 25))
    return {k: draw(st.lists(st.integers(0, k - 1), max_size=4)) if k else [] for k in range(count)}


@settings(max_examples=60)
@given(graphs(), st.data())
def test_boxes_do_not_touch_and_edges_go_down(inputs, data):
    widths = {name: data.draw(st.floats(1, 200)) for name in inputs}
    layout = place(inputs, widths, 30.0)
    assert layout.centers.keys() == inputs.keys()
    assert layout.paths.keys() == {(i, name) for name in inputs for i in inputs[name]}
    rows = {}
    for name, (x, y) in layout.centers.items():
        rows.setdefault(y, []).append((x, widths[name]))
        assert widths[name] / 2 - 1e-6 <= x <= layout.width - widths[name] / 2 + 1e-6
        assert 15 <= y <= layout.height - 15
    for row in rows.values():
        for (left, one), (right, other) in pairwise(sorted(row)):
            assert right - left >= (one + other) / 2 + GAP - 1e-6
    for path in layout.paths.values():
        assert all(-1e-6 <= x <= layout.width + 1e-6 for x, _ in path)
        assert all(upper < lower for (_, upper), (_, lower) in pairwise(path))


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0, 100)), min_size=1, max_size=8))
def test_spread_keeps_gaps_and_mean(pairs):
    wishes, widths = zip(*pairs, strict=True)
    found = spread(wishes, widths)
    for k, (one, other) in enumerate(pairwise(found)):
        assert other - one >= (widths[k] + widths[k + 1]) / 2 + GAP - 1e-6
    assert np.isclose(np.mean(found), np.mean(wishes), atol=1e-6)


def test_nothing_to_place():
    layout = place({}, {}, 10.0)
    assert layout.centers == {}
    assert layout.width == 0
