"""What memory decides is planned for the run that is to be, wherever its limit is said."""

import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.base.sizes import parse_bytes
from gpuscale.diagnostics.listening import Watcher
from gpuscale.engines.base import get_engine
from gpuscale.engines.events import RunStarted
from gpuscale.run import asked, graph_of
from gpuscale.testing.frames import assert_eq

ROWS = 30_000
LIMIT = "900 KiB"  # all rows take 700 KiB

PDF = pd.DataFrame(
    {
        "key": np.arange(ROWS) * 7919 % 29989,
        "value": np.arange(ROWS) * 7.0 % 4001,
        "count": np.arange(ROWS, dtype=np.int16) % 90,
    }
)

WAYS = {
    "quantile": lambda d: d.value.quantile([0.1, 0.9]),
    "median": lambda d: d[["key", "value"]].median(),
    "describe": lambda d: d[["key", "value"]].describe(),
    "nunique": lambda d: d.value.nunique(),
    "nunique of columns": lambda d: d[["key", "count"]].nunique(),
    "value_counts": lambda d: d.key.value_counts(),
    "mode": lambda d: d.key.mode(),
    "drop_duplicates": lambda d: d.drop_duplicates("key"),
    "duplicated": lambda d: d.key.duplicated(),
    "rank": lambda d: d.value.rank(),
    "groups in parts": lambda d: d.groupby("key").value.sum(),
    "groups of rows": lambda d: d.groupby("key").value.median(),
    "transform": lambda d: d.groupby("key").value.transform("median"),
    "rows of groups": lambda d: d.groupby("value").cumcount(),
    "some rows": lambda d: d.groupby("key").head(1),
    "sort": lambda d: d.sort_values("value", kind="stable"),
}


class Plans(Watcher):
    """Keeps how many tasks of each kind ran."""

    wants = (RunStarted,)

    def __init__(self):
        self.seen = []

    def __call__(self, event):
        self.seen.append(kinds(event.tasks))


def kinds(tasks):
    return Counter(task.label for task in tasks)


def planned(collection, engine=None, **options):
    with asked(engine, options):
        return kinds(graph_of(collection).values())


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("by-memory") / "x.parquet"
    PDF.to_parquet(path, row_group_size=ROWS // 4)
    return path


@pytest.mark.parametrize("name", WAYS)
def test_a_limit_gives_one_plan_wherever_it_is_said(path, name):
    way, df = WAYS[name], gd.read_parquet(path, split_row_groups=True)
    ours = way(df)
    with Plans() as plans:
        found = ours.compute(memory_limit=LIMIT, engine="sync")
    engine = get_engine("threads", memory_limit=parse_bytes(LIMIT, 0))
    with gpuscale.config.set({"memory-limit": LIMIT}):
        before = planned(way(df))
    assert plans.seen == [before] == [planned(ours, engine)]
    assert planned(ours) != before
    assert_eq(found, way(PDF), rtol=1e-12)


@pytest.fixture
def by_key(path):
    return gd.read_parquet(path, split_row_groups=True).groupby("key").value.sum()


def test_who_works_row_by_row_takes_one_partition_after_the_other(by_key):
    assert by_key.npartitions == 1
    expected = PDF.groupby("key").value.sum()
    far, theirs = by_key + by_key.max(), expected + expected.max()
    found = far[far > far.min()].compute(memory_limit=LIMIT, engine="sync")
    assert_eq(found, theirs[theirs > theirs.min()])


def test_who_else_reads_one_partition_gets_one(by_key):
    lazy, expected = by_key.astype("float32"), PDF.groupby("key").value.sum().astype("float32")
    found = lazy.map_partitions(lambda part: part[::-1]).compute(memory_limit="1200 KiB")
    assert_eq(found, expected[::-1])
    found = (lazy + gd.from_pandas(expected, npartitions=1)).compute(memory_limit="1200 KiB")
    assert_eq(found, 2 * expected)


def test_partitions_that_were_told_stay(path):
    with gpuscale.config.set({"memory-limit": LIMIT}):
        different = gd.read_parquet(path).drop_duplicates("key")
    assert different.npartitions > 1
    assert_eq(
        different.partitions[0].compute(), different.compute()[: len(different.partitions[0])]
    )
    assert_eq(different, PDF.drop_duplicates("key"))


def test_several_partitions_become_more_for_who_takes_them_all(path):
    def made():
        return gd.read_parquet(path, split_row_groups=True).groupby("count").value.median() * 2

    with gpuscale.config.set({"memory-limit": "4 MiB"}):
        lazy = made()
    with gpuscale.config.set({"memory-limit": LIMIT}):
        more = made()
    assert 1 < lazy.npartitions < more.npartitions
    expected = PDF.groupby("count").value.median() * 2
    assert planned(lazy, memory_limit=LIMIT) == planned(more, memory_limit=LIMIT)
    assert_eq(lazy.compute(memory_limit=LIMIT, engine="sync"), expected)
    parts = [lazy.partitions[k] for k in range(lazy.npartitions)]  # each in its place
    found = [part.compute(memory_limit="2 MiB", engine="sync") for part in parts]
    assert_eq(pd.concat(found), expected)
    ends = lazy.map_partitions(lambda part: part[-1:])  # of those that were told
    assert_eq(ends.compute(memory_limit="2 MiB", engine="sync"), ends.compute(engine="sync"))


def test_plans_by_memory_can_be_sent_and_kept(by_key):
    again = pickle.loads(pickle.dumps(by_key))
    assert again.expr.token == by_key.expr.token
    with gpuscale.config.set({"memory-limit": LIMIT}):
        kept = again.persist(engine="sync")
    assert_eq(kept, PDF.groupby("key").value.sum())


def test_the_first_of_many_values_are_found_by_the_limit_of_the_moment(path):
    counts = gd.read_parquet(path).value.value_counts()
    expected = PDF.value.value_counts().head(3)
    assert_eq(counts.head(3), expected)
    with gpuscale.config.set({"memory-limit": LIMIT}):
        assert_eq(counts.head(3), expected)


def test_functions_of_users_are_not_tried_again(path):
    seen = []

    def least(rows):
        seen.append(len(rows))
        return rows.min()

    found = gd.read_parquet(path).groupby("count").value.agg(least)
    tried = len(seen)
    planned(found, memory_limit=LIMIT)
    assert len(seen) == tried
