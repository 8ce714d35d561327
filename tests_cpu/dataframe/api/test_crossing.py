"""How often values come together, against pandas."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "day": [1, 1, 2, 2, 3, 1, 2, None],
        "city": ["Rome", "Oslo", "Rome", "Bern", None, "Rome", "Rome", "Oslo"],
        "kind": pd.Categorical(list("abababab"), categories=list("abz")),
        "sold": [3, 1, 4, 1, 5, 9, 2, 6],
    }
)

CASES = {
    "two": lambda gd, d: gd.crosstab(d.day, d.city),
    "nulls": lambda gd, d: gd.crosstab(d.day, d.city, dropna=False),
    "categories": lambda gd, d: gd.crosstab(d.city, d.kind),
    "all categories": lambda gd, d: gd.crosstab(d.kind, d.city, dropna=False),
    "several": lambda gd, d: gd.crosstab([d.day, d.kind], [d.city, d.sold > 3]),
    "margins": lambda gd, d: gd.crosstab(d.kind, d.city, margins=True, margins_name="of all"),
    "shares": lambda gd, d: gd.crosstab(d.day, d.city, normalize=True),
    "shares of rows": lambda gd, d: gd.crosstab(d.day, d.city, normalize="index"),
    "shares with margins": lambda gd, d: gd.crosstab(
        d.day, d.city, normalize="columns", margins=True
    ),
    "names": lambda gd, d: gd.crosstab(d.sold % 2, d.city, rownames=["odd"], colnames=["of"]),
    "no names": lambda gd, d: gd.crosstab(d.day.rename(None), d.city),
    "sums": lambda gd, d: gd.crosstab(d.day, d.city, d.sold, aggfunc="sum"),
    "means": lambda gd, d: gd.crosstab([d.day], d.kind, d.sold, aggfunc="mean", normalize="all"),
    "sums with margins": lambda gd, d: gd.crosstab(
        d.day, d.city, d.sold, aggfunc="sum", margins=True
    ),
    "function": lambda gd, d: gd.crosstab(d.day, d.city, d.sold, aggfunc=np.ptp),
}


@pytest.mark.parametrize("case", CASES)
def test_tables_of_counts(case):
    lazy = gd.from_pandas(PDF, npartitions=3)
    assert_eq(CASES[case](gd, lazy), CASES[case](pd, PDF))


def test_what_is_in_memory_pandas_counts():
    assert_eq(gd.crosstab(PDF.day, PDF.city), pd.crosstab(PDF.day, PDF.city))


def test_what_cannot_be_counted_is_said():
    lazy = gd.from_pandas(PDF, npartitions=2)
    with pytest.raises(ValueError, match="say aggfunc="):
        gd.crosstab(lazy.day, lazy.city, lazy.sold)
    with pytest.raises(TypeError, match="by assign"):
        gd.crosstab(lazy.day, PDF.city)
    with pytest.raises(NotSupportedError, match="of one frame"):
        gd.crosstab(lazy.day, lazy[lazy.sold > 3].city)
