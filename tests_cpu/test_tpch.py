"""The 22 queries of TPC-H, by frames of several partitions, give the answers of DuckDB."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from benchmarks.tpch import answers, data
from benchmarks.tpch.queries import QUERIES
from gpuscale.dataframe.api import merging

SCALE = 0.01


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("tpch")
    data.generate(SCALE, found, row_group=20_000)
    return found


def check(number, folder):
    tables = data.read(gd, folder, split_row_groups=True)
    options = {"fraction": 0.0001 / SCALE} if number == 11 else {}
    result = QUERIES[number](tables, **options)
    found = result if isinstance(result, pd.DataFrame) else result.compute()
    expected = answers.answer(number, folder, SCALE)
    if not isinstance(found, pd.DataFrame):
        found = pd.DataFrame([[found]])
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True),
        expected.set_axis(found.columns, axis=1),
        check_dtype=False,
        check_column_type=False,
        rtol=1e-9,
    )


@pytest.mark.parametrize("number", QUERIES)
def test_answers_are_those_of_duckdb(number, folder):
    check(number, folder)


@pytest.mark.parametrize("number", [3, 13, 16, 18])
def test_so_are_those_by_shuffled_merges(number, folder, monkeypatch):
    monkeypatch.setattr(merging, "SMALL", 0)
    check(number, folder)
