"""What is read of a file: the columns and rows that somebody wants, once."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.expr.walk import toposort
from gpuscale.testing.frames import assert_eq
from gpuscale.testing.pieces import RecordedPieces

PDF = pd.DataFrame(
    {
        "x": np.arange(12),
        "y": np.arange(12) * 0.5,
        "name": list("abcabcabcabc"),
        "t": pd.date_range("2020-01-01", periods=12),
    }
)


def opened(**options):
    pieces = RecordedPieces(PDF, 3, **options)
    return wrap(ReadPieces(pieces, None, ())), pieces.reads


@pytest.mark.parametrize("counted", [True, False])
def test_one_read_of_the_columns_that_are_wanted(counted):
    df, reads = opened(counted=counted)
    assert_eq((df.x + df.y).sum(), (PDF.x + PDF.y).sum())
    assert reads == [(("x", "y"), ())] * 3


CASES = {
    "comparison": (lambda d: d[d.x > 3].y.sum(), ("y",), (("x", ">", 3),)),
    "turned": (lambda d: d[d.x > 3].y.sum(), ("y",), (("x", ">", 3),)),
    "both": (
        lambda d: d[(d.x > 3) & (d.name == "a")].y.sum(),
        ("y",),
        (("x", ">", 3), ("name", "==", "a")),
    ),
    "some": (
        lambda d: d[(d.x > 3) & (d.y + d.x < 9)].y.sum(),
        ("x", "y"),
        (("x", ">", 3),),
    ),
    "dates": (
        lambda d: d[d.t >= "2020-01-04"].x.sum(),
        ("x",),
        (("t", ">=", pd.Timestamp("2020-01-04")),),
    ),
    "between": (lambda d: d[d.x.between(2, 5)].x.sum(), ("x",), (("x", ">=", 2), ("x", "<=", 5))),
    "isin": (lambda d: d[d.name.isin(["a", "c"])].x.sum(), ("x",), (("name", "in", ("a", "c")),)),
    "of columns": (lambda d: d[["x", "y"]][d.x > 3].y.sum(), ("y",), (("x", ">", 3),)),
    "assigned": (lambda d: d.assign(z=d.x, w=d.y).z.sum(), ("x",), ()),
    "two filters": (
        lambda d: (lambda e: e[e.y < 4])(d[d.x > 3]).x.sum(),
        ("x",),
        (("x", ">", 3), ("y", "<", 4)),
    ),
    "counted without nulls": (lambda d: d.groupby("name").x.count(), ("name",), ()),
    "counted with nulls": (lambda d: d.groupby("name").y.count(), ("y", "name"), ()),
    "counted where a merge leaves nulls": (
        lambda d: (
            d.merge(d[d.x > 3][["x"]].rename(columns={"x": "z"}), "left", left_on="x", right_on="z")
            .groupby("name")
            .z.count()
        ),
        ("x", "name"),
        (),
    ),
    "counted beside": (
        lambda d: d.groupby("name").agg(n=("x", "count"), y=("y", "sum")),
        ("y", "name"),
        (),
    ),
    "another reader": (lambda d: d[d.x > 3].y.sum() + d.x.sum(), ("x", "y"), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_read(case):
    function, columns, predicate = CASES[case]
    df, reads = opened()
    assert_eq(function(df), function(PDF))
    assert set(reads) == {(columns, predicate)}


def test_rows_alone_need_no_columns():
    df, reads = opened(counted=False)
    assert len(df) == 12
    assert set(reads) == {((), ())}


def test_a_reader_that_takes_nothing():
    df, reads = opened(takes=frozenset())
    assert_eq(df[df.x > 3][["y"]], PDF[PDF.x > 3][["y"]])
    assert set(reads) == {(None, ())}


WITH_OTHER_ROWS = {
    "reduction": lambda d: d[(d.x > 3) & (d.y > d.y.mean())],
    "running": lambda d: d[(d.x > 3) & (d.y.cumsum() > 5)],
    "shifted": lambda d: d[(d.x > 3) & (d.x.shift(1) > 4)],
    "ranked": lambda d: d[(d.x > 3) & (d.x.rank() > 5)],
    "grouped": lambda d: d[(d.x > 3) & (d.groupby("name").y.transform("sum") > 8)],
    "scalar of itself": lambda d: d[(d.x > 3) & (d.x < d.x.max())],
}


@pytest.mark.parametrize("case", WITH_OTHER_ROWS)
def test_a_mask_that_looks_at_other_rows_sees_all_of_them(case):
    function = WITH_OTHER_ROWS[case]
    df, reads = opened()
    assert_eq(function(df), function(PDF))
    assert all(predicate == () for _, predicate in reads)


def test_explain_says_what_is_read_at_each_stage(tmp_path):
    path = tmp_path / "x.parquet"
    PDF.to_parquet(path, row_group_size=4)
    df = gd.read_parquet(path, split_row_groups=True)
    total = df[df.x > 7].y.sum()
    (source,) = (node for node in toposort([df.expr]) if isinstance(node, ReadPieces))
    read, whole = 4 * 2 * 8, sum(piece.nbytes for piece in source.pieces.pieces)
    said = f"2 of 4 columns, 1 of 3 pieces, {read} B of {whole} B, where x > 7"
    assert f"4 of 4 columns, 3 of 3 pieces, {whole} B of {whole} B" in total.explain("expression")
    for stage in ("simplify", "lower", "fuse", "plan"):
        text = total.explain(stage)
        assert text.count(said) == 1
        assert text.count("pieces") == 1


def test_explain_says_what_is_read_of_rows_alone():
    df, _ = opened()
    assert "0 of 4 columns, 3 of 3 pieces, 0 B of 1.2 KiB" in df.index.explain("simplify")
