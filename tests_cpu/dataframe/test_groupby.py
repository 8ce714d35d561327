"""Groups of rows, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.testing.frames import COLUMNS, assert_eq, frames

NUMBERS = ("int64", "int8", "float64", "float32", "Int64", "Float64", "bool")
AGGREGATIONS = ("sum", "prod", "min", "max", "mean", "var", "std", "sem", "count", "first", "last")
ROWS = ("cumsum", "cumcount", "rank", "shift", "ffill")


@pytest.fixture
def pdf():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "k": rng.integers(0, 4, 40),
            "s": rng.choice(list("abc"), 40),
            "v": rng.integers(0, 9, 40),
            "f": rng.random(40),
        }
    )
    frame.loc[::7, "f"] = np.nan
    return frame


@pytest.fixture
def df(pdf):
    return gd.from_pandas(pdf, npartitions=4)


def keys_of(data, frame):
    labels = list(frame.columns)
    return data.draw(st.lists(st.sampled_from(labels), min_size=1, max_size=2, unique=True))


@settings(max_examples=40)
@given(data=st.data())
def test_aggregations_as_pandas_has_them(data):
    keys = data.draw(frames(max_columns=2)).reset_index(drop=True)
    rows = len(keys)
    dtype = data.draw(st.sampled_from(NUMBERS))
    values = data.draw(st.lists(COLUMNS[dtype], min_size=rows, max_size=rows))
    frame = keys.assign(v=pd.Series(values, dtype=dtype))
    names = data.draw(st.lists(st.sampled_from(AGGREGATIONS), min_size=1, max_size=3, unique=True))
    options = {
        "sort": data.draw(st.booleans()),
        "observed": data.draw(st.booleans()),
        "dropna": data.draw(st.booleans()),
    }
    by = list(keys.columns)
    lazy = gd.from_pandas(frame, npartitions=data.draw(st.integers(1, 4)))
    for name in names:
        try:
            expected = getattr(frame.groupby(by, **options).v, name)()
        except TypeError as error:  # pandas has no mean of booleans with nulls, say
            with pytest.raises(type(error)):
                getattr(lazy.groupby(by, **options).v, name)().compute(engine="sync")
            continue
        result = getattr(lazy.groupby(by, **options).v, name)().compute(engine="sync")
        # Whether pandas' mean of small floats is as small depends on the data.
        pd.testing.assert_series_equal(
            result, expected, rtol=1e-5, check_dtype=rows > 0 and dtype != "float32"
        )


@pytest.mark.parametrize("as_index", [True, False])
@pytest.mark.parametrize(
    "spec",
    [
        "mean",
        ["sum", "max"],
        {"v": "sum", "f": ["mean", "std"]},
        {"f": "min"},
    ],
    ids=str,
)
def test_specifications(df, pdf, spec, as_index):
    expected = pdf.groupby("k", as_index=as_index)[["v", "f"]].agg(spec)
    assert_eq(df.groupby("k", as_index=as_index)[["v", "f"]].agg(spec), expected, rtol=1e-12)


def test_names_of_results(df, pdf):
    named = {"total": ("v", "sum"), "n": ("f", "count"), "middle": pd.NamedAgg("f", "mean")}
    assert_eq(df.groupby("k").agg(**named), pdf.groupby("k").agg(**named), rtol=1e-12)
    expected = pdf.groupby("k").v.agg(low="min", high="max")
    assert_eq(df.groupby("k").v.agg(low="min", high="max"), expected)


def test_keys(df, pdf):
    assert_eq(df.groupby(df.v % 2).f.sum(), pdf.groupby(pdf.v % 2).f.sum(), rtol=1e-12)
    assert_eq(df.groupby(["k", df.v > 3]).f.count(), pdf.groupby(["k", pdf.v > 3]).f.count())
    assert_eq(df.groupby(level=0).v.sum(), pdf.groupby(level=0).v.sum())
    assert_eq(df.groupby(lambda n: n % 3).v.sum(), pdf.groupby(lambda n: n % 3).v.sum())
    assert_eq(df.groupby(df.k).v.max(), pdf.groupby(pdf.k).v.max())
    assert_eq(df.groupby(df.k)[["v"]].max(), pdf.groupby(pdf.k)[["v"]].max())
    assert_eq(df.v.groupby(df.s).sum(), pdf.v.groupby(pdf.s).sum())


def test_sizes_and_groups(df, pdf):
    assert_eq(df.groupby(["k", "s"]).size(), pdf.groupby(["k", "s"]).size())
    assert df.groupby("k").ngroups == pdf.groupby("k").ngroups
    assert_eq(df.groupby("k").get_group(2), pdf.groupby("k").get_group(2))
    for (name, rows), (label, expected) in zip(df.groupby("s"), pdf.groupby("s"), strict=True):
        assert name == label
        assert_eq(rows, expected)


@pytest.mark.parametrize("name", ["median", "nunique", "quantile", "idxmax", "skew"])
def test_what_has_no_parts(df, pdf, name):
    expected = getattr(pdf.groupby("s")[["v", "f"]], name)()
    assert_eq(getattr(df.groupby("s")[["v", "f"]], name)(), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_rows(df, pdf, name):
    expected = getattr(pdf.groupby("s").v, name)()
    assert_eq(getattr(df.groupby("s").v, name)(), expected)


@pytest.mark.parametrize("name", ["sum", "mean", "count", "max"])
def test_results_of_groups_for_each_row(df, pdf, name):
    for keys in ("k", ["k", "s"]):
        lazy = df.groupby(keys).f.transform(name)
        assert lazy.npartitions == df.npartitions
        assert_eq(lazy, pdf.groupby(keys).f.transform(name), rtol=1e-12)
    with_share = df.assign(share=df.v / df.groupby("k").v.transform("sum"))
    expected = pdf.assign(share=pdf.v / pdf.groupby("k").v.transform("sum"))
    assert_eq(with_share, expected, rtol=1e-12)


def test_values_of_rows_go_beside_their_frame(df, pdf):
    for name in (*ROWS, "diff"):
        lazy = getattr(df.groupby("k").v, name)()
        assert lazy.npartitions == df.npartitions
        assert_eq(df.assign(z=lazy), pdf.assign(z=getattr(pdf.groupby("k").v, name)()))
    few, expected = df[df.f > 0.3], pdf[pdf.f > 0.3]
    middle = expected.groupby("s").v.transform("median")
    assert_eq(few.assign(m=few.groupby("s").v.transform("median")), expected.assign(m=middle))
    ranks = few.groupby("s")[["v", "f"]].rank()
    assert_eq(
        few[["v", "f"]] - ranks, expected[["v", "f"]] - expected.groupby("s")[["v", "f"]].rank()
    )


def test_functions_of_groups(df, pdf):
    assert_eq(
        df.groupby("s")[["v", "f"]].apply(lambda rows: rows.v.max() - rows.v.min()),
        pdf.groupby("s")[["v", "f"]].apply(lambda rows: rows.v.max() - rows.v.min()),
    )
    assert_eq(
        df.groupby("s").filter(lambda rows: len(rows) > 12),
        pdf.groupby("s").filter(lambda rows: len(rows) > 12),
    )
    assert_eq(
        df.groupby("s").v.transform(lambda v: v - v.min()),
        pdf.groupby("s").v.transform(lambda v: v - v.min()),
    )
    assert_eq(df.groupby("s").v.agg(max), pdf.groupby("s").v.agg(max))
    assert_eq(df.groupby("s").v.rolling(3).mean(), pdf.groupby("s").v.rolling(3).mean(), rtol=1e-9)


def test_only_columns_that_are_asked_for_are_grouped(df):
    inputs = df.groupby("k").v.sum().expr.inputs
    assert [list(inputs[0].meta.frame.columns), inputs[1].meta.frame.name] == [["v"], "k"]


def test_several_aggregations_share_their_parts():
    frame = pd.DataFrame({"k": [1, 1, 2], "v": [1.0, 2.0, 3.0]})
    plan = gd.from_pandas(frame, 2).groupby("k").v.agg(["mean", "count", "std"]).expr.blueprint
    assert list(plan.chunk(frame[["v"]], frame.k).columns) == [
        "key0",
        "total 0",
        "count 0",
        "mean 0",
        "var 0",
    ]


def test_spreads_of_large_values_lose_nothing():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"k": np.arange(4000) % 3, "v": 1e9 + rng.random(4000)})
    lazy = gd.from_pandas(frame, npartitions=40).groupby("k").v.var()
    assert_eq(lazy, frame.groupby("k").v.var(), rtol=1e-6)


def test_bad_input(df):
    with pytest.raises(KeyError, match="did you mean"):
        df.rename(columns={"k": "country"}).groupby("countri")
    with pytest.raises(KeyError):
        df.groupby("k")["w"]
    with pytest.raises(KeyError):
        df.groupby("k")["w"]
    with pytest.raises(TypeError, match=r"by= or level="):
        df.groupby()
    with pytest.raises(TypeError, match="are no result"):
        df.groupby("k").compute()
    with pytest.raises(TypeError, match="from_pandas"):
        df.groupby(["k", pd.Series([1, 2])])
    for by in (pd.Grouper(freq="D"), ["k", pd.Grouper(freq="D")]):
        with pytest.raises(TypeError, match="DatetimeIndex"):
            df.groupby(by)
    with pytest.raises(TypeError):
        df.groupby("k").mean()  # of strings


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "boolean", "int64"])
def test_sizes_have_the_dtype_that_pandas_gives_them(dtype):
    frame = pd.DataFrame({"k": [1, 2, 1], "v": pd.Series([1, 0, 1], dtype=dtype)})
    lazy = gd.from_pandas(frame, npartitions=2)
    assert_eq(lazy.groupby("k").v.size(), frame.groupby("k").v.size())
    assert_eq(lazy.groupby("k").v.agg(["size", "max"]), frame.groupby("k").v.agg(["size", "max"]))


def test_keys_that_have_other_rows(df, pdf):
    longer = pd.Series(list("abcde") * 12, index=range(60), name="key")
    longer[50:] = "beyond"
    key = gd.from_pandas(longer, npartitions=3)
    assert_eq(df.groupby(key).v.sum(), pdf.groupby(longer).v.sum())
    assert_eq(df.groupby(key).size(), pdf.groupby(longer).size())
    assert_eq(df.groupby(key).v.transform("max"), pdf.groupby(longer).v.transform("max"))
    shorter = gd.from_pandas(longer[:30], npartitions=2)
    assert_eq(df.groupby(shorter).f.mean(), pdf.groupby(longer[:30]).f.mean())


@settings(max_examples=40)
@given(data=st.data())
def test_extremes_of_groups(data):
    keys = data.draw(frames(max_columns=2))
    dtype = data.draw(st.sampled_from(["int64", "int8", "float64", "Int64"]))
    values = data.draw(st.lists(COLUMNS[dtype], min_size=len(keys), max_size=len(keys)))
    frame = keys.assign(v=pd.Series(values, dtype=dtype, index=keys.index))
    options = {name: data.draw(st.booleans()) for name in ("sort", "observed")}
    args = data.draw(st.sampled_from([(2,), (1, "last"), (), (3,)]))
    name = data.draw(st.sampled_from(["nlargest", "nsmallest"]))
    by = list(keys.columns)
    try:
        expected = getattr(frame.groupby(by, **options).v, name)(*args)
    except Exception:
        return  # pandas cannot either
    lazy = gd.from_pandas(frame, npartitions=data.draw(st.integers(1, 4)), sort=False)
    result = getattr(lazy.groupby(by, **options).v, name)(*args).compute()
    if len(expected):  # of no rows pandas gives the frame as it is
        pd.testing.assert_series_equal(result, expected)
    else:
        assert not len(result)


def test_extremes_of_groups_are_found_in_parts(df, pdf):
    result = df.groupby("k").f.nlargest(2)
    assert "ExtremesOfGroups" in repr(result.expr.blueprint)
    assert_eq(result, pdf.groupby("k").f.nlargest(2))
    by_null, expected = df.groupby("f", dropna=False), pdf.fillna({"f": 2}).groupby("f")
    assert by_null.v.nlargest(3).compute().tolist() == expected.v.nlargest(3).tolist()
    assert_eq(df.f.groupby(df.s).nsmallest(20), pdf.f.groupby(pdf.s).nsmallest(20))


def test_groups_by_their_names(df, pdf):
    mine, theirs = df.groupby(["k", "s"]), pdf.groupby(["k", "s"])
    assert {k: list(v) for k, v in mine.groups.items()} == {
        k: list(v) for k, v in theirs.groups.items()
    }
    assert {k: list(v) for k, v in mine.indices.items()} == {
        k: list(v) for k, v in theirs.indices.items()
    }
    assert (mine.keys, mine.level, mine.ndim) == (theirs.keys, theirs.level, theirs.ndim)
    assert (mine.v.ndim, df.groupby(level=0).level) == (1, 0)


def test_rows_of_groups_by_number(df, pdf):
    assert_eq(df.groupby("k").nth(1), pdf.groupby("k").nth(1))
    assert_eq(df.groupby("k").v.nth(slice(1, 3)), pdf.groupby("k").v.nth(slice(1, 3)))
    assert_eq(df.groupby("s").nth([0, -1]), pdf.groupby("s").nth([0, -1]))
    assert_eq(df.groupby("s").f.nth(0, "any"), pdf.groupby("s").f.nth(0, "any"))
    assert_eq(df.groupby("s").tail(2), pdf.groupby("s").tail(2))


def test_windows_and_bins_of_groups(pdf):
    timed = pdf.set_index(pd.date_range("2020-01-01", periods=40, freq="h"))
    mine, theirs = gd.from_pandas(timed, npartitions=3).groupby("s"), timed.groupby("s")
    assert_eq(mine.v.ewm(com=1).mean(), theirs.v.ewm(com=1).mean(), rtol=1e-12)
    assert_eq(mine.resample("D")["v"].sum(), theirs.resample("D")["v"].sum())
    assert_eq(mine.rolling("3h")["f"].count(), theirs.rolling("3h")["f"].count())


MEAN = gd.Aggregation(
    "middle",
    chunk=lambda s: (s.count(), s.sum()),
    agg=lambda count, total: (count.sum(), total.sum()),
    finalize=lambda count, total: total / count,
)
GREATEST = gd.Aggregation("greatest", lambda s: s.max(), lambda parts: parts.max())


@pytest.mark.parametrize("options", [{}, {"split_out": 2}], ids=str)
def test_aggregations_of_users(df, pdf, options):
    mine, theirs = df.groupby(["k", "s"]), pdf.groupby(["k", "s"])
    assert_eq(mine.f.agg(MEAN, **options), theirs.f.mean(), rtol=1e-12)
    assert_eq(mine[["v", "f"]].agg(GREATEST, **options), theirs[["v", "f"]].max())
    expected = theirs.agg({"f": ["mean", "max"], "v": ["sum"]})
    expected.columns = pd.MultiIndex.from_tuples([("f", "middle"), ("f", "greatest"), ("v", "sum")])
    lazy = mine.agg({"f": [MEAN, GREATEST], "v": ["sum"]}, **options)
    assert_eq(lazy, expected, rtol=1e-12)
    with_median = mine.agg(a=("f", MEAN), b=("v", "median"), c=("v", GREATEST), **options)
    expected = theirs.agg(a=("f", "mean"), b=("v", "median"), c=("v", "max"))
    assert_eq(with_median, expected, rtol=1e-12)


def _listed(s):
    s = s._selected_obj  # as dask's documentation has it: groups are levels of the index
    return s.groupby(level=list(range(s.index.nlevels))).sum()


DISTINCT = gd.Aggregation(
    "distinct",
    lambda s: s.apply(lambda x: list(set(x))),
    _listed,
    lambda s: s.apply(lambda x: len(set(x))),
)


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("by", ["s", ["s", "k"]], ids=str)
def test_aggregations_of_users_see_groups_as_the_index(df, pdf, by, sort):
    found = df.groupby(by, sort=sort).v.agg(["sum", DISTINCT])
    expected = pdf.groupby(by, sort=sort).v.agg(["sum", "nunique"])
    assert_eq(found, expected.rename(columns={"nunique": "distinct"}))


def test_aggregations_of_users_with_nulls_among_keys(df, pdf):
    mine = df.assign(k=df.k.where(df.k > 1)).groupby(["k", "s"], dropna=False)
    theirs = pdf.assign(k=pdf.k.where(pdf.k > 1)).groupby(["k", "s"], dropna=False)
    assert_eq(mine.f.agg(MEAN), theirs.f.mean(), rtol=1e-12)


def test_aggregations_of_users_are_made_in_parts(df):
    plan = df.groupby("k").f.agg(MEAN).expr.blueprint
    assert [recipe.aggregation for _, recipe in plan.recipes] == [MEAN]
    with pytest.raises(ValueError, match="are named 'middle'"):
        df.groupby("k").f.agg(a=MEAN, b=gd.Aggregation("middle", len, len))


def test_columns_that_no_result_is_made_of_are_not_grouped(df, pdf):
    by_function = df.groupby("k").agg(m=("f", lambda f: f.max()))
    assert list(by_function.expr.inputs[0].meta.frame.columns) == ["k", "f"]
    assert_eq(by_function, pdf.groupby("k").agg(m=("f", lambda f: f.max())))
    nested = df.groupby("s").agg({"v": ["median", "sum"]})
    assert list(nested.expr.inputs[0].meta.frame.columns) == ["s", "v"]
    assert_eq(nested, pdf.groupby("s").agg({"v": ["median", "sum"]}))


@pytest.mark.parametrize("values", [[4, 4, 8], [1, 2, 3]], ids=str)
def test_products_of_small_integers_do_not_wrap(values):
    frame = pd.DataFrame({"k": 1, "v": pd.Series(values, dtype="int8")})
    lazy = gd.from_pandas(frame, npartitions=2).groupby("k").v.prod()
    assert_eq(lazy, frame.groupby("k").v.prod(), promised=False)


def test_days_as_keys():
    times = pd.Series(pd.date_range("2024-01-01", periods=9, freq="8h"))
    pdf = pd.DataFrame({"t": times, "day": times.dt.date, "v": range(9), "k": list("abcabcabc")})
    for npartitions in (1, 3):
        df = gd.from_pandas(pdf, npartitions=npartitions)
        assert_eq(df.groupby("day").v.sum(), pdf.groupby("day").v.sum())
        by_day = df.groupby(df.t.dt.date).v.agg(["sum", "mean"])
        assert_eq(by_day, pdf.groupby(pdf.t.dt.date).v.agg(["sum", "mean"]))
        found, expected = (x.groupby(["day", "k"]).v.median() for x in (df, pdf))
        assert_eq(found, expected)
        found, expected = (x.groupby(["day", "k"]).v.max() for x in (df, pdf))
        assert_eq(found, expected)


def test_keys_without_a_name():
    days = pd.date_range("2024-01-01", periods=6, freq="12h", name="when")
    pdf = pd.DataFrame({"x": range(6)}, index=days)
    df = gd.from_pandas(pdf, npartitions=2)
    for name in ("date", "hour", "is_month_start"):
        expected = pdf.groupby(getattr(pdf.index, name)).x.sum()
        assert_eq(df.groupby(getattr(df.index, name)).x.sum(), expected)
    keys = np.array([1, 2, 1, 2, 1, 2])
    for key in (keys, keys.astype(str), pd.array(keys)):
        assert_eq(df.groupby(key).sum(), pdf.groupby(key).sum())
        assert_eq(df.x.groupby([key, df.x > 3]).max(), pdf.x.groupby([key, pdf.x > 3]).max())


def test_results_of_one_column_have_no_names_of_columns():
    for d in (pdf := pd.DataFrame({"k": [1, 2], "x": [1, 2]}), gd.from_pandas(pdf, npartitions=2)):
        for func in ({"x": "sum"}, {"total": "sum"}):
            with pytest.raises(pd.errors.SpecificationError, match="nested renamer"):
                d.groupby("k").x.agg(func)


def test_columns_under_one_label():
    pdf = pd.DataFrame({"k": [1, 2, 1], "x": [1, 2, 3], "y": [4, 5, 6]})
    found, expected = (
        d.groupby("k").agg({"x": ["min", "max"], "y": ["sum"]})
        for d in (gd.from_pandas(pdf, npartitions=2), pdf)
    )
    for ask in (
        lambda d: d[["x"]],
        lambda d: d[[("x", "max"), ("y", "sum")]].sum(),
        lambda d: d["x"].max(),
    ):
        assert_eq(ask(found), ask(expected))
    for sort in (
        lambda d: d.sort_values(("x", "min"), ascending=False),
        lambda d: d.sort_values([("y", "sum"), "k"]),
        lambda d: d.reset_index().sort_values("k", ascending=False),
    ):
        assert_eq(sort(found), sort(expected))


def test_columns_of_one_name():
    pdf = pd.DataFrame([[1, 2, 3], [4, 5, 3], [7, 8, 9]], columns=["a", "a", "k"])
    df = gd.from_pandas(pdf, npartitions=2)
    for name in ("sum", "mean", "count", "median"):
        assert_eq(getattr(df.groupby("k"), name)(), getattr(pdf.groupby("k"), name)())
    assert_eq(df.groupby("k").agg(["min", "max"]), pdf.groupby("k").agg(["min", "max"]))
    assert_eq(df.groupby("k")[["a"]].sum(), pdf.groupby("k")[["a"]].sum())


@pytest.mark.parametrize("npartitions", [1, 3])
@pytest.mark.parametrize("name", ["var", "std", "sem"])
def test_spreads_of_infinities_are_undefined(name, npartitions):
    pdf = pd.DataFrame(
        {"k": [1, 1, 2, 2, 3, 1], "f": [1, np.inf, 2, 4, np.nan, 3], "g": np.arange(6.0)}
    )
    df = gd.from_pandas(pdf, npartitions=npartitions)
    assert_eq(getattr(df.groupby("k"), name)(), getattr(pdf.groupby("k"), name)())


@pytest.mark.parametrize("name", ["mean", "sum"])
def test_groups_without_numbers_are_the_groups_alone(name):
    pdf = pd.DataFrame({"k": [1, 1, 2], "t": list("abc")})
    df = gd.from_pandas(pdf, npartitions=2)
    expected = getattr(pdf.groupby("k"), name)(numeric_only=True)
    assert_eq(getattr(df.groupby("k"), name)(numeric_only=True), expected)


@pytest.mark.parametrize("by", ["o", ["o", "v"]])
def test_rows_of_null_objects_are_a_group_where_nulls_are_kept(by):
    objects = pd.Series(["a", None, np.nan, "b"] * 2, dtype=object)
    frame = pd.DataFrame({"o": objects, "v": [1, 1, 2, 2] * 2, "w": range(8)})
    lazy = gd.from_pandas(frame, npartitions=3)
    mine, theirs = (x.groupby(by, dropna=False) for x in (lazy, frame))
    assert_eq(mine.w.transform("mean"), theirs.w.transform("mean"))
    assert_eq(mine.ngroup(), theirs.ngroup())
