"""The page of a report in a browser: it loads without a complaint and shows the tasks that ran."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.diagnostics.plots import FAILURE, PALETTE, RETRY
from gpuscale.engines.events import RunFinished, RunStarted, TaskFailed, TaskFinished, TaskRetried

pytest.importorskip("bokeh", exc_type=ModuleNotFoundError)

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium; on Debian: apt install chromium"
)


def browse(page, folder, *what):
    """Load a page; return what Chromium prints, and what pages said on its console."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=30000", *what]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout, re.findall(r'CONSOLE:\d+\] "(.*?)", source:', done.stderr, flags=re.DOTALL)


def assert_no_complaint(console):
    assert console, "the library says at least that it is there"
    assert [line for line in console if not re.match(r"\[bokeh [\d.]+\] (set|doc)", line)] == []


def test_a_page_loads_without_errors_and_names_what_ran(tmp_path):
    x = ga.map_blocks(np.sort, ga.ones((400, 400), chunks=100), dtype=float)
    with gpuscale.report(tmp_path / "run.html"):
        (x - x.mean(axis=0)).compute()
    shown, console = browse(tmp_path / "run.html", tmp_path, "--dump-dom")
    assert_no_complaint(console)
    assert 'data-figures="5"' in shown  # all are drawn
    assert re.search(r"<td>sort</td><td[^>]*>16</td>", shown)


def picture(page, folder):
    """Pixels of a page."""
    from PIL import Image  # comes with bokeh

    file = folder / "page.png"
    _, console = browse(page, folder, f"--screenshot={file}", "--window-size=1240,1200")
    assert_no_complaint(console)
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def widths(pixels, *colours):
    """How many pixels of each colour stand in the first line that has many of the first."""
    found = [
        (pixels == [int(colour[k : k + 2], 16) for k in (1, 3, 5)]).all(axis=2).sum(axis=1)
        for colour in colours
    ]
    line = np.flatnonzero(found[0] > 100)[0]
    return [int(count[line]) for count in found]


def test_tasks_are_as_wide_as_they_took(tmp_path):
    report = gpuscale.report(tmp_path / "run.html")
    report.register()
    now = report.begin
    report(RunStarted(3, 24, 1, 1e9, now))
    report(TaskFinished(("slow", 0), "slow", 0, now, now + 3, 8))
    report(TaskFinished(("quick", 0), "quick", 0, now + 3, now + 4.5, 8))
    error = ValueError("wrong")
    report(TaskFailed(("bad", 0), "bad", 0, now + 4.5, now + 5, error))
    report(RunFinished(2, 16, now + 5, error))
    report.unregister()
    pixels = picture(tmp_path / "run.html", tmp_path)
    slow, quick, bad = widths(pixels, PALETTE[0], PALETTE[1], FAILURE)
    assert slow > 300
    assert slow / quick == pytest.approx(2, rel=0.05)
    assert slow / bad == pytest.approx(6, rel=0.1)


def test_a_page_about_nothing_loads_as_well(tmp_path):
    with gpuscale.report(tmp_path / "run.html"):
        pass
    shown, console = browse(tmp_path / "run.html", tmp_path, "--dump-dom")
    assert console == []
    assert "No task ran" in shown


def test_a_page_about_a_client_with_failures_shows_them(tmp_path):
    with gpuscale.report(tmp_path / "run.html"), gpuscale.Client(threads_per_worker=2) as client:
        client.gather(client.map(np.ones, range(20)))
        assert client.submit(divmod, 1, 0, retries=1).exception() is not None
    shown, console = browse(tmp_path / "run.html", tmp_path, "--dump-dom")
    assert_no_complaint(console)
    assert 'data-figures="5"' in shown
    assert "ZeroDivisionError: integer division or modulo by zero" in shown
    assert re.search(r"<td>ones</td><td[^>]*>20</td>", shown)


def test_attempts_that_failed_are_drawn_in_their_colours(tmp_path):
    report = gpuscale.report(tmp_path / "run.html")
    report.register()
    now, error = report.begin, ValueError("wrong")
    report(RunStarted(1, 8, 1, 1e9, now))
    report(TaskFailed(("bad", 0), "bad", 0, now, now + 2, error))
    report(TaskRetried(("bad", 0), "bad", 0, now + 2, 1, 0.0, error))
    report(TaskFailed(("bad", 0), "bad", 0, now + 2, now + 3, error))
    report(RunFinished(0, 0, now + 3, error))
    report.unregister()
    again, bad = widths(picture(tmp_path / "run.html", tmp_path), RETRY, FAILURE)
    assert again / bad == pytest.approx(2, rel=0.05)
