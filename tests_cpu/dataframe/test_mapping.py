"""`map` promises the dtype of what comes out, not that of what goes in."""

from decimal import Decimal

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "text": ["a", "b", "a", "b"],
        "number": [1, 2, 1, 2],
        "day": pd.to_datetime(["2024-01-01", "2024-02-01"] * 2),
        "price": [Decimal("1.5"), Decimal(2), Decimal(3), Decimal(4)],
        "digits": pd.array(["1", "2", "3", "4"], dtype="string"),
        "kind": pd.Categorical(["x", "y", "x", "y"]),
    },
    index=pd.Index(["a", "b", "c", "d"], name="label"),
)
CASES = {
    "texts to numbers": lambda x: x.text.map({"a": 1, "b": 2}),
    "texts to numbers and nulls": lambda x: x.text.map({"a": 1.5}),
    "a series": lambda x: x.text.map(pd.Series({"a": 1, "b": 2})),
    "numbers to texts": lambda x: x.number.map({1: "a", 2.0: "b", "no key": "c"}),
    "no keys of that dtype": lambda x: x.number.map({"a": 1}),
    "times": lambda x: x.number.map({1: pd.Timestamp("2024"), 2: pd.Timestamp("2025")}),
    "categories": lambda x: x.kind.map({"x": 1, "y": 2}),
    "labels": lambda x: x.index.map({"a": 1, "b": 2, "c": 3, "d": 4}),
    "lengths": lambda x: x.text.map(len),
    "of texts": lambda x: x.text.map(lambda text: 1 if text == "a" else 2),
    "numbers in texts": lambda x: x.digits.map(int),
    "of times": lambda x: x.day.map(lambda day: day.month),
    "of decimals": lambda x: x.price.map(float),
    "still decimals": lambda x: x.price.map(lambda price: price * 2),
    "tuples of labels": lambda x: x.index.map(lambda k: (k, len(k))),
    "tables": lambda x: x[["number", "digits"]].map(str),
    "arguments": lambda x: x.number.map(lambda k, more: k + more, more=0.5),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_promised(case):
    assert_eq(CASES[case](gd.from_pandas(PDF, npartitions=3)), CASES[case](PDF))


def test_columns_of_numbers_are_described():
    x = gd.from_pandas(PDF, npartitions=2)
    ours, theirs = (each.assign(code=each.text.map({"a": 1, "b": 2})) for each in (x, PDF))
    assert_eq(ours.describe(), theirs.describe())
    assert_eq(ours.mean(numeric_only=True), theirs.mean(numeric_only=True))


def test_partitions_without_rows_are_of_the_dtype_that_was_promised():
    x = gd.from_pandas(PDF, npartitions=2)
    assert_eq(x.text[x.number > 1].map({"b": 1}), PDF.text[PDF.number > 1].map({"b": 1}))
    few = x.text[x.index > "c"]
    assert_eq(few.map({"a": 1, "b": 2}), PDF.text[3:].map({"a": 1, "b": 2}))


def test_functions_that_give_something_else():
    x = gd.from_pandas(PDF, npartitions=2)
    surprising = x.text.map(lambda text: text if text == "b" else 1)
    with pytest.raises(TypeError, match="(?s)map of the function <lambda>.*of int64.*meta="):
        surprising.compute(engine="sync")
    with pytest.raises(KeyError) as raised:
        x.number.map(lambda k: {2: 1}[k])
    assert "meta=" in raised.value.__notes__[0]
    said = x.number.map(lambda k: {1: 2.0, 2: 1.0}[k], meta=("number", "float64"))
    assert_eq(said, PDF.number.map({1: 2.0, 2: 1.0}))


def test_functions_of_which_nothing_is_known_say_what_to_write_for_meta():
    x = gd.from_pandas(PDF, npartitions=2)
    rare = lambda price: float(price) if price == 4 else None  # noqa: E731
    with pytest.raises(TypeError, match=r"by meta=\('price', 'float64'\)"):
        x.price.apply(rare).compute(engine="sync")
    assert_eq(x.price.apply(rare, meta=("price", "float64")), PDF.price.apply(rare))


SOME_NULL = pd.DataFrame(
    {"text": ["a", "b", None, None], "number": [1, 2, 3, 4], "part": [0.5, 2.0, 1.0, 3.0]}
)


def louder(text):
    return text if text != text else text + "!"


def small(number):
    return None if number > 2 else number


NULLS = {
    "map": lambda x: x.text.map(louder),
    "map but nulls": lambda x: x.text.map(louder, na_action="ignore"),
    "map and meta": lambda x: x.text.map(louder, **meta(x, ("text", "str"))),
    "map and float": lambda x: x.number.map(small, **meta(x, ("number", float))),
    "beside texts": lambda x: x.text.map(louder) + x.text,
    "apply": lambda x: x.number.apply(small),
    "apply and float": lambda x: x.number.apply(small, **meta(x, ("number", float))),
    "apply and int": lambda x: x.number.apply(small, **meta(x, ("number", "int64"))),
    "apply to texts": lambda x: x.text.apply(louder),
    "apply and str": lambda x: x.text.apply(louder, **meta(x, ("text", "str"))),
    "nulls first": lambda x: x.number.apply(lambda v: None if v < 2 else v),
    "truth": lambda x: x.number.apply(lambda v: None if v > 2 else v > 1),
    "nothing": lambda x: x.number.apply(lambda v: None),
    "rows": lambda x: x.apply(lambda row: small(row.number), axis=1),
    "rows and float": lambda x: x.apply(
        lambda row: small(row.number), axis=1, **meta(x, (None, float))
    ),
    "rows of texts": lambda x: x.apply(lambda row: louder(row.text), axis=1),
    "rows of few numbers": lambda x: x.assign(number=x.number * 10).apply(
        lambda row: None if row.number < 20 else row.number, axis=1
    ),
    "below zero": lambda x: (x.number - 2).apply(lambda v: None if v >= 0 else v),
    "rows below zero": lambda x: x.assign(number=x.number - 2).apply(
        lambda row: None if row.number >= 0 else f"{row.number}", axis=1
    ),
    "rows of few texts": lambda x: x.apply(
        lambda row: row.text if row.number > 1 and row.text == row.text else None, axis=1
    ),
    "rows of few truths": lambda x: x.apply(
        lambda row: row.number > 3 if row.number > 1 else None, axis=1
    ),
    "rows of tables": lambda x: x.apply(
        lambda row: pd.Series({"a": small(row.number), "b": louder(row.text)}), axis=1
    ),
    "no rows": lambda x: x[x.number > 2].apply(lambda row: row.number * 2, axis=1),
    "sums": lambda x: x.number.apply(small).sum() + x.number.apply(small) * 2,
}


def meta(x, said):
    """What pandas does not take."""
    return {"meta": said} if isinstance(x, gd.DataFrame) else {}


@pytest.mark.parametrize("npartitions", [2, 4])
@pytest.mark.parametrize("case", NULLS)
def test_nulls_in_some_partitions(case, npartitions):
    assert_eq(
        NULLS[case](gd.from_pandas(SOME_NULL, npartitions=npartitions)), NULLS[case](SOME_NULL)
    )


def test_whole_numbers_where_others_were_promised():
    x = gd.from_pandas(SOME_NULL, npartitions=2)
    whole = lambda v: int(v) if v == int(v) else v  # noqa: E731
    assert_eq(x.part.apply(whole, meta=("part", float)), SOME_NULL.part.apply(whole))
    assert_eq(
        x.map_partitions(lambda part: part.number // 2, meta=("number", float)),
        (SOME_NULL.number // 2).astype(float),
    )
    large = x.number.apply(lambda v: 2**53 + v, meta=("number", float))
    with pytest.raises(TypeError, match="float64 and gave .*int64; let it give what meta= says"):
        large.compute(engine="sync")
