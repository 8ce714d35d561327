"""Oracles that need no other library: what a filter takes apart adds up to all rows again.

Ternary logic partitioning (Rigger and Su, 2020a): each row is among those for which a predicate is
true, false or null. Non-optimizing reference engine construction (2020b): a filter keeps as many
rows as the predicate, computed for all of them without optimization, is true of.
"""

import operator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.expr import stages
from gpuscale.testing.frames import assert_eq

COMPARE = [operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt]
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@contextmanager
def unoptimized():
    """Compute what is written, a task for each operation and partition."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "STAGES", {"lower": stages.lower, "fuse": list})
        yield


@st.composite
def tables(draw, most=14):
    rows = draw(st.integers(0, most))

    def column(values, dtype):
        return pd.Series(draw(st.lists(values, min_size=rows, max_size=rows)), dtype=dtype)

    small = st.integers(-3, 3)
    return pd.DataFrame(
        {
            "row": np.arange(rows),
            "i": column(small, "int64"),
            "f": column(st.one_of(st.none(), small.map(lambda k: k / 2)), "float64"),
            "n": column(st.one_of(st.none(), small), "Int64"),
            "b": column(st.one_of(st.none(), st.booleans()), "boolean"),
            "s": column(st.one_of(st.none(), st.sampled_from(["a", "b", "ab", ""])), "str"),
            "t": column(
                st.one_of(st.none(), st.integers(1, 5).map(lambda k: f"2026-01-0{k}")),
                "datetime64[us]",
            ),
        }
    )


@st.composite
def predicates(draw, depth=2):
    """Draw a function that makes a series of truth values, some of them null, of a frame."""
    if depth and draw(st.booleans()):
        one, other = draw(predicates(depth - 1)), draw(predicates(depth - 1))
        how = draw(st.sampled_from(["and", "or", "not"]))
        return {
            "and": lambda d: one(d) & other(d),
            "or": lambda d: one(d) | other(d),
            "not": lambda d: ~one(d),
        }[how]
    compare, k = draw(st.sampled_from(COMPARE)), draw(st.integers(-3, 3))
    name = draw(st.sampled_from(["i", "f", "n"]))
    time = pd.Timestamp(f"2026-01-0{abs(k) + 1}")
    return draw(
        st.sampled_from(
            [
                lambda d: compare(d[name], k),
                lambda d: compare(d.i, d[name]),
                lambda d: compare(d.f + d.i, k),
                lambda d: compare(d.n * 2, d.i),
                lambda d: d[name].isin([k, k + 1]),
                lambda d: d[name].between(-k, k),
                lambda d: d[name].isna(),
                lambda d: d.b,
                lambda d: compare(d.t, time),
                lambda d: d.s == "a",
                lambda d: d.s.isin(["b", ""]),
                lambda d: d.s.str.startswith("a"),
                lambda d: d.s.isna(),
            ]
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("oracles")


def opened(kind, pdf, folder):
    """Return the rows as a lazy frame, from memory or a file."""
    if kind == "memory":
        return gd.from_pandas(pdf, npartitions=3)
    if kind == "Parquet":
        path = folder / "x.parquet"
        pdf.to_parquet(path, row_group_size=4)
        return gd.read_parquet(path, split_row_groups=True)
    path = folder / "x.csv"
    pdf.to_csv(path, index=False)
    dtypes = {name: str(dtype) for name, dtype in pdf.dtypes.items() if name not in ("t", "s")}
    options = {"na_values": ["NULL"], "keep_default_na": True}
    return gd.read_csv(path, 60, dtype={**dtypes, "s": "str"}, parse_dates=["t"], **options)


@pytest.mark.parametrize("kind", ["memory", "Parquet", "CSV"])
@FEW
@given(pdf=tables(), predicate=predicates())
def test_what_a_filter_takes_apart_adds_up(kind, folder, pdf, predicate):
    if kind == "CSV":  # which has no texts of no length, and no dtypes without rows
        pdf = pdf.assign(s=pdf.s.replace("", "b"))
        if not len(pdf) or pdf.t.isna().any():
            pdf = pdf.assign(t=pd.Timestamp("2026-01-02"))
        if not len(pdf):
            return
    df = opened(kind, pdf, folder)
    p = predicate(df)
    parts = [df[p], df[~p], df[p.isna()]]
    rows = [part.row for part in parts]
    with unoptimized():
        trues = p.sum().compute(engine="sync")
    found = gpuscale.compute(
        *rows,
        *(part.f.sum() for part in parts),
        *(part.n.count() for part in parts),
        *(part.i.max() for part in parts),
        engine="sync",
    )
    assert sorted(pd.concat(found[:3])) == list(range(len(pdf)))
    assert len(found[0]) == trues
    assert sum(found[3:6]) == pdf.f.sum()
    assert sum(found[6:9]) == pdf.n.count()
    assert pd.Series(found[9:]).max() == pdf.i.max() or not len(pdf)
    expected = pdf[predicate(pdf).fillna(False).astype(bool)]
    assert found[0].tolist() == expected.row.tolist()


STEPS = {
    "filter": lambda d, e, k: d[(d.f > k / 2) | (d.i != k)],
    "nulls": lambda d, e, k: d[d.n.notna()],
    "assign": lambda d, e, k: d.assign(z=d.i * k + d.f, i=d.i - 1),
    "project": lambda d, e, k: d[[c for c in d.columns if c != "b"]],
    "groupby": lambda d, e, k: (
        d.groupby(["i", "s"], dropna=k > 0)[["f", "row", "n"]].max().reset_index()
    ),
    "merge": lambda d, e, k: d.merge(
        e[["i", "s"]].rename(columns={"s": "w"}), on="i", how=["inner", "left"][k % 2]
    ).drop(columns="w"),
    "concat": lambda d, e, k: library(d).concat([d, d[d.i > k]]),
    "distinct": lambda d, e, k: d.drop_duplicates(["i", "s"]),
}
ENDS = {
    "rows": lambda d: d,
    "sum": lambda d: d[["f", "i"]].sum(),
    "count": lambda d: d.count(),
    "groups": lambda d: d.groupby("s").f.agg(["sum", "count"]),
    "frequent": lambda d: d.i.value_counts().sort_index(),
    "first": lambda d: d.sort_values(list(d.columns)).reset_index(drop=True).i,
}
ORDERED = ("filter", "nulls", "assign", "project", "concat")  # leaves rows in an order that is sure


def library(frame):
    return pd if isinstance(frame, pd.DataFrame) else gd


def in_order(found):
    """Rows of a merge come in the order of partitions, with labels of these."""
    if isinstance(found, pd.DataFrame) and "i" in found.columns:
        return found.sort_values(list(found.columns), ignore_index=True)
    return found


@pytest.mark.parametrize("kind", ["memory", "Parquet"])
@FEW
@given(data=st.data())
def test_pipelines_agree_with_and_without_optimization(kind, folder, data):
    pdf = data.draw(tables(most=9))
    df = opened(kind, pdf, folder)
    one, other = df, pdf
    names = data.draw(st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=6))
    is_sure = True
    for name in names:
        k = data.draw(st.integers(-2, 2))
        if name in ("distinct",) and not is_sure:
            continue  # which of the same is first is not
        if name == "groupby" and not {"f", "row", "n", "s"} <= {*other.columns}:
            continue
        if name == "merge" and len(other) > 60:
            continue
        one, other = STEPS[name](one, df, k), STEPS[name](other, pdf, k)
        if "b" not in other.columns and "n" not in other.columns:
            break
        is_sure = is_sure and name in ORDERED
    end = ENDS[data.draw(st.sampled_from(sorted(ENDS)))]
    expected = in_order(end(other))
    with unoptimized():
        plain = in_order(end(one).compute(engine="sync"))
    assert_eq(in_order(end(one).compute(engine="sync")), plain, rtol=1e-12)
    assert_eq(plain, expected, rtol=1e-12, check_dtype=bool(len(pdf)))


def test_engines_and_a_cluster_agree(folder):
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    from gpuscale.cluster import Client, LocalCluster

    rng = np.random.default_rng(0)
    pdf = pd.DataFrame(
        {
            "i": rng.integers(0, 9, 200),
            "f": np.where(rng.random(200) < 0.2, np.nan, rng.random(200)),
            "s": pd.Series(rng.integers(0, 5, 200).astype(str)).where(rng.random(200) < 0.8),
        }
    )
    df = opened("memory", pdf, folder)
    asked = [
        lambda d: d[d.f > 0.5].groupby("s").f.agg(["sum", "count"]),
        lambda d: d.sort_values(["i", "f"]).f,
        lambda d: d.drop_duplicates(["i", "s"]),
        lambda d: d.f.fillna(0).cumsum(),
        lambda d: d.f.quantile([0.1, 0.5]),
    ]
    results = [each(df) for each in asked]
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options) as cluster, Client(cluster):
        on_cluster = [each.compute() for each in results]
    for result, found, each in zip(results, on_cluster, asked, strict=True):
        assert_eq(found, each(pdf), rtol=1e-12)
        assert_eq(result.compute(engine="threads"), found, rtol=1e-12)
        assert_eq(result.compute(engine="sync"), found, rtol=1e-12)
