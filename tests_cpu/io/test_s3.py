"""Datasets in S3, against a server on this machine."""

import os
import socket

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

REASON = "needs s3fs and moto[server], which the extra dev brings"
pytest.importorskip("s3fs", reason=REASON)
server = pytest.importorskip("moto.server", reason=REASON)

PDF = pd.DataFrame({"x": range(12), "y": [k / 4 for k in range(12)], "k": list("abc") * 4})


@pytest.fixture(scope="module")
def options():
    """Run a server, and return what reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = server.ThreadedMotoServer("127.0.0.1", port, verbose=False)
    running.start()
    keys = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "1",
    }
    before = {name: os.environ.get(name) for name in keys}
    os.environ.update(keys)
    import s3fs

    found = {"endpoint_url": f"http://127.0.0.1:{port}"}
    s3fs.S3FileSystem(**found).mkdir("bucket")
    yield found
    running.stop()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def test_parquet(options):
    df = gd.from_pandas(PDF, npartitions=3)
    df.to_parquet("s3://bucket/x", storage_options=options)
    again = gd.read_parquet("s3://bucket/x", storage_options=options, split_row_groups=False)
    assert again.npartitions == 3
    assert_eq(again, PDF)
    assert_eq(again[again.x > 9].y, PDF[PDF.x > 9].y)
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        df.to_parquet("s3://bucket/x", storage_options=options)
    df.to_parquet("s3://bucket/x", storage_options=options, append=True)
    assert len(gd.read_parquet("s3://bucket/x", storage_options=options)) == 24
    df.to_parquet("s3://bucket/x", storage_options=options, overwrite=True, partition_on="k")
    found = gd.read_parquet("s3://bucket/x", storage_options=options)
    assert_eq(found[found.k == "b"].x.sum(), PDF[PDF.k == "b"].x.sum())


def test_csv(options):
    df = gd.from_pandas(PDF, npartitions=3)
    df.to_csv("s3://bucket/text/x-*.csv", storage_options=options, index=False)
    again = gd.read_csv("s3://bucket/text/*.csv", blocksize=20, storage_options=options)
    assert again.npartitions > 3
    assert again.compute().reset_index(drop=True).equals(PDF)
    df.to_csv("s3://bucket/one.csv", storage_options=options, index=False)
    assert_eq(gd.read_csv("s3://bucket/one.csv", storage_options=options).x.sum(), 66)
