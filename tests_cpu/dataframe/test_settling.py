"""Where data decide about dtypes, all partitions have those of pandas before anybody looks."""

import operator
import sqlite3

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.expr import stages
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "k": [1, 1, 2, 2, 3, 3],
        "i": [1, 2, 3, 4, 5, 2**53 + 1],
        "b": [True, False, True, True, True, True],
        "s": ["a", None, "cc", "ddd", "e", "ff"],
        "t": pd.to_datetime(["2020-01-01", None, *["2020-03-04"] * 4]),
    }
)
OTHER = pd.DataFrame({"k": [2, 3], "v": [10, 20], "w": [True, False]})
PRODUCERS = {
    "where": lambda d, e: d.i.where(d.b),
    "where other": lambda d, e: d.i.where(d.b, 0.5),
    "mask": lambda d, e: d.i.mask(d.k == 1),
    "truths": lambda d, e: d.b.where(d.b),
    "table": lambda d, e: d[["i", "k"]].where(d.b).i,
    "len": lambda d, e: d.s.str.len(),
    "find": lambda d, e: d.s.str.find("c"),
    "month": lambda d, e: d.t.dt.month,
    "floordiv": lambda d, e: d.i // (d.k - 1),
    "mod": lambda d, e: d.i.mod(d.k - 1),
    "map": lambda d, e: d.s.map({"cc": 1, "ddd": 2, "e": 3, "ff": 4}),
    "function": lambda d, e: d.k.map(lambda k: None if k == 1 else k),
    "replace": lambda d, e: d.i.replace(2, 2.5),
    "clip": lambda d, e: d.i.clip(1.5),
    "left": lambda d, e: d.merge(e, on="k", how="left").v,
    "left truths": lambda d, e: d.merge(e, on="k", how="left").w,
    "assigned": lambda d, e: d.assign(n=d.s.str.len())[["k", "n"]].n,
    "filtered": lambda d, e: d.i.where(d.b)[d.k != 1],
    "of some rows": lambda d, e: d.assign(n=d.i.where(d.b))[lambda d: d.k > 1].n,
    "groups of some": lambda d, e: (
        d.assign(n=d.i.where(d.b))
        .groupby("k", as_index=False)
        .n.max()
        .loc[lambda d: d.k > 1]
        .reset_index(drop=True)
        .n
    ),
    "sums of groups": lambda d, e: d.groupby("s").i.transform("sum"),
    "counts in frames": lambda d, e: d.groupby("s")[["i", "b"]].transform("count").b,
    "truths of groups": lambda d, e: d.groupby("s").b.transform("first"),
    "numbers of groups": lambda d, e: d.groupby("s").ngroup(),
    "numbers in groups": lambda d, e: d.groupby("s").cumcount(),
    "rows of groups": lambda d, e: d.groupby("s").i.cumsum(**spread(d)),
    "functions of groups": lambda d, e: d.groupby("s").i.transform(largest),
    "shifted": lambda d, e: d.i.where(d.b).shift(1),
    "concat": lambda d, e: lib(d).concat([d.k, d.i.where(d.b)]),
    "without": lambda d, e: d.i.where(d.b).dropna(),
}
CONSUMERS = {
    "texts": lambda x: x.astype(str),
    "twice": lambda x: x * 2,
    "large": lambda x: x > 2**53,
    "small": lambda x: x > 2,
    "filled": lambda x: x.fillna(0),
    "groups": lambda x: x.groupby(x.astype(str)).count(),
    "keys": lambda x: x.groupby(x).count(),
    "keys with nulls": lambda x: x.groupby(x, dropna=False).size(),
    "keys as they come": lambda x: x.groupby(x, sort=False).max(),
    "keys of several partitions": lambda x: x.groupby(x).max(**several(x)).sort_index(),
    "distinct": lambda x: x.drop_duplicates(),
    "counts": lambda x: x.value_counts().sort_index(),
    "running": lambda x: x.cumsum(),
    "least": lambda x: x.min(),
    "parts": lambda x: x.map_partitions(twice) if isinstance(x, gd.Series) else twice(x),
    "rows": lambda x: x,
}
NUMBERS = ("twice", "large", "small", "running", "counts")
GROUPS = ("groups", "counts", *(name for name in CONSUMERS if name.startswith("keys")))


def twice(x):
    return x + x


def several(x):
    return {"split_out": 2} if isinstance(x, gd.Series) else {}


def spread(x):
    return {"split_out": 2} if isinstance(x, gd.DataFrame) else {}


def largest(x):
    return x.max()


def lib(frame):
    return pd if isinstance(frame, pd.DataFrame) else gd


def lazy(npartitions):
    return gd.from_pandas(PDF, npartitions=npartitions), gd.from_pandas(OTHER, npartitions=1)


def compared(result, expected, is_merge):
    if is_merge and isinstance(expected, pd.Series):
        result = result.reset_index(drop=True)
        expected = expected.reset_index(drop=True)
    assert_eq(result, expected)


@pytest.mark.parametrize("producer", PRODUCERS)
def test_partitions_are_as_one(producer):
    made, whole = PRODUCERS[producer](*lazy(5)), PRODUCERS[producer](PDF, OTHER)
    for consumer, use in CONSUMERS.items():
        if "truths" in producer and consumer in (*NUMBERS, "parts"):
            continue  # objects, of which pandas adds up no nulls
        is_merge = "left" in producer and consumer not in GROUPS
        compared(use(made), use(whole), is_merge)


@settings(max_examples=12, deadline=None)
@given(
    producer=st.sampled_from(sorted(PRODUCERS)),
    consumer=st.sampled_from(["texts", "filled", "groups", "keys", "rows"]),
    npartitions=st.sampled_from([1, 2, 3]),
    data=st.data(),
)
def test_whatever_the_rows_and_with_or_without_rules(producer, consumer, npartitions, data):
    order = data.draw(st.permutations(range(6)))[: data.draw(st.integers(1, 6))]
    pdf = PDF.iloc[sorted(order)].reset_index(drop=True)
    df = gd.from_pandas(pdf, npartitions=npartitions)
    other = gd.from_pandas(OTHER, npartitions=1)
    made, whole = PRODUCERS[producer](df, other), PRODUCERS[producer](pdf, OTHER)
    if isinstance(whole, pd.Series) and whole.dtype == object and whole.isna().all():
        return  # of nulls alone pandas makes objects, as if it had never seen a number
    result, expected = CONSUMERS[consumer](made), CONSUMERS[consumer](whole)
    is_merge = "left" in producer and consumer not in GROUPS
    compared(result, expected, is_merge)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "STAGES", {"lower": stages.lower, "fuse": list})
        compared(result, expected, is_merge)


def numbers(sure=False):
    """Integers, of which partitions have nulls, or would have if the values were others."""
    df = lazy(3)[0]
    return df.assign(n=df.i.where(df.i > 0 if sure else df.b))[["k", "n"]]


def whole(sure=False):
    return PDF.assign(n=PDF.i.where(PDF.i > 0 if sure else PDF.b))[["k", "n"]]


@pytest.mark.parametrize("sure", [True, False])
def test_files_have_one_dtype(tmp_path, sure):
    df, pdf = numbers(sure), whole(sure)
    df.to_parquet(tmp_path / "x")
    assert_eq(gd.read_parquet(tmp_path / "x").reset_index(drop=True), pdf)
    df.to_csv(tmp_path / "x.csv", index=False)
    assert (tmp_path / "x.csv").read_text() == pdf.to_csv(index=False)
    df.to_orc(tmp_path / "orc")
    assert_eq(gd.read_orc(tmp_path / "orc").reset_index(drop=True), pdf)
    df.to_json(tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == pdf.to_json(orient="records", lines=True)


def test_columns_of_files_have_the_type_of_those_with_values(tmp_path):
    made, whole = (d.assign(z=d.groupby("k").b.shift(1)) for d in (lazy(6)[0], PDF))
    made.to_parquet(tmp_path / "x")  # partitions of nulls alone among others
    assert_eq(pd.read_parquet(tmp_path / "x").reset_index(drop=True), whole)


@pytest.mark.parametrize("sure", [True, False])
def test_tables_of_databases_have_one_dtype(tmp_path, sure):
    pytest.importorskip("sqlalchemy", exc_type=ModuleNotFoundError)
    numbers(sure).to_sql("x", f"sqlite:///{tmp_path}/x.db", index=False)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        (columns,) = connection.execute("select sql from sqlite_master").fetchone()
    assert ("n FLOAT" in columns.replace('"', "")) != sure


@pytest.mark.parametrize("sure", [True, False])
def test_arrays_have_the_dtype_of_pandas(sure):
    df, pdf = numbers(sure), whole(sure)
    assert df.n.values.dtype == pdf.n.dtype
    np.testing.assert_array_equal(df.values.compute(), pdf.to_numpy())
    records = df.to_records(index=False)
    assert records.dtype == pdf.to_records(index=False).dtype.descr
    np.testing.assert_array_equal(records.compute().tolist(), pdf.to_records(index=False).tolist())


def test_rows_one_by_one():
    df, pdf = numbers(), whole()
    assert repr(list(df.n)) == repr(list(pdf.n))
    assert repr(list(df.itertuples())) == repr(list(pdf.itertuples()))
    assert repr(list(df.n.items())) == repr(list(pdf.n.items()))
    parts = gpuscale.compute(*df.n.to_delayed())
    assert {part.dtype for part in parts} == {pdf.n.dtype}


def test_what_was_kept_is_settled():
    df, pdf = numbers().persist(), whole()
    assert_eq(df.n.astype(str), pdf.n.astype(str))


def test_keys_and_bounds_of_merges():
    df, pdf = numbers(), whole()
    other = PDF.rename(columns={"i": "n"})[["n", "s"]]
    for how in ("inner", "left", "right", "outer"):
        theirs = gd.from_pandas(other, npartitions=2)
        found = df.merge(theirs, on="n", how=how, broadcast=False).compute(engine="sync")
        expected = pdf.merge(other, on="n", how=how)
        by = ["n", "k", "s"]
        assert_eq(
            found.sort_values(by, ignore_index=True), expected.sort_values(by, ignore_index=True)
        )


def steps(x):
    return str(x.explain())


def test_only_who_minds_waits_for_all_dtypes():
    df, other = lazy(3)
    merged = df.merge(other, on="k", how="left")
    assert "settle" in steps(merged.v * 2)
    assert "settle" in steps(merged.astype(str))
    for each in (merged, merged.v.sum(), merged[merged.v > 2].k.max(), merged.s.str.upper()):
        assert "settle" not in steps(each)
    assert "settle" not in steps(merged.groupby("k").v.mean())
    for each in (merged.groupby("v").k.sum(), df.groupby(df.t.dt.hour).i.max()):
        assert "settle" not in steps(each)  # 1 and 1.0 are one key
    assert "settle" in steps(merged.groupby("w").k.sum())
    assert "settle" not in steps(df.merge(other, on="k").v * 2)
    assert "settle" not in steps(df.i.where(df.b, 0) * 2)
    assert "settle" not in steps(df.s.str.upper() + "x")
    assert "settle" not in steps(df.s.str.len().fillna(0).isna())
    assert "settle" not in steps(df.i.where(df.b).astype("float64") * 2)


def test_nobody_waits_for_columns_that_files_say_have_no_nulls(tmp_path):
    pdf = PDF.assign(full="a", day=pd.Timestamp("2020-01-01"), x=0.5)
    gd.from_pandas(pdf, npartitions=3).to_parquet(tmp_path / "x")
    df = gd.read_parquet(tmp_path / "x", split_row_groups=1)
    asks = {
        "lengths": lambda d, key, time: d[key].str.len() * 2,
        "parts of times": lambda d, key, time: d[time].dt.month * 2,
        "of groups": lambda d, key, time: d.groupby(key).i.transform("sum") * 2,
        "filtered": lambda d, key, time: d[d.x > 0].assign(n=d[key].str.len()).n * 2,
        "numbers": lambda d, key, time: d.groupby(d[time].dt.month).ngroup() * 2,
    }
    for ask in asks.values():
        assert "settle" not in steps(ask(df, "full", "day"))
        assert "settle" in steps(ask(df, "s", "t"))
        assert_eq(ask(df, "full", "day").reset_index(drop=True), ask(pdf, "full", "day"))
        assert_eq(ask(df, "s", "t").reset_index(drop=True), ask(pdf, "s", "t"))
    assert df.x.expr.meta.full == (False,)  # numbers may be NaN without being null


@pytest.mark.parametrize("name", ["lt", "ge", "eq"])
def test_large_integers_compare_as_numbers_that_they_become(name):
    compare, value = getattr(operator, name), 2**53 + 1
    df = lazy(5)[0]
    made, pdf = df.i.where(df.b), PDF.i.where(PDF.b)
    assert_eq(compare(made, value), compare(pdf, value))


KEYS = {
    "map": lambda d: d.s.map({"cc": 1, "ddd": 2, "e": 1, "ff": 4}),
    "map of a series": lambda d: d.s.map(pd.Series({"cc": 1, "ddd": 2})),
    "lengths": lambda d: d.s.map(len, na_action="ignore"),
    "dates": lambda d: d.t.dt.date,
    "bytes": lambda d: d.s.str.encode("utf8"),
}


@pytest.mark.parametrize("key", KEYS)
def test_lines_do_not_refuse_keys_of_merges_that_data_decide(key):
    def merged(d, how, **options):
        keyed = KEYS[key](d).to_frame("w")
        return keyed.merge(keyed.drop_duplicates().assign(q=1), on="w", how=how, **options)

    for npartitions, how, options in ((1, "left", {}), (3, "inner", {"broadcast": False})):
        found = merged(lazy(npartitions)[0], how, **options).compute(engine="sync")
        order = {"by": "w", "ignore_index": True}
        assert_eq(found.sort_values(**order), merged(PDF, how).sort_values(**order))


def test_keys_of_merges_that_are_known_not_to_agree_are_refused():
    df = lazy(2)[0]
    with pytest.raises(ValueError, match="merge on"):
        df[["i"]].merge(df[["s"]], left_on="i", right_on="s")


@pytest.mark.parametrize("name", ["cumsum", "cummax", "ffill", "shift"])
def test_none_in_the_place_of_numbers_makes_objects_everywhere(name):
    made, whole = (getattr(d.i.replace(2, None), name)() for d in (lazy(3)[0], PDF))
    pd.testing.assert_series_equal(made.compute(engine="sync"), whole)


def test_categories_are_what_pandas_makes_of_objects_with_nulls():
    made, whole = (d.b.where(d.k > 1).astype("category") for d in (lazy(3)[0], PDF))
    assert_eq(made, whole)


def test_sums_of_integers_that_are_floating_point_numbers_elsewhere_do_not_overflow():
    pdf = pd.DataFrame({"i": [2**62, 2**62, 2**62, 1, 2**53 + 1, 5], "b": [*[True] * 5, False]})
    df = gd.from_pandas(pdf, npartitions=3)
    for ask in (
        lambda d: d.i.where(d.b).sum(),
        lambda d: d.i.where(d.i > 0).sum(),
        lambda d: d.assign(n=d.i.where(d.b)).sum(),
        lambda d: d.assign(n=d.i.where(d.b)).groupby("b").n.sum(),
        lambda d: d.assign(n=d.i.where(d.i > 0)).groupby("b").n.sum(),
        lambda d: d.i.where(d.b).sum(skipna=False),
    ):
        assert_eq(ask(df), ask(pdf))


@pytest.mark.filterwarnings("ignore:.*is not supported as a fill value:DeprecationWarning")
def test_fills_that_a_dtype_cannot_hold_make_objects_everywhere():
    made, whole = (d.t.fillna(0).astype(str) for d in (lazy(3)[0], PDF))
    assert_eq(made, whole)
    assert "settle" not in steps(lazy(3)[0].t.fillna(pd.Timestamp(0)).astype(str))


@pytest.mark.parametrize("other", [lambda v: v > 5, lambda v: v * 1.5, lambda v: f"v{v}"])
def test_frames_with_nulls_that_rows_decide_are_joined_as_pandas_does(other):
    def joined(lib, x):
        mapped = x.number.map(lambda v: None if v < 28 else other(v))
        return lib.concat([x, x.assign(number=mapped)])

    pdf = pd.DataFrame({"number": pd.Series([0, 1, 28, 29], dtype="int32")})
    both = joined(gd, gd.from_pandas(pdf, npartitions=2))
    assert_eq(both, joined(pd, pdf))
    assert_eq(both.number.astype(str), joined(pd, pdf).number.astype(str))
