"""Rows that can meet none of a filtered side are not shuffled for a merge; nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms.known_keys import KnownKeys, Slots, WithKnownKeys
from gpuscale.expr.stages import simplify_rules
from gpuscale.testing.frames import COLUMNS

LEFT = pd.DataFrame({"k": np.arange(60) % 20, "v": np.arange(60)})
RIGHT = pd.DataFrame({"k": np.arange(40) % 25, "w": np.arange(40)})
DTYPES = ("int64", "int8", "float64", "str", "Int64", "datetime64[ns]", "category")


def pair(left=LEFT, right=RIGHT):
    return gd.from_pandas(left, npartitions=4), gd.from_pandas(right, npartitions=3)


def as_written(lazy):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simplify_rules, "_first", [])
        return lazy.compute(engine="sync")


def fires(lazy):
    return str(lazy.explain()).count("with-known-keys")


def rows_of(frame):
    return sorted(map(repr, frame.itertuples(index=False, name=None)))


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_side_that_is_not_filtered_is_shuffled_less(how, side):
    left, right = pair()
    one, other = (left[left.v > 52], right) if side == "left" else (left, right[right.w > 35])
    result = one.merge(other, on="k", how=how, broadcast=False)
    # Rows of the left are dropped, of which more are foreseen: where it may lose any.
    assert fires(result) == (side == "right" and how in ("inner", "right"))
    pd.testing.assert_frame_equal(result.compute(engine="sync"), as_written(result))


def test_sides_that_nobody_filtered_are_shuffled_as_they_are():
    left, right = pair()
    assert not fires(left.merge(right, on="k", broadcast=False))
    small = right[right.w > 35]
    validated = left.merge(small, on="k", broadcast=False, validate="m:m")
    assert not fires(left.merge(small, on="k"))  # a small side goes whole to each partition
    assert len(validated.compute(engine="sync")) == len(LEFT.merge(RIGHT[RIGHT.w > 35], on="k"))


def test_merges_of_merges():
    left, right = pair()
    first = left.merge(right[right.w > 35], on="k", broadcast=False)
    more = left.assign(v=left.v + 1)
    both = more.merge(first[["k", "w"]], on="k", broadcast=False)
    assert fires(both) == 2
    inner = LEFT.merge(RIGHT[RIGHT.w > 35], on="k")[["k", "w"]]
    expected = LEFT.assign(v=LEFT.v + 1).merge(inner, on="k")
    found = both.compute(engine="sync")
    assert rows_of(found) == rows_of(expected)
    pd.testing.assert_frame_equal(found, as_written(both))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_keys_of_any_dtype(data):
    dtype, how = data.draw(st.sampled_from(DTYPES)), data.draw(st.sampled_from(["inner", "left"]))
    frames = []
    for name, least in (("v", 12), ("w", 0)):
        element = COLUMNS.get(dtype, COLUMNS["int64"])
        keys = data.draw(st.lists(element, min_size=least, max_size=12))
        small = [each % 7 for each in keys] if dtype.startswith("int") else keys
        keys = pd.Series(small, dtype=dtype)
        keys = keys.cat.set_categories(["a", "b", "c"]) if dtype == "category" else keys
        frames.append(pd.DataFrame({"k": keys, name: np.arange(len(keys)), "again": keys}))
    on = data.draw(st.sampled_from(["k", ["k", "again"]]))
    if data.draw(st.booleans()) and dtype == "int64":
        frames[1] = frames[1].astype({"k": "float64"})  # equal numbers of other dtypes meet
    left, right = pair(*frames)
    result = left.merge(right[right.w < 6], on=on, how=how, broadcast=False)
    expected = frames[0].merge(frames[1][frames[1].w < 6], on=on, how=how)
    found = result.compute(engine="sync")
    assert rows_of(found) == rows_of(expected)
    pd.testing.assert_frame_equal(found, as_written(result))


@pytest.mark.parametrize("whole", [True, False])
def test_more_keys_than_bits_leave_nothing_out(whole):
    frame = pd.DataFrame({"k": [-(2**63), -1, *range(400), 2**63 - 1]})
    slots = Slots(("k",), 512, whole)
    plan = KnownKeys(slots)
    known = plan.finalize(plan.combine([plan.chunk(frame), plan.chunk(frame[:2])]))
    assert not len(known)
    assert WithKnownKeys(slots)(frame, known) is frame
    few = plan.finalize(plan.chunk(frame[:5]))
    kept = WithKnownKeys(slots)(frame, few)
    assert set(frame.k[:5]) <= set(kept.k)
    assert len(kept) < len(frame)
