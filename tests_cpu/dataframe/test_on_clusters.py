"""Frames on the workers of a cluster, and with less memory than they take."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.dataframe import by_memory
from gpuscale.dataframe.passes import is_large
from gpuscale.engines import automatic
from gpuscale.memory.limits import within_workers
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame({"x": np.arange(10), "y": np.arange(10) * 1.5, "n": list("abcdefghij")})


def test_a_cluster_gives_what_threads_give():
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    from gpuscale.cluster import Client, LocalCluster

    df = gd.from_pandas(PDF, npartitions=3)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        assert_eq((df.x + df.y)[df.n > "c"].compute(), (PDF.x + PDF.y)[PDF.n > "c"])
        assert_eq(df.mean(numeric_only=True).compute(), PDF.mean(numeric_only=True))
        kept = df.assign(z=df.x.cumsum()).persist()
        assert_eq(kept.compute(), PDF.assign(z=PDF.x.cumsum()))
        assert_eq(kept.z.shift(1).sum().compute(), PDF.x.cumsum().shift(1).sum())
        assert client.compute(df.x.sum()).result() == PDF.x.sum()
        df.to_parquet("memory://of-a-cluster/x")  # is memory of this process
        df.to_csv("memory://of-a-cluster/*.csv")
        assert_eq(gd.read_parquet("memory://of-a-cluster/x"), PDF)
        assert gd.read_csv("memory://of-a-cluster/*.csv").x.sum().compute() == PDF.x.sum()


def test_partitions_are_for_the_memory_of_workers(monkeypatch, tmp_path):
    whole = pd.DataFrame({"x": np.arange(200_000), "y": 0.5})
    whole.to_parquet(tmp_path / "a.parquet", row_group_size=10_000)
    of_workers = partial(within_workers, 3200 << 10, 2)
    for module in (automatic, by_memory):
        monkeypatch.setattr(module, "planned_for_default", of_workers)
    in_memory, df = gd.from_pandas(whole), gd.read_parquet(tmp_path / "a.parquet")
    assert in_memory.npartitions == 32
    assert df.npartitions == 20  # groups of rows are not cut
    with of_workers():
        assert is_large(df.expr)
    assert gd.from_pandas(whole[:1000]).npartitions == 1
    assert df.groupby("x").y.sum().npartitions > 1


def test_partitions_that_are_kept_go_to_disk():
    whole = pd.DataFrame({"x": np.arange(500_000), "y": 0.5})
    df = gd.from_pandas(whole, npartitions=10)
    with gpuscale.config.set({"memory-limit": "4 MiB"}):
        kept = (df + 1).persist()
        assert kept.x.sum().compute() == (whole.x + 1).sum()
        assert_eq(kept.partitions[3].compute(), whole[150_000:200_000] + 1)


@pytest.mark.parametrize(
    "few",
    [
        lambda df: df.groupby("k").v.mean(),
        lambda df: df.groupby("k").agg(most=("v", "max"), spread=("v", "std")),
        lambda df: df.k.value_counts(sort=False),
        lambda df: df.drop_duplicates("k"),
    ],
)
def test_few_groups_of_more_rows_than_memory_takes(few):
    """What is large is projected; what data decide is measured, and not refused before."""
    whole = pd.DataFrame({"k": np.arange(100_000) % 9, "v": np.arange(100_000) / 2})
    df = gd.from_pandas(whole, npartitions=16)
    with gpuscale.config.set({"memory-limit": "700 KiB"}):
        assert_eq(few(df).compute(), few(whole), rtol=1e-12)
