"""The first rows come of as few partitions as have them, and of one pass where all are needed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.testing.frames import assert_eq
from gpuscale.testing.pieces import RecordedPieces

PDF = pd.DataFrame({"k": np.arange(60) % 7, "v": np.arange(60), "name": list("abc" * 20)})


def opened(npartitions=12):
    pieces = RecordedPieces(PDF, npartitions, counted=False)
    return wrap(ReadPieces(pieces, None, ())), pieces.reads


def test_few_pieces_are_read_for_a_few_rows():
    df, reads = opened()
    assert_eq(df.head(3), PDF.head(3))
    assert len(reads) == 1
    assert_eq(df[df.v >= 20].head(3), PDF[PDF.v >= 20].head(3))
    assert len(reads) == 1 + 1 + 4 + 12


@pytest.mark.parametrize("n", [2, 30, 100])
def test_what_is_below_a_shuffle_is_read_twice_at_the_most(n):
    df, reads = opened()
    shuffled = df.shuffle("k")
    shuffled = shuffled[shuffled.v % 2 == 0]
    expected = shuffled.compute().head(n)
    reads.clear()
    assert_eq(shuffled.head(n), expected)
    assert len(reads) <= 24


CHANGED = {
    "columns": lambda s: s[["name", "v"]],
    "a column": lambda s: s.name,
    "new columns": lambda s: s.assign(w=s.v * 2),
    "work": lambda s: s.v + s.k,
    "functions": lambda s: s.name.str.upper(),
}


@pytest.mark.parametrize("case", CHANGED)
def test_what_is_sorted_and_changed_row_by_row_is_not_sorted(case):
    df, reads = opened()
    by = ["name", "v"]
    lazy = CHANGED[case](df.sort_values(by))
    assert_eq(lazy.head(4), CHANGED[case](PDF.sort_values(by)).head(4))
    assert len(reads) == 12


def test_what_looks_at_other_rows_sees_them():
    df, _ = opened()
    for function in (lambda s: s.v.cumsum(), lambda s: s[s.k > 3], lambda s: s.v - s.v.mean()):
        expected = function(PDF.sort_values(["name", "v"]))
        assert_eq(function(df.sort_values(["name", "v"])).head(4), expected.head(4))


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(0, 70),
    npartitions=st.sampled_from([1, 2, 5]),
    least=st.sampled_from([0, 30, 59, 99]),
    is_sorted=st.booleans(),
)
def test_first_rows(n, npartitions, least, is_sorted):
    def run(frame):
        frame = frame.sort_values(["name", "v"]) if is_sorted else frame
        return frame[frame.v >= least]

    assert_eq(run(gd.from_pandas(PDF, npartitions=npartitions)).head(n), run(PDF).head(n))
