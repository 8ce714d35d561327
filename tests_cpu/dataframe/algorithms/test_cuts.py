"""Pieces of partitions: together they are all rows, each once."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms.cuts import Labels, Share
from gpuscale.testing.frames import assert_eq

LABELS = st.lists(st.integers(0, 12), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(
    labels=LABELS,
    parts=st.integers(1, 5),
    bounds=st.lists(st.integers(0, 12), max_size=5),
)
def test_other_divisions_keep_every_row(labels, parts, bounds):
    pdf = pd.DataFrame({"x": range(len(labels))}, index=sorted(labels))
    df = gd.from_pandas(pdf, npartitions=parts)
    low, high = df.divisions[0], df.divisions[-1]
    divisions = [low, *sorted({each for each in bounds if low < each < high}), high]
    result = df.repartition(divisions=divisions)
    assert_eq(result, pdf)
    for k, (start, stop) in enumerate(zip(divisions, divisions[1:], strict=False)):
        last = k == len(divisions) - 2
        inside = (pdf.index >= start) & ((pdf.index < stop) | last)
        assert_eq(result.partitions[k], pdf[inside])


@given(labels=LABELS, bound=st.integers(0, 12), shares=st.integers(1, 4))
def test_pieces_of_one_partition(labels, bound, shares):
    frame = pd.DataFrame({"x": range(len(labels))}, index=labels)
    pieces = [Labels(None, bound)(frame), Labels(bound, None)(frame)]
    assert sorted(pd.concat(pieces).x) == list(frame.x)
    assert_eq(pd.concat([Share(k, shares)(frame) for k in range(shares)]), frame)
