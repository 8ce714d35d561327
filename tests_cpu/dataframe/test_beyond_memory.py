"""Frames that memory does not hold: what tasks take at once is bounded, and the answers stay."""

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.diagnostics.listening import Watcher
from gpuscale.engines.events import Spilled
from gpuscale.run import graph_of
from gpuscale.testing.frames import assert_eq

ROWS, GROUPS = 60_000, 24
LIMIT = "1 MiB"  # about as much as all columns take


class Spills(Watcher):
    """Counts results that were written to disk."""

    wants = (Spilled,)

    def __init__(self):
        self.count = 0

    def __call__(self, event):
        self.count += isinstance(event, Spilled)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": rng.integers(0, ROWS // 3, ROWS),
            "value": np.where(rng.random(ROWS) < 0.05, np.nan, rng.normal(size=ROWS)),
            "name": pd.Series(rng.integers(0, 40, ROWS).astype(str)).where(rng.random(ROWS) < 0.9),
        }
    )


@pytest.fixture(scope="module")
def path(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("beyond") / "x.parquet"
    frame.to_parquet(path, row_group_size=ROWS // GROUPS)
    return path


@pytest.fixture
def large(path):
    with gpuscale.config.set({"memory-limit": LIMIT}):
        yield gd.read_parquet(path)


def test_partitions_are_smaller_where_memory_is_short(path, large):
    assert gd.read_parquet(path, blocksize="1 GiB").npartitions < large.npartitions == GROUPS


def test_what_decoding_takes_is_counted(large):
    some = large[["key", "value"]]
    read = max(graph_of(some.sum()).values(), key=lambda task: task.workspace)
    nbytes = ROWS // GROUPS * 16
    assert read.workspace >= 2.5 * nbytes  # the rows, and pages and tables that become these


def test_shuffles_go_through_disk(large, frame):
    with Spills() as spills:
        found = large.sort_values(["key", "value"]).compute()
    assert spills.count
    assert_eq(found, frame.sort_values(["key", "value"], kind="stable"))
    assert_eq(large.set_index("key").compute(), frame.set_index("key").sort_index(kind="stable"))


def test_merges_go_through_disk(large, frame):
    other = pd.DataFrame({"key": np.arange(0, ROWS, 2), "first": np.arange(ROWS // 2)})
    with Spills() as spills:
        found = large.merge(gd.from_pandas(other), on="key", broadcast=False).compute()
    assert spills.count
    order = {"by": list(found.columns), "ignore_index": True}
    expected = frame.merge(other, on="key")
    assert_eq(found.sort_values(**order), expected.sort_values(**order))


def test_a_sort_reads_its_key_by_itself_rather_than_keep_all_rows(path, large):
    def plan(frame):
        return str(frame[frame.value > 0].sort_values("key").explain())

    assert "getitem+sample" not in plan(large)  # a column of the file
    with gpuscale.config.set({"memory-limit": "1 GiB"}):
        assert "getitem+sample" in plan(gd.read_parquet(path, blocksize="64 KiB"))


@pytest.mark.parametrize("q", [0.5, [0.1, 0.5, 0.99]])
def test_quantiles_take_two_passes(large, frame, q):
    for name in ("key", "value"):
        assert_eq(large[name].quantile(q).compute(), frame[name].quantile(q))
        assert_eq(large[name].median().compute(), frame[name].median())
    numbers = ["key", "value"]
    assert_eq(large[numbers].quantile(q).compute(), frame[numbers].quantile(q))
    assert_eq(large[numbers].median().compute(), frame[numbers].median())


def test_what_describes_a_frame_takes_two_passes(large, frame):
    assert_eq(large.describe().compute(), frame.describe(), rtol=1e-12)
    assert_eq(large.value.describe().compute(), frame.value.describe(), rtol=1e-12)
    rows = str(large.describe().explain()).splitlines()
    names = [row.split()[0] for row in rows if "Blockwise" in row]
    assert names == ["brackets", "quantile", "agg", "describe"]


def test_columns_of_several_dtypes_are_described_one_by_one(frame):
    several = pd.DataFrame(
        {
            "small": (frame.key % 7).astype("uint8"),
            "half": frame.value.astype("float32"),
            "whole": frame.key,
        }
    )
    with gpuscale.config.set({"memory-limit": LIMIT}):
        found = gd.from_pandas(several, npartitions=3).describe()
        assert "brackets" in str(found.explain())
        assert_eq(found.compute(), several.describe(), rtol=1e-6)


MANY = {
    "counts": lambda d: d.key.value_counts(),
    "shares": lambda d: d.name.value_counts(normalize=True, dropna=False),
    "counts in order": lambda d: d.value.round(2).value_counts(sort=False, dropna=False),
    "how many": lambda d: d.value.nunique(),
    "how many, nulls too": lambda d: d.name.nunique(dropna=False),
    "most frequent": lambda d: d.key.mode(),
    "most frequent of texts": lambda d: d.name.mode(),
    "first rows": lambda d: d.drop_duplicates(["key", "name"]),
    "last values": lambda d: d.name.drop_duplicates(keep="last"),
    "rows that are there once": lambda d: d.drop_duplicates("key", keep=False),
}


@pytest.mark.parametrize("name", MANY)
def test_different_values_that_are_many(large, frame, name):
    found = MANY[name](large)
    assert len(found.expr.meta.chunks) == 0 or found.npartitions > 1
    assert_eq(found.compute(), MANY[name](frame))


def test_how_many_values_columns_have(large, frame):
    assert_eq(large.nunique(), frame.nunique())
    some = large[["name", "key"]].nunique(dropna=False)
    assert "groupby-size-shuffle" in some.explain()
    assert_eq(some, frame[["name", "key"]].nunique(dropna=False))


@pytest.mark.parametrize("keep", ["first", "last", False])
def test_rows_that_were_there_before(large, frame, keep):
    found = large.duplicated(["key", "name"], keep=keep)
    assert found.npartitions == large.npartitions
    assert_eq(found, frame.duplicated(["key", "name"], keep=keep))
    assert_eq(large.name.duplicated(keep=keep), frame.name.duplicated(keep=keep))


def test_different_values_in_order(large, frame):
    assert large.key.unique().compute().tolist() == frame.key.unique().tolist()


def test_rows_that_are_kept_on_disk(large, frame):
    with Spills() as spills:
        kept = large[large.value > 0].persist()
    assert spills.count
    expected = frame[frame.value > 0]
    assert len(kept) == len(expected)
    assert_eq(kept.value.iloc[-3:], expected.value.iloc[-3:])
