"""Keys of groups and merges that files encode are read as they are encoded."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.expr.stages import optimize
from gpuscale.expr.walk import toposort
from gpuscale.testing.frames import assert_eq


@pytest.fixture(scope="module")
def pdf():
    rng = np.random.default_rng(0)
    texts = {"s": rng.choice(list("abcde"), 200), "t": rng.choice(["x", "yy", "zzz"], 200)}
    frame = pd.DataFrame({**texts, "v": rng.integers(0, 9, 200)})
    frame.loc[::13, "s"] = None
    return frame


@pytest.fixture(scope="module", params=["of pandas", "of Arrow"])
def path(request, pdf, tmp_path_factory):
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path_factory.mktemp("texts") / "file.parquet"
    if request.param == "of pandas":
        pdf.to_parquet(path, row_group_size=30)
    else:
        columns = {name: pa.array(pdf[name], from_pandas=True) for name in pdf}
        parquet.write_table(pa.table(columns), path, row_group_size=30)
    return path


def encoded(lazy):
    """Names of the columns that are read as categories."""
    (source,) = {
        node for node in toposort(optimize([lazy.expr], "simplify")) if isinstance(node, ReadPieces)
    }
    dtypes = source.pieces.read(source.pieces.pieces[0], source.columns, source.predicate).dtypes
    assert [str(dtype) for dtype in dtypes] == [str(dtype) for dtype in source.meta.frame.dtypes]
    return [name for name, dtype in dtypes.items() if dtype == "category"]


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("split", [True, False])
def test_groups_are_the_same(path, pdf, split, dropna, sort):
    df = gd.read_parquet(path, split_row_groups=split)
    options = {"dropna": dropna, "sort": sort}
    lazy = df.groupby(["t", "s"], **options).v.sum()
    assert encoded(lazy) == ["s", "t"]
    assert_eq(lazy, pdf.groupby(["t", "s"], **options).v.sum())
    spread = df.groupby("s", **options).v.mean(split_out=2)
    assert encoded(spread) == ["s"]
    assert_eq(spread, pdf.groupby("s", **options).v.mean())


def test_other_ways_to_group(path, pdf):
    df = gd.read_parquet(path, split_row_groups=True)
    cases = [
        (lambda x: x[x.v > 3].groupby("s").v.agg(["sum", "mean"]), ["s"]),
        (lambda x: x.groupby("s", as_index=False).v.sum(), ["s"]),
        (lambda x: x.groupby(["s", "t"]).size(), ["s", "t"]),
        (lambda x: x.assign(w=x.v * 2).groupby("t").w.max(), ["t"]),
    ]
    for ask, expected in cases:
        assert encoded(ask(df)) == expected
        assert_eq(ask(df), ask(pdf), rtol=1e-12)


SOME = pd.DataFrame({"s": pd.array(["a", "c", "f", None], dtype="str"), "w": range(4)})
TWICE = pd.concat([SOME, SOME[::-1]])
RENAMED = SOME.rename(columns={"s": "k", "w": "t"})
MERGES = [
    (lambda lib, x, how: lib.merge(x, SOME, how, "s")[["v", "w"]], ["s"]),
    (lambda lib, x, how: lib.merge(x, TWICE, how, "s")[["v", "w"]], ["s"]),
    (lambda lib, x, how: lib.merge(SOME, x, how, "s")[["v"]], []),  # x is put together before
    (lambda lib, x, how: lib.merge(x, RENAMED, how, left_on="s", right_on="k")[["t_x", "v"]], "s"),
    (lambda lib, x, how: lib.merge(x, RENAMED, how, left_on="s", right_on="k")[["k", "v"]], "s"),
    (lambda lib, x, how: lib.merge(x, SOME, how, "s")[["s", "w"]], []),
    (lambda lib, x, how: lib.merge(x, RENAMED, how, left_on="t", right_on="k")[["t_x", "v"]], []),
]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("how", ["inner", "left", "right"])
def test_merges_leave_out_a_key_that_nobody_wants(path, pdf, how, compiled):
    df = gd.read_parquet(path, split_row_groups=True)
    with config.set({"codegen.min-elements": 0 if compiled else 1 << 20}):
        for ask, columns in MERGES:
            lazy = ask(gd, df, how)
            assert how == "right" or encoded(lazy) == [*columns]
            result, expected = (
                each.sort_values(list(each.columns), ignore_index=True)
                for each in (lazy.compute(engine="sync"), ask(pd, pdf, how))
            )
            pd.testing.assert_frame_equal(result, expected)


def test_what_looks_at_texts_has_texts(path, pdf):
    df = gd.read_parquet(path, split_row_groups=True)
    cases = [
        lambda x: x[x.t != "x"].groupby(["t"]).v.sum(),
        lambda x: x[x.t.str.len() > 1].groupby("t").v.sum(),
        lambda x: x.groupby("s").agg(n=("s", "count"), m=("v", "max")),
        lambda x: x.groupby("t").v.transform("sum"),
        lambda x: x.groupby("t").v.median(),
        lambda x: x.t,
    ]
    for ask in cases:
        assert encoded(ask(df)) == []
        assert_eq(ask(df), ask(pdf))


def test_texts_that_hardly_repeat_are_read_as_they_are(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    few, many = [f"{k % 5:03d}" for k in range(20_000)], [f"{k // 2:0100d}" for k in range(20_000)]
    path = tmp_path / "file.parquet"
    parquet.write_table(pa.table({"few": few, "many": many}), path, dictionary_pagesize_limit=5000)
    df, pdf = gd.read_parquet(path), pd.read_parquet(path)
    assert encoded(df.groupby("many").size()) == []
    lazy = df.groupby(["few", "many"]).size()
    assert encoded(lazy) == ["few"]
    assert_eq(lazy, pdf.groupby(["few", "many"]).size())
