"""What users do with frames, against pandas."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.collection import Collection
from gpuscale.testing.frames import assert_eq


@pytest.fixture
def pdf():
    return pd.DataFrame({"x": np.arange(10), "y": np.arange(10) * 1.5, "name": list("abcdefghij")})


@pytest.fixture
def df(pdf):
    return gd.from_pandas(pdf, npartitions=3)


def test_operators(df, pdf):
    assert_eq(df.x + df.y, pdf.x + pdf.y)
    assert_eq(2 * df.x - 1 > df.y, 2 * pdf.x - 1 > pdf.y)
    for ask in (lambda d: divmod(d.x, 3), lambda d: divmod(20, d[["x"]] + 1)):
        for found, expected in zip(ask(df), ask(pdf), strict=True):
            assert_eq(found, expected)
    assert_eq(round(df.y), round(pdf.y))
    assert_eq(round(df, 1), round(pdf, 1))
    for lazy in (df.x**-1, df.x**-df.x):
        with pytest.raises(ValueError, match="Integers to negative integer powers"):
            lazy.compute()
    assert_eq(~(df.x > 3) & (df.y < 9), ~(pdf.x > 3) & (pdf.y < 9))
    assert_eq(df[["x", "y"]] / df.x.sum(), pdf[["x", "y"]] / pdf.x.sum())
    numbers, expected = df[["x", "y"]], pdf[["x", "y"]]
    assert_eq(numbers - numbers.mean(), expected - expected.mean())
    assert_eq(1 - numbers.max() / numbers.sum(), 1 - expected.max() / expected.sum())
    filled = numbers.where(df.x > 3).fillna(numbers.mean())
    assert_eq(filled, expected.where(pdf.x > 3).fillna(expected.mean()))
    assert_eq(numbers.sub(df.x, axis=0), expected.sub(pdf.x, axis=0))


def test_what_parts_and_meets_again_is_one_task(df):
    plan = str(((df.x + df.y) * df.x).explain())
    assert "3 tasks" in plan


def test_columns_rows_and_assignment(df, pdf):
    assert_eq(df[df.x > 3].y, pdf[pdf.x > 3].y)
    assert_eq(df[["y", "x"]], pdf[["y", "x"]])
    assert_eq(
        df.assign(z=df.x * 2, w=lambda d: d.z + 1), pdf.assign(z=pdf.x * 2, w=lambda d: d.z + 1)
    )
    changed = df.copy()
    changed["x"] = df.y
    changed["one"] = 1
    assert_eq(changed, pdf.assign(x=pdf.y, one=1))
    assert_eq(df, pdf)


def test_methods_of_tables(df, pdf):
    assert_eq(df.astype({"x": "float32"}), pdf.astype({"x": "float32"}))
    assert_eq(df.rename(columns={"x": "z"}), pdf.rename(columns={"x": "z"}))
    assert_eq(df.query("x > 3 and y < 12"), pdf.query("x > 3 and y < 12"))
    assert_eq(df.name.isin(["a", "b"]), pdf.name.isin(["a", "b"]))
    assert_eq(df.x.clip(2, 7), pdf.x.clip(2, 7))
    assert_eq(df.drop(columns="y"), pdf.drop(columns="y"))


@pytest.mark.parametrize("name", ["sum", "mean", "std", "max", "count", "nunique", "idxmax"])
def test_reductions(df, pdf, name):
    assert_eq(getattr(df[["x", "y"]], name)(), getattr(pdf[["x", "y"]], name)(), rtol=1e-12)
    assert_eq(getattr(df.y, name)(), getattr(pdf.y, name)(), rtol=1e-12)


def test_columns_by_name_and_dtype(df, pdf):
    assert_eq(df.drop(columns=["x", "name"]), pdf.drop(columns=["x", "name"]))
    assert_eq(df.drop("y", axis=1), pdf.drop("y", axis=1))
    assert_eq(df.drop(index=[3, 99], errors="ignore"), pdf.drop(index=3))
    assert_eq(df.filter(like="a"), pdf.filter(like="a"))
    assert_eq(df.select_dtypes("number"), pdf.select_dtypes("number"))
    assert_eq(df[~df.index.isin([3, 4])], pdf[~pdf.index.isin([3, 4])])
    with pytest.raises(KeyError, match="did you mean 'name'"):
        df.drop(columns="nam")
    with pytest.raises(gpuscale.base.errors.NotSupportedError, match="ignore"):
        df.drop(3)


def test_other_labels_belong_to_no_rows(df, pdf):
    moved = df.x.rename(lambda label: 9 - label)
    assert_eq(moved, pdf.x.rename(lambda label: 9 - label))
    with pytest.raises(ValueError, match="other labels"):
        (df.clear_divisions().x + moved).compute(engine="sync")
    assert_eq(
        df.x.case_when([(df.x > 5, 0), (df.y < 3, df.y)]),
        pdf.x.case_when([(pdf.x > 5, 0), (pdf.y < 3, pdf.y)]),
    )
    with pytest.raises(ValueError, match="No axis named 3"):
        df.sum(axis=3)


def test_columns_of_numbers_alone(df, pdf):
    assert_eq(df.mean(numeric_only=True), pdf.mean(numeric_only=True))
    with pytest.raises(TypeError):
        df.mean()


def test_lengths_head_and_tail(df, pdf):
    assert len(df) == 10
    assert len(df[df.x > 3]) == 6
    assert_eq(df.head(5), pdf.head(5))
    assert_eq(df.tail(4), pdf.tail(4))
    assert_eq(df[df.x > 3].head(3), pdf[pdf.x > 3].head(3))
    assert df.shape[1] == 3
    assert df.shape[0].compute() == 10


def test_partitions(df, pdf):
    assert df.npartitions == 3
    assert df.divisions == (0, 4, 8, 9)
    assert_eq(df.partitions[1], pdf.iloc[4:8])
    assert_eq(df.partitions[1:], pdf.iloc[4:])
    first, *_ = gpuscale.compute(*df.to_delayed())
    assert_eq(first, pdf.iloc[:4])


def test_functions_of_partitions(df, pdf):
    assert_eq(df.map_partitions(lambda part: part[["x"]] * 2), pdf[["x"]] * 2)
    assert_eq(df.assign(z=df.x.map_partitions(lambda x: x + 1)), pdf.assign(z=pdf.x + 1))
    wider = df.map_partitions(lambda part: part.x, meta=("x", "float64"))
    assert_eq(wider, pdf.x.astype("float64"))
    promised = df.map_partitions(lambda part: part.x, meta=("x", "float32"))
    with pytest.raises(TypeError, match="'x' of float32 and gave a Series 'x' of int64"):
        promised.compute(engine="sync")


def test_missing_columns_name_the_nearest(df):
    with pytest.raises(KeyError, match="did you mean 'name'"):
        df["nam"]
    with pytest.raises(AttributeError, match="did you mean 'name'"):
        df.nam  # noqa: B018


def test_persist(df, pdf):
    kept = (df.x + 1).persist(engine="sync")
    assert_eq(kept, pdf.x + 1)
    assert_eq(kept.sum(), (pdf.x + 1).sum())


def test_errors_name_the_line_of_the_step(df):
    broken = (df.name + df.name).map_partitions(
        lambda part: part.astype("int64"), meta=("name", "int64")
    )
    with pytest.raises(ValueError) as caught:
        (broken + 1).compute(engine="sync")
    assert "test_frame.py" in "".join(caught.value.__notes__)


def test_repr(df):
    assert "npartitions=3" in repr(df)
    assert "float64" in repr(df.y)
    assert "x" in dir(df)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "str", "float64"])
@pytest.mark.parametrize(
    "choose", [lambda index, at: index > at, lambda index, at: index.isin([at])]
)
def test_truth_values_of_an_index_choose_rows(dtype, choose):
    frame = pd.DataFrame({"x": range(5)}, index=pd.Index([1, 2, 2, 3, 4]).astype(dtype))
    lazy, at = gd.from_pandas(frame, npartitions=2), frame.index[1]
    assert_eq(lazy[choose(lazy.index, at)], frame[choose(frame.index, at)])
    assert_eq(lazy[~lazy.index.isna() & (lazy.x > 2)], frame[~frame.index.isna() & (frame.x > 2)])
    assert_eq(lazy.index.notna().sum(), 5)


@pytest.mark.parametrize("n", [-11, -4, -1, 0, 1, 5, 20])
def test_first_and_last_rows(df, pdf, n):
    for lazy, whole in ((df, pdf), (df.x, pdf.x)):
        assert_eq(lazy.head(n), whole.head(n))
        assert_eq(lazy.tail(n), whole.tail(n))
    assert_eq(df.index.head(n), pdf.head(n).index)
    assert_eq(df.index.tail(n), pdf.tail(n).index)


def test_sums_that_are_undefined_stay_so():
    values = [np.inf, -np.inf, 1, np.nan, 2.5, np.inf]
    pdf = pd.DataFrame({"x": values, "k": [0, 0, 0, 1, 1, 0], "n": range(6)})
    for npartitions in (1, 3):
        df = gd.from_pandas(pdf, npartitions=npartitions)
        with np.errstate(invalid="ignore"):
            for name in ("sum", "prod", "mean", "max", "cumsum", "cumprod"):
                assert_eq(getattr(df, name)(), getattr(pdf, name)())
                assert_eq(getattr(df.x, name)(), getattr(pdf.x, name)())
            for name in ("sum", "prod", "mean"):
                assert_eq(getattr(df.groupby("k"), name)(), getattr(pdf.groupby("k"), name)())


def test_decimals():
    numbers = [Decimal("1.10"), None, Decimal("2.25"), Decimal("-3")]
    pdf = pd.DataFrame({"v": numbers, "n": range(4)})
    df = gd.from_pandas(pdf, npartitions=2)
    assert df.v.mean().compute() == pytest.approx(pdf.v.mean())
    assert df.v.sum().compute() == pdf.v.sum()
    pd.testing.assert_series_equal(df.mean().compute(), pdf.mean())
    with pytest.raises(TypeError, match="numeric"):
        gd.from_pandas(pd.Series(["a", "b"], dtype=object)).mean().compute()


FUNCTIONS_OF_NUMPY = {
    "one": lambda d: np.sqrt(d.x),
    "table": lambda d: np.log1p(d[["x", "y"]]),
    "two": lambda d: np.maximum(d.x, d.y),
    "reflected": lambda d: np.float64(2) * d.y,
    "compared": lambda d: np.float64(2) < d.y,
    "reduced": lambda d: np.sqrt(d.y).mean(),
    "of a value": lambda d: np.sqrt(d.y.sum()),
    "array": lambda d: np.arange(10) * d.y,
    "array at the right": lambda d: d[d.x > 3].y + np.arange(6),
    "dtype": lambda d: np.add(d.x, 1, dtype="float32"),
    "of groups": lambda d: np.exp(d.x).groupby(d.x % 2).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS_OF_NUMPY)
def test_functions_of_numpy(df, pdf, name):
    found = FUNCTIONS_OF_NUMPY[name](df)
    assert isinstance(found, Collection)
    assert_eq(found, FUNCTIONS_OF_NUMPY[name](pdf))


def test_functions_of_numpy_that_give_arrays(df, pdf):
    assert np.add.reduce(df.x) == 45
    np.testing.assert_array_equal(np.modf(df.y)[0], np.modf(pdf.y)[0])
    with pytest.raises(TypeError, match="from_pandas"):
        np.add(df.x, pdf.x)
    with pytest.raises(ValueError, match=r"values \(3\).*index \(10\)"):
        df.x + np.arange(3)


@pytest.mark.parametrize(
    "values",
    [np.arange(6), list("abcdef"), range(6), tuple([1.5, None] * 3), pd.array([1, None] * 3)],
    ids=["array", "list", "range", "tuple", "nullable"],
)
def test_columns_by_position(df, pdf, values):
    found, expected = df[df.x > 3], pdf[pdf.x > 3].copy()
    found["new"] = values
    expected["new"] = values
    assert_eq(found, expected)
    with pytest.raises(ValueError, match=r"values \(6\).*index \(10\)"):
        df["new"] = values


def test_several_columns_by_position(df, pdf):
    df["kind"], pdf["kind"] = (np.where(each.x > 5, "high", "low") for each in (df, pdf))
    for each in (df, pdf):
        each[["a", "b"]] = np.arange(20).reshape(10, 2)
        each[["c", "d"]] = np.array([1, 2])
    assert_eq(df, pdf)
    with pytest.raises(ValueError, match="same length as key"):
        df[["a", "b"]] = np.arange(30).reshape(10, 3)


def test_values_are_rounded_and_written(df, pdf):
    assert round(df.y.mean(), 1) == round(pdf.y.mean(), 1)
    assert f"{df.y.mean():.2f} {df.x.sum():,}" == f"{pdf.y.mean():.2f} {pdf.x.sum():,}"
    assert "Scalar<mean" in f"{df.y.mean()}"


IN_PLACE = {
    "drop": lambda d: d.drop(columns="x", inplace=True),
    "drop_duplicates": lambda d: d.drop_duplicates("name", inplace=True),
    "fillna": lambda d: d.fillna({"y": 0}, inplace=True),
    "reset_index": lambda d: d.reset_index(drop=True, inplace=True),
    "set_index": lambda d: d.set_index("y", inplace=True),
    "sort_index": lambda d: d.sort_index(ascending=False, inplace=True),
    "sort_values": lambda d: d.sort_values("y", ascending=False, inplace=True),
}


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of pandas
@pytest.mark.parametrize("name", IN_PLACE)
def test_methods_that_change_their_own_frame(df, pdf, name):
    before = df.copy()
    expected = pdf.copy()
    assert IN_PLACE[name](df) is None
    IN_PLACE[name](expected)
    assert_eq(df, expected)
    assert_eq(before, pdf)


def test_a_series_becomes_no_table_in_place(df):
    x = df.x
    with pytest.raises(TypeError, match="leave out inplace"):
        x.reset_index(inplace=True)
    x.sort_values(inplace=True, ascending=False)
    assert x.iloc[0:1].compute().tolist() == [9]


def test_values_in_expressions(df, pdf):
    most = df.y.max()
    assert_eq(df.query("x > 3 and y < @most"), pdf[(pdf.x > 3) & (pdf.y < pdf.y.max())])
    local = {"total": df.x.sum(), "one": 1}
    found = df.eval("share = x / @total + @one", local_dict=local)
    assert_eq(found, pdf.assign(share=pdf.x / pdf.x.sum() + 1))
    assert most is not None  # expressions find it by its name


OF_DECIMALS = {
    "diff": lambda x: x.price.diff(),
    "pct_change": lambda x: x.price.pct_change(),
    "median": lambda x: x.price.median(),
    "rolling": lambda x: x.price.rolling(2).sum(),
    "apply": lambda x: x.price.apply(lambda price: price * 2),
    "mean of groups": lambda x: x.groupby("k").price.mean(),
    "median of groups": lambda x: x.groupby("k").price.median(),
    "deviation of groups": lambda x: x.groupby("k").price.std(),
    "diff of groups": lambda x: x.groupby("k").price.diff(),
}


@pytest.mark.parametrize("case", OF_DECIMALS)
def test_methods_of_decimals(case):
    pdf = pd.DataFrame({"k": [1, 2, 1, 2], "price": [Decimal(n) / 4 for n in (6, 8, 3, 9)]})
    expected = OF_DECIMALS[case](pdf)
    assert_eq(OF_DECIMALS[case](gd.from_pandas(pdf, npartitions=2)), expected, rtol=1e-15)
