"""Orders by words are those of stable sorts."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms import ordering
from gpuscale.dataframe.algorithms.ordering import rows_in_order, stable_order
from gpuscale.testing.frames import assert_eq

ROWS = 5000
RANDOM = np.random.default_rng(0)
KEYS = {
    "small": RANDOM.integers(-3, 3, ROWS),
    "wide": RANDOM.integers(-(2**46), 2**46, ROWS),
    "wider": RANDOM.integers(-(2**62), 2**62, ROWS),
    "far": np.append(RANDOM.integers(0, 99, ROWS), 2**62),  # all but one alike in leading bits
    "all": np.append(RANDOM.integers(0, 99, ROWS), [2**63 - 1, -(2**63)]),
    "int8": RANDOM.integers(-128, 128, ROWS).astype("int8"),
    "uint32": RANDOM.integers(0, 2**32, ROWS).astype("uint32"),
    "ends": RANDOM.permutation(np.arange(ROWS) + (2**63 - ROWS)),
    "least": RANDOM.permutation(np.arange(ROWS) + -(2**63)),
    "times": pd.to_datetime(RANDOM.integers(0, 2**31, ROWS), unit="s").as_unit("s").to_numpy(),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("ascending", [True, False])
def test_orders_are_those_of_pandas(key, ascending):
    values = pd.Series(KEYS[key])
    order = stable_order(values, ascending)
    expected = values.sort_values(ascending=ascending, kind="stable").index.to_numpy()
    np.testing.assert_array_equal(order, expected)
    np.testing.assert_array_equal(stable_order(pd.Index(values), ascending), expected)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(np.arange(ROWS)),  # in order already
        pd.Series(KEYS["small"][:10]),
        pd.Series(KEYS["small"] / 2),
        pd.Series(KEYS["small"]).astype("Int64"),
        pd.Series(KEYS["uint32"].astype("uint64")),
        pd.Series(KEYS["times"]).mask(KEYS["small"] == 0),
        pd.Series(KEYS["small"]).astype("str"),
    ],
    ids=["ordered", "few", "floats", "nullable", "uint64", "nulls", "texts"],
)
def test_what_pandas_sorts(values):
    assert stable_order(values) is None


@pytest.mark.parametrize("ascending", [True, False])
def test_frames(monkeypatch, ascending):
    monkeypatch.setattr(ordering, "_LEAST", 8)
    pdf = pd.DataFrame({"key": KEYS["small"][:400], "x": np.arange(400), "t": KEYS["times"][:400]})
    df = gd.from_pandas(pdf, npartitions=5)
    for key in ("key", "t"):
        options = {"ascending": ascending}
        assert_eq(df.sort_values(key, **options), pdf.sort_values(key, kind="stable", **options))
        indexed = pdf.set_index(key)
        by_index = gd.from_pandas(indexed, npartitions=5, sort=False).sort_index(**options)
        assert_eq(by_index, indexed.sort_index(kind="stable", **options))
    assert_eq(df.set_index("key"), pdf.set_index("key").sort_index(kind="stable"))


@pytest.mark.parametrize("least", [1, 1000])
def test_rows_of_pieces(monkeypatch, least):
    monkeypatch.setattr(ordering, "_LEAST_PIECE", least)
    pdf = pd.DataFrame(
        {
            "x": KEYS["small"][:50],
            ("a", 1): pd.Categorical(KEYS["small"][:50]),
            "s": pd.Series(KEYS["small"][:50]).astype("str").where(KEYS["small"][:50] > 0),
            "n": pd.Series(KEYS["small"][:50]).astype("Int8"),
            "t": pd.DatetimeIndex(KEYS["times"][:50], tz="Europe/Berlin"),
        },
        index=pd.Index(np.arange(50) % 7, name="i"),
    )
    pdf.columns.name = "of"
    order = RANDOM.permutation(50)
    for frame in (pdf, pdf.iloc[:, :0], pdf.iloc[:, [0, 0]]):
        cut = [frame.iloc[:20], frame.iloc[:0], frame.iloc[20:21], frame.iloc[21:]]
        pd.testing.assert_frame_equal(rows_in_order(cut, order), frame.take(order))
    pd.testing.assert_frame_equal(rows_in_order([pdf[:0], pdf], order), pdf.take(order))
