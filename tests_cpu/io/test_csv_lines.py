"""Lines of CSV that Arrow makes are those of pandas, byte for byte."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.io.csv_lines import csv_lines

NUMBERS = [
    *(0.0, -0.0, 1.0, -3.0, 1e9, 1e15, 1e16, 123456789012345680.0, 1e22, 5e-324, 1e300, np.inf),
    *(1e-4, 1e-5, 1.5e-7, 0.1, 1 / 3, 999999999.1, -np.inf, np.nan, 9999999999999998.0, 1e-7),
]


def expected(frame, **options):
    return frame.to_csv(**options | {"header": False})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats() | st.sampled_from(NUMBERS),
            st.none() | st.text(st.characters(codec="utf-8"), max_size=4),
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_lines_are_those_of_pandas(rows, index, sep):
    x, t, i, b = zip(*rows, strict=True)
    frame = pd.DataFrame({"x": x, "i": i, "b": b, "t": pd.Series(t, dtype="str")})
    frame["x"] = frame.x.astype(float)
    plain = frame.drop(columns="t")
    assert csv_lines(plain, {"index": index, "sep": sep}) == expected(plain, index=index, sep=sep)
    lines = csv_lines(frame, {"index": index, "sep": sep})
    assert lines in (None, expected(frame, index=index, sep=sep))


def test_numbers_at_the_ends_of_notations():
    rng = np.random.default_rng(0)
    made = 10.0 ** rng.uniform(-12, 20, 3000) * rng.choice([-1, 1], 3000)
    values = [*NUMBERS, *made, *np.round(made, 2), *np.nextafter(NUMBERS, 0)]
    frame = pd.DataFrame({"x": values, "n": np.arange(len(values), dtype="u8")})
    assert csv_lines(frame, {}) == expected(frame)
    assert csv_lines(frame.set_index("x"), {"sep": ";"}) == expected(frame.set_index("x"), sep=";")
    assert csv_lines(frame.x, {}) == expected(frame.x)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": ["a", 'b"']}),
        pd.DataFrame({"x": pd.to_datetime(["2026-01-01"])}),
        pd.DataFrame({"x": np.array([0.1], "f4")}),
        pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])),
        pd.DataFrame({"x": [1]})[:0],
    ],
)
def test_what_only_pandas_can_tell(frame):
    assert csv_lines(frame, {}) is None


@pytest.mark.parametrize("options", [{"na_rep": "-"}, {"sep": " "}, {"index": None}])
def test_options_of_pandas_alone(options):
    assert csv_lines(pd.DataFrame({"x": [1.5], "y": [None]}), options) is None
    assert csv_lines(pd.DataFrame({"x": ["", "a"]}), {"index": False}) is None
