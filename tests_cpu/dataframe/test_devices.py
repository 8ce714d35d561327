"""Which library has the rows: what is asked for, what meets, what is refused."""

import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.backends.creation import device_memory, is_on_device
from gpuscale.base.errors import BackendError, NotSupportedError
from gpuscale.dataframe.api.moving import placed
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.testing import fake_device
from gpuscale.testing.frames import assert_eq
from gpuscale.testing.pieces import RecordedPieces

PDF = pd.DataFrame({"x": [1, 2, 3, 4], "y": [0.5, None, 1.5, 2.5], "n": list("abab")})


@pytest.fixture
def df():
    with fake_device.active():
        yield gd.from_pandas(PDF, npartitions=2, backend="fake")


def test_rows_are_where_they_were_asked_for(df):
    assert df.expr.meta.backend == "fake"
    types = []
    df.map_partitions(lambda part: types.append(type(part)) or part, meta=PDF).compute(
        engine="sync"
    )
    assert {kind.__module__ for kind in types} == {"gpuscale.testing.fake_device.frames"}
    assert_eq(df, PDF)
    assert df.to_backend("pandas").expr.meta.backend == "pandas"
    assert df.to_backend("fake") is not df and df.to_backend("fake").expr is df.expr
    with gpuscale.config.set({"dataframe.backend": "fake"}):
        assert gd.from_pandas(PDF, npartitions=2).expr is df.expr
        assert gd.from_dict({"x": [1]}, 1).expr.meta.backend == "fake"
        assert gd.from_pandas(PDF, 2, backend="pandas").expr.meta.backend == "pandas"


def test_readers_put_rows_there_and_read_what_is_wanted(df, tmp_path):
    df.to_parquet(tmp_path / "x")
    df.to_csv(tmp_path / "x-*.csv", index=False)
    for found in (
        gd.read_parquet(tmp_path / "x", backend="fake"),
        gd.read_csv(tmp_path / "x-*.csv", backend="fake"),
    ):
        assert found.expr.meta.backend == "fake"
        chosen = found[found.x > 2].n
        assert chosen.compute(engine="sync").tolist() == ["a", "b"]
    pieces = RecordedPieces(PDF, 2)
    recorded = placed(ReadPieces(pieces, None, ()), "fake")
    assert recorded[recorded.x > 2].y.sum().compute(engine="sync") == 4.0
    assert {(columns, predicate) for columns, predicate in pieces.reads} == {
        (("y",), (("x", ">", 2),))
    }


FILES = {
    "parquet": lambda f, path: f.to_parquet(path, row_group_size=2),
    "orc": lambda f, path: f.to_orc(path),
    "json": lambda f, path: f.to_json(path, orient="records", lines=True),
}


def on_device_and_host(kind, path, **options):
    """What a reader makes of a file on the device and on the host, and how often rows moved."""
    read, found = getattr(gd, f"read_{kind}"), []
    for backend in ("fake", "pandas"):
        try:
            fake_device.TRANSFERS.clear()
            found.append(read(path, backend=backend, **options).compute(engine="sync"))
        except ValueError as error:
            found.append(str(error))
        if backend == "fake":
            moved = fake_device.TRANSFERS.calls("from_pandas")
    return *found, moved


@pytest.mark.parametrize("kind", FILES)
def test_the_device_reads_by_itself(df, tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    pdf = PDF.set_index(pd.RangeIndex(3, 11, 2, name="k")) if kind == "parquet" else PDF
    FILES[kind](pdf, path)
    there, here, moved = on_device_and_host(kind, path)
    assert_eq(there, here)
    assert_eq(here, pdf)
    assert moved == 0
    read = getattr(gd, f"read_{kind}")(path, backend="fake")
    fake_device.TRANSFERS.clear()
    for mask in (lambda f: f.x > 2, lambda f: f.y != 0.5, lambda f: f.n.isin(["b"])):
        assert_eq(read[mask(read)][["y", "n"]], pdf[mask(pdf)][["y", "n"]])
    assert_eq(read[read.x > 1].groupby("n").y.sum(), pdf[pdf.x > 1].groupby("n").y.sum())
    assert_eq(read.y.max(), pdf.y.max())
    if kind != "parquet":  # of which texts that are keys alone are read as categories
        assert fake_device.TRANSFERS.calls("from_pandas") == 0


OTHERS = {
    "categories": PDF.assign(n=PDF.n.astype("category")),
    "index": PDF.set_index("n"),
    "labels": PDF.rename_axis(columns="what"),
    "nulls": PDF.assign(x=pd.array([1, None, 3, 4], "Int64")),
    "times of a zone": PDF.assign(x=pd.date_range("2024", periods=4, tz="UTC")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_device_has_in_other_words_the_host_reads(df, tmp_path, name):
    frame = OTHERS[name]
    frame.to_parquet(tmp_path / "x")
    options = {"dtype_backend": "numpy_nullable"} if name == "nulls" else {}
    there, here, moved = on_device_and_host("parquet", tmp_path / "x", **options)
    assert_eq(there, here)
    assert moved > 0


def test_what_is_wrong_with_files_is_told_by_the_host(df, tmp_path):
    PDF.assign(x=pd.array([1, None, 3, 4], "Int64")).to_orc(tmp_path / "x.orc")
    there, here, _ = on_device_and_host("orc", tmp_path / "x.orc")
    assert there == here and "column 'x' has nulls" in here
    (tmp_path / "x.json").write_text('{"x": 1}\n{"x": 2}\n{"x": 0.5}\n')
    there, here, _ = on_device_and_host("json", tmp_path / "x.json", blocksize=9, sample=5)
    assert there == here and "line" in here and "'x' is float64" in here
    PDF.to_parquet(tmp_path / "x.parquet")
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    content[4:60] = b"\xff" * 56
    (tmp_path / "x.parquet").write_bytes(content)
    there, here, _ = on_device_and_host("parquet", tmp_path / "x.parquet")
    assert there == here and "cannot be read" in here


def test_frames_of_two_libraries_do_not_meet(df):
    host = gd.from_pandas(PDF, npartitions=2, backend="pandas")
    for meet in (
        lambda: df.x + host.x,
        lambda: df[host.x > 1],
        lambda: df.assign(z=host.x),
        lambda: gd.concat([df, host]),
        lambda: df.merge(host, on="x"),
    ):
        with pytest.raises(BackendError, match=r"fake|pandas.*to_backend"):
            meet()
    assert_eq(df.x + host.x.to_backend("fake"), PDF.x + PDF.x)


def test_data_of_the_host_inside_of_a_function_is_refused(df):
    mixed = df.x.map_partitions(lambda x: x + pd.Series([1, 2]), meta=("x", "int64"))
    with pytest.raises(TypeError, match="lies on the host"):
        mixed.compute(engine="sync")
    for function in (len, pd.Series):
        implicit = df.x.map_partitions(lambda x, f=function: f(x), meta=("x", "int64"))
        if function is pd.Series:
            with pytest.raises(TypeError):
                implicit.compute(engine="sync")


def test_what_cudf_has_not_says_what_to_do(df):
    with pytest.raises(NotSupportedError, match="extractall.*to_backend"):
        df.n.str.extractall("(a)").compute(engine="sync")
    assert len(df.to_backend("pandas").n.str.extractall("(a)").compute(engine="sync")) == 2


def test_names_that_there_are_not():
    with pytest.raises(BackendError, match="did you mean 'cudf'"):
        gd.from_pandas(PDF, npartitions=1, backend="cdf")
    with pytest.raises(BackendError, match="takes a name, not 3"):
        gd.from_pandas(PDF, npartitions=1, backend=3)
    with pytest.raises(BackendError, match="there is no backend 'cudf'"):
        import gpuscale.array as ga

        ga.ones(3, backend="cudf")


def test_planning_needs_no_device():
    planned = gd.from_pandas(PDF, npartitions=2, backend="cudf").groupby("n").x.sum()
    assert planned.expr.meta.backend == "cudf" and is_on_device("cudf")
    assert "on the device" in str(planned.explain())
    assert device_memory("pandas") is None
