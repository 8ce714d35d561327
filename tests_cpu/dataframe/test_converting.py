"""Texts to times and numbers, categories, columns to rows, expressions, against pandas."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "d": [None, "13/02/2020", "01/02/2020", "05/03/2020"],
        "n": ["1", "2", "x", "4"],
        "x": range(4),
    }
)
DF = gd.from_pandas(PDF, npartitions=4)


# pandas warns that it guesses.
@pytest.mark.filterwarnings(
    "ignore:Parsing dates", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_times_have_one_format_in_all_partitions():
    assert_eq(gd.to_datetime(DF.d), pd.to_datetime(PDF.d))
    assert_eq(
        gd.to_datetime(DF.d, format="%d/%m/%Y"),
        pd.to_datetime(PDF.d, format="%d/%m/%Y"),
        promised=False,
    )
    assert_eq(gd.to_datetime(DF.x, unit="D"), pd.to_datetime(PDF.x, unit="D"))


def test_numbers_and_durations():
    numbers = gd.to_numeric(DF.n, errors="coerce")
    assert_eq(numbers, pd.to_numeric(PDF.n, errors="coerce"))
    assert_eq(gd.to_timedelta(DF.x, unit="h"), pd.to_timedelta(PDF.x, unit="h"))
    with pytest.raises(ValueError, match="Unable to parse"):
        gd.to_numeric(DF.n).compute(engine="sync")


def test_categories_and_their_columns():
    known, expected = DF.categorize("n"), PDF.astype({"n": "category"})
    assert_eq(known, expected)
    assert_eq(gd.get_dummies(known[["n", "x"]]), pd.get_dummies(expected[["n", "x"]]))
    with pytest.raises(NotSupportedError, match="categorize"):
        gd.get_dummies(DF)


def test_columns_to_rows():
    assert_eq(gd.melt(DF, id_vars="x"), PDF.melt(id_vars="x"))
    assert_eq(DF.melt(value_vars=["x", "n"]), PDF.melt(value_vars=["x", "n"]))
    assert_eq(DF.melt("d", ["n"], var_name="v"), PDF.melt("d", ["n"], var_name="v"))


MELTED = pd.DataFrame(
    {
        "i": [1, 2, 3, 4],
        "b": [True, False, True, True],
        "s": ["a", None, "b", None],
        "o": pd.Series(["x", None, "y", None], dtype=object),
        "n": pd.Series([None] * 4, dtype=object),
        "m": pd.Series([1, None, "z", None], dtype=object),
        "c": pd.Categorical(["p", "q", "p", "q"]),
    }
)


@pytest.mark.parametrize("labels", ["ib", "so", "o", "n", "on", "m", "sm", "c", "sc", "is"])
def test_values_of_several_columns_have_the_dtype_of_pandas(labels):
    lazy = gd.from_pandas(MELTED, npartitions=4)
    given = {"id_vars": "i", "value_vars": list(labels.replace("i", "b"))}
    if "i" in labels:
        given |= {"id_vars": "s", "value_vars": list(labels.replace("s", "o"))}
    assert_eq(lazy.melt(**given), MELTED.melt(**given))


def test_expressions_with_variables():
    least = 1  # noqa: F841 - by its name
    assert_eq(DF.query("x > @least"), PDF.query("x > @least"))
    assert_eq(DF.eval("x * @least + 1"), PDF.eval("x * @least + 1"))
    with pytest.raises(NameError, match="most"):
        DF.query("x < @most")


def test_categories_are_those_of_all_partitions():
    frame = pd.DataFrame({"x": [5, 3, 1, 4], "s": ["b", None, "c", "a"]})
    lazy = gd.from_pandas(frame, npartitions=2)
    assert_eq(lazy.s.astype("category"), frame.s.astype("category"))
    assert_eq(lazy.x.astype("category").cat.codes, frame.x.astype("category").cat.codes)
    assert_eq(
        lazy.astype({"s": "category", "x": "int8"}), frame.astype({"s": "category", "x": "int8"})
    )
    ordered = pd.CategoricalDtype(ordered=True)
    assert_eq(lazy.astype(ordered), frame.astype(ordered))
