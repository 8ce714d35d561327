"""Tables of databases are read as pandas reads them, and written whole or not at all."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

sa = pytest.importorskip("sqlalchemy", reason="needs the extra sql")

PDF = pd.DataFrame(
    {"y": [k / 4 for k in range(20)], "name": list("abcde") * 4, "order": range(20)},
    index=pd.Index(range(0, 60, 3), name="id"),
)


@pytest.fixture
def uri(tmp_path):
    found = f"sqlite:///{tmp_path}/x.db"
    engine = sa.create_engine(found)
    PDF.to_sql("numbers", engine)
    engine.dispose()
    return found


def test_tables(uri):
    df = gd.read_sql_table("numbers", uri, "id", npartitions=4)
    assert df.npartitions == 4
    assert df.divisions[0] == 0 and df.divisions[-1] == 57
    assert_eq(df, PDF)
    assert_eq(df[df.name == "b"].y.sum(), PDF[PDF.name == "b"].y.sum())
    assert_eq(gd.read_sql("numbers", uri, "id", columns=["order"]), PDF[["order"]])
    assert_eq(gd.read_sql_table("numbers", uri, "id", divisions=[0, 3, 30, 57]), PDF)


def test_a_relative_path_is_that_of_the_program(uri, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    df = gd.read_sql_table("numbers", "sqlite:///x.db", "id", npartitions=2)
    monkeypatch.chdir(tmp_path / "there")  # as workers may be
    assert_eq(df, PDF)
    assert list((tmp_path / "there").iterdir()) == []


def test_queries(uri):
    query = "SELECT id, y * 2 AS twice FROM numbers WHERE id > 10;"
    expected = pd.DataFrame({"twice": PDF.y[PDF.index > 10] * 2})
    assert_eq(gd.read_sql_query(query, uri, "id", npartitions=3), expected)
    table = sa.table("numbers", sa.column("id"), sa.column("y"))
    select = sa.select(table).where(table.c.id < 10)
    assert_eq(gd.read_sql(select, uri, "id", npartitions=2), PDF[PDF.index < 10][["y"]])


def test_dates(uri):
    pdf = PDF.set_index(pd.date_range("2024", periods=20, unit="us", name="when"))
    gd.from_pandas(pdf, npartitions=2).to_sql("days", uri)
    df = gd.read_sql_table("days", uri, "when", npartitions=3, parse_dates=["when"])
    assert_eq(df, pdf, check_freq=False)


def test_no_rows(uri):
    gd.from_pandas(PDF[:0], npartitions=1).to_sql("empty", uri)
    assert len(gd.read_sql_table("empty", uri, "id").compute()) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"divisions": [0, 30]}, "leave out rows, since values of 'id' go from 0 to 57"),
        (
            {"index_col": "name", "npartitions": 2},
            "ranges of str cannot be made .* pass divisions=",
        ),
    ],
)
def test_ranges_that_cannot_be(uri, options, message):
    with pytest.raises(ValueError, match=message):
        gd.read_sql_table("numbers", uri, **{"index_col": "id", **options})


def test_rows_without_a_place_and_surprises(uri):
    engine = sa.create_engine(uri)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO numbers VALUES (100, 1, 'x', 1.5)"))
    df = gd.read_sql_table("numbers", uri, "id", npartitions=2, head_rows=5)
    with pytest.raises(ValueError, match="id from .* to 100: column 'order' is float64 here"):
        df.compute()
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO numbers VALUES (NULL, 1, 'x', 1)"))
    engine.dispose()
    with pytest.raises(ValueError, match="1 rows have no value of 'id'"):
        gd.read_sql_table("numbers", uri, "id")


def test_writing(uri):
    df = gd.from_pandas(PDF, npartitions=3)
    with pytest.raises(ValueError, match="Table 'numbers' already exists"):
        df.to_sql("numbers", uri)
    df.to_sql("numbers", uri, if_exists="append")
    assert len(gd.read_sql_table("numbers", uri, "id")) == 40
    df.y.to_sql("numbers", uri, if_exists="replace")
    assert_eq(gd.read_sql_table("numbers", uri, "id"), PDF[["y"]])
    with pytest.raises(TypeError, match="con is the URI"):
        gd.read_sql_table("numbers", sa.create_engine(uri), "id")
    with pytest.raises(TypeError, match="index_col= names the column"):
        gd.read_sql("SELECT * FROM numbers", uri)


def failing(part):
    if 30 in part.index:
        raise RuntimeError("no")
    return part


def test_a_run_that_fails_leaves_nothing(uri):
    df = gd.from_pandas(PDF, npartitions=4).map_partitions(failing, meta=PDF.iloc[:0])
    with pytest.raises(RuntimeError, match="no"):
        df.to_sql("others", uri)
    engine = sa.create_engine(uri)
    assert sa.inspect(engine).get_table_names() == ["numbers"]
    engine.dispose()
