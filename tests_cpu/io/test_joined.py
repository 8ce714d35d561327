"""Many small files in few pieces, against pandas."""

import pickle

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.testing.frames import assert_eq

FILES = 20


@pytest.fixture
def frames(tmp_path):
    made = []
    for k in range(FILES):
        texts = pd.Series(["a"] * (k % 4), dtype="str")
        frame = pd.DataFrame({"x": np.arange(k % 4), "s": texts, "y": k + 0.5})
        frame.to_csv(tmp_path / f"{k:02d}.csv", index=False)
        frame.to_json(tmp_path / f"{k:02d}.json", orient="records", lines=True)
        made.append(frame)
    return [made[3], *made[:3], *made[4:]]


def read(path, kind, **options):
    names = [path / f"{k:02d}.{kind}" for k in (3, 0, 1, 2, *range(4, FILES))]
    return (gd.read_csv if kind == "csv" else gd.read_json)([*map(str, names)], **options)


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_rows_in_fewer_partitions(frames, tmp_path, kind, workers):
    options = {"lines": True} if kind == "json" else {}
    with config.set({"num-workers": workers}):
        lazy = read(tmp_path, kind, **options)
    assert workers <= lazy.npartitions < FILES / 2
    expected = pd.concat(frames, ignore_index=True)
    assert_eq(lazy.reset_index(drop=True), expected)
    assert_eq(lazy[lazy.x > 0].y.sum(), expected[expected.x > 0].y.sum())
    assert_eq(pickle.loads(pickle.dumps(lazy)).s.reset_index(drop=True), expected.s)
    assert lazy.index.compute(engine="sync")[0] == 0


def test_who_says_a_size_gets_it(frames, tmp_path):
    assert read(tmp_path, "csv", blocksize=None).npartitions == FILES
    assert read(tmp_path, "csv", blocksize="1 MiB").npartitions == FILES
    assert gd.read_csv(str(tmp_path / "0*.csv")).npartitions == 10  # few files


def test_errors_name_the_file(frames, tmp_path):
    (tmp_path / "11.csv").write_text("x,s,y\n1,a,1.5\nlate,a,1.5\n")
    with pytest.raises(ValueError, match=r"11\.csv, line 3: column 'x'"):
        read(tmp_path, "csv").compute(engine="sync")
