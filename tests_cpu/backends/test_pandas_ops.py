"""Rows of the seams for pandas, and tokens of its objects."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gpuscale.backends.seams import backend_name, join_grid, nbytes
from gpuscale.base.tokens import ARRAY_CONTENT_LIMIT, tokenize

OBJECTS = """
import pandas as pd
frame = pd.DataFrame({"x": [1, 2], "n": ["a", None], "t": pd.to_datetime(["2020-01-01", None])})
OBJECTS = [
    frame,
    frame.astype({"x": "Int64"}),
    frame.astype({"x": "int64[pyarrow]"}),
    frame.n,
    frame.n.astype("category"),
    frame.n.astype("string"),
    frame.n.astype(object),
    frame.t.dt.tz_localize("Europe/Rome"),
    frame.index,
    frame.set_index(["x", "n"]).index,
    pd.period_range("2020-01", periods=2, freq="M"),
    pd.CategoricalDtype(["a", "b"]),
    pd.CategoricalDtype(["a", "b"], ordered=True),
    pd.StringDtype("pyarrow"),
    pd.StringDtype(na_value=float("nan")),
    pd.DatetimeTZDtype("ns", "UTC"),
    pd.Int64Dtype(),
    pd.Timestamp("2020-01-01"),
]
"""
space = {}
exec(OBJECTS, space)


def test_different_objects_have_different_tokens():
    tokens = [tokenize(each) for each in space["OBJECTS"]]
    assert len(set(tokens)) == len(tokens)


def test_other_processes_make_the_same_tokens():
    code = OBJECTS + "\nfrom gpuscale.base.tokens import tokenize\nimport gpuscale.backends\n"
    code += "print(*map(tokenize, OBJECTS))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert found.stdout.split() == [tokenize(each) for each in space["OBJECTS"]]


def test_what_is_not_data_changes_nothing():
    frame = space["frame"]
    assert tokenize(frame) == tokenize(frame.copy())
    assert tokenize(frame[:1]) == tokenize(frame[:1].copy())
    masked = pd.array([1, None], dtype="Int64")
    other = pd.array([1, 7], dtype="Int64")
    other[1] = None
    assert tokenize(masked) == tokenize(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.rename(columns={"x": "y"}),
        lambda frame: frame.set_axis([5, 6]),
        lambda frame: frame.rename_axis("name"),
        lambda frame: frame.astype({"x": "int32"}),
        lambda frame: frame[["n", "x", "t"]],
        lambda frame: frame[::-1],
    ],
)
def test_all_that_is_seen_counts(change):
    assert tokenize(change(space["frame"])) != tokenize(space["frame"])


def test_large_frames_are_known_by_identity():
    large = pd.DataFrame({"x": np.arange(ARRAY_CONTENT_LIMIT)})
    assert tokenize(large) == tokenize(large)
    assert tokenize(large) != tokenize(large.copy())


def test_rows_of_seams():
    frame = space["frame"]
    for each in (frame, frame.x, frame.index):
        assert backend_name(each) == "pandas"
        assert nbytes(each) > 0
    pd.testing.assert_frame_equal(join_grid(frame, [frame[:1], frame[1:]], (2,)), frame)
    parts = [frame.index[:1], frame.index[1:]]
    joined = join_grid(parts[0], parts, (2,))
    pd.testing.assert_index_equal(joined, frame.index, exact="equiv")
