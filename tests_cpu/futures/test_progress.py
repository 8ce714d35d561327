import io
import sys
import time

import pytest

import gpuscale as gs


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


def test_a_bar_ends_when_all_are_done(client):
    out = io.StringIO()
    futures = client.map(abs, range(10))
    gs.progress({"all": futures}, futures[0], out=out)
    assert all(future.done() for future in futures)
    assert "10/10" in out.getvalue().split("\r")[-1]
    assert out.getvalue().endswith("\n")


def test_a_log_gets_few_lines(client):
    out = io.StringIO()
    gs.progress(client.map(abs, range(200)), out=out)
    assert "\r" not in out.getvalue()
    assert "200/200" in out.getvalue().splitlines()[-1]
    assert len(out.getvalue().splitlines()) < 10


def test_what_raised_is_counted_and_not_raised(client):
    out = io.StringIO()
    gs.progress(client.map(lambda n: 1 // n, range(3)), out=out)
    assert "1 without a result" in out.getvalue()


def test_it_waits_without_a_terminal_too(client, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    future = client.submit(time.sleep, 0.05)
    assert gs.progress(future) is None
    assert future.done()
    assert sys.stderr.getvalue() == ""


def test_a_terminal_shows_the_bar(client, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    gs.progress(client.submit(abs, -1))
    assert "1/1" in sys.stderr.getvalue()


def test_no_futures():
    out = io.StringIO()
    gs.progress([], out=out)
    assert "0/0" in out.getvalue() or "0it" in out.getvalue() or "0 tasks" in out.getvalue()


def test_what_has_no_futures_is_refused():
    for value in (5, "text"):
        with pytest.raises(TypeError, match="progress takes futures of clients, .* not (int|str)"):
            gs.progress(value)


def test_a_bar_of_a_block_is_another_name():
    with pytest.raises(TypeError, match=r"with gpuscale\.diagnostics\.ProgressBar\(\)"):
        gs.progress()
