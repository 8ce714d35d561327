"""Pipelines drawn at random: engines, partitions, files and optimizations all agree with pandas."""

import operator

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.testing.frames import assert_eq
from gpuscale.testing.pieces import RecordedPieces

COMPARE = [operator.lt, operator.ge, operator.eq, operator.ne]
STEPS = {
    "assign": lambda d, k, _: d.assign(z=d.x * k + d.y),
    "replace": lambda d, k, _: d.assign(x=d.x - k),
    "filter": lambda d, k, compare: d[compare(d.x, k)],
    "both": lambda d, k, compare: d[compare(d.y, k) & (d.n != "b")],
    "either": lambda d, k, compare: d[compare(d.y, k) | d.x.isin([1, k])],
    "columns": lambda d, k, _: d[["n", "y", "x"]],
    "drop": lambda d, k, _: d.drop(columns="x").assign(x=d.x + k),
    "rename": lambda d, k, _: d.rename(columns={"y": "w"}).assign(y=d.y).drop(columns="w"),
    "fill": lambda d, k, _: d.fillna({"y": float(k)}),
    "running": lambda d, k, _: d.assign(x=d.x.cumsum()),
    "slice": lambda d, k, _: d.iloc[abs(k) :],
}
ENDS = {
    "rows": lambda d: d,
    "sum": lambda d: d[["x", "y"]].sum(),
    "count": lambda d: d.count(),
    "one": lambda d: d.y.max(),
    "index": lambda d: d.index,
    "texts": lambda d: d.n.str.upper(),
    "frequent": lambda d: d.n.value_counts(),
}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_pipelines(data):
    rows = data.draw(st.integers(0, 15))
    pdf = pd.DataFrame(
        {
            "x": pd.Series(
                data.draw(st.lists(st.integers(-4, 4), min_size=rows, max_size=rows)), dtype="int64"
            ),
            "y": pd.Series([None if k % 4 == 0 else k / 2 for k in range(rows)], dtype="float64"),
            "n": pd.Series(
                [None if k % 5 == 0 else "abc"[k % 3] for k in range(rows)], dtype="str"
            ),
        }
    )
    parts = data.draw(st.integers(1, 4))
    lazy = [
        gd.from_pandas(pdf, npartitions=parts),
        wrap(ReadPieces(RecordedPieces(pdf, parts, counted=data.draw(st.booleans())), None, ())),
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        step = STEPS[data.draw(st.sampled_from(sorted(STEPS)))]
        k, compare = data.draw(st.integers(-3, 3)), data.draw(st.sampled_from(COMPARE))
        pdf = step(pdf, k, compare)
        lazy = [step(each, k, compare) for each in lazy]
    end = ENDS[data.draw(st.sampled_from(sorted(ENDS)))]
    for each in lazy:
        assert_eq(end(each), end(pdf), promised=False, rtol=1e-12)
    assert_eq(end(lazy[1]).compute(engine="threads"), end(pdf), rtol=1e-12)
