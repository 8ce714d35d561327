"""Profilers draw themselves; how it looks in a browser is tested with the report."""

import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.diagnostics import CacheProfiler, Profiler, ResourceProfiler, visualize
from gpuscale.diagnostics.plots import FAILURE, RETRY

pytest.importorskip("bokeh", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="module")
def profilers():
    with Profiler() as prof, ResourceProfiler(dt=0.01) as rprof, CacheProfiler() as cprof:
        ga.map_blocks(abs, ga.ones((40, 40), chunks=10), dtype=float).sum().compute()
    return prof, rprof, cprof


def test_several_share_one_axis_of_time(profilers, tmp_path):
    drawn = visualize(profilers, tmp_path / "profile.html", show=False)
    assert len(drawn.children) == 3
    assert len({figure.x_range.id for figure in drawn.children}) == 1
    text = (tmp_path / "profile.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert " src=" not in text.split("\n<body>\n<h1>")[1]  # nothing is loaded from elsewhere


@pytest.mark.parametrize("which", range(3))
def test_each_draws_itself(profilers, which, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawn = profilers[which].visualize(show=False, height=200)
    assert drawn.height == 200
    assert (tmp_path / "profile.html").exists()


def test_it_opens_a_browser_if_asked(profilers, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    profilers[0].visualize(filename=tmp_path / "p.html")
    assert opened == [(tmp_path / "p.html").as_uri()]
    profilers[0].visualize(filename=tmp_path / "q.html", save=False, show=False)
    assert not (tmp_path / "q.html").exists()


@pytest.mark.parametrize("kind", [Profiler, ResourceProfiler, CacheProfiler])
def test_nothing_recorded(kind, tmp_path):
    visualize(kind(), tmp_path / "p.html", show=False)
    with pytest.raises(ValueError, match="no profiler"):
        visualize([])


def test_failures_of_a_profiler_are_drawn():
    with gs.annotate(retries=1, backoff=0.0):
        bad = gs.delayed(divmod)(1, 0)
    with Profiler() as prof:
        gs.compute(bad, gs.delayed(int)("7"), on_error="continue")
    drawn = visualize(prof, show=False, save=False)
    (source,) = [each.data_source.data for each in drawn.renderers]
    assert sorted(source["operation"]) == ["divmod", "divmod", "int"]
    fills = dict(zip(source["outcome"], source["fill"], strict=True))
    assert {FAILURE, RETRY} <= set(source["fill"])
    assert fills["finished"] not in (FAILURE, RETRY)
