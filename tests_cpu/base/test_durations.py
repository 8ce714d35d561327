"""Durations as people write them."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base.durations import parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("10 S", 10), ("1e2 ms", 0.1), ("min", 60), (".5 days", 43200), ("2us", 2e-6)],
)
def test_texts(text, seconds):
    assert parse_seconds(text) == pytest.approx(seconds)


@given(st.floats(0, 1e6))
def test_numbers_are_seconds(seconds):
    for each in (seconds, np.float64(seconds), str(seconds), f"{seconds!r}s"):
        assert parse_seconds(each) == seconds
    assert parse_seconds(timedelta(seconds=seconds)) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize("wrong", ["", " ", "ten", "10 parsecs", "-3s", "1 2s", float("nan")])
def test_texts_that_are_none(wrong):
    with pytest.raises(ValueError, match="the timeout is a number of seconds"):
        parse_seconds(wrong, "the timeout")


@pytest.mark.parametrize("wrong", [None, [1], True, object()])
def test_what_is_no_duration(wrong):
    with pytest.raises(TypeError, match="a duration is a number of seconds"):
        parse_seconds(wrong)
