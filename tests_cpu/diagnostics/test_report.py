"""What the page says; whether a browser shows it is tested in test_report_browser.py."""

import re
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.diagnostics import report_page
from gpuscale.diagnostics.listening import active_listeners
from gpuscale.engines.events import RunFinished, RunStarted, TaskFinished
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import Task

pytest.importorskip("bokeh", exc_type=ModuleNotFoundError)


def body(path):
    """What stands on a page, without the library inside it."""
    text = path.read_text()
    assert text.startswith("<!DOCTYPE html>") and text.endswith("</html>\n")
    return text.split("\n<body>\n<h1>")[1]


def compute_something():
    x = ga.map_blocks(np.sort, ga.ones((40, 40), chunks=10), dtype=float)
    (x + x.mean(axis=0)).compute()


def test_a_page_tells_all_of_it(tmp_path):
    with gpuscale.report(tmp_path / "run.html", title="A <run>"):
        compute_something()
    text = body(tmp_path / "run.html")
    for title in ("Task stream", "Memory", "Critical path", "Time by operation", "Plan"):
        assert f"<h2>{title}</h2>" in text
    assert text.startswith("A &lt;run&gt;</h1>")
    assert "<td>finished</td>" in text
    assert re.search(r"<td>test_report\.py:\d+</td>", text)
    assert "map_blocks" in text or "sort" in text
    assert " src=" not in text and "https://" not in text.split("<script")[0]


def test_it_is_written_where_the_package_is_run_from_its_source(tmp_path, monkeypatch):
    def refuse(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("gpuscale.base.version.version", refuse)
    with gpuscale.report(tmp_path / "run.html"):
        ga.ones(4).sum().compute()
    assert "gpuscale (not installed, but run from its source)" in body(tmp_path / "run.html")


def test_it_tells_what_was_spilled(tmp_path):
    x = ga.random.random((400, 400), chunks=100).map_blocks(np.sort, dtype=float)
    with gpuscale.report(tmp_path / "run.html"):
        (x - x.sum()).sum().compute(memory_limit=8 * x.nbytes // 16)
    text = body(tmp_path / "run.html")
    row = re.search(r"<td>results spilled</td><td>([^<]*)</td>", text)[1]
    assert re.match(r"[\d.]+ [KM]iB in .* on disk; .* read back whole", row)
    assert '"spilled"' in text  # the line of a figure


def test_it_is_written_when_the_computation_fails(tmp_path):
    def wrong(chunk):
        raise ValueError("chunk of <wrong> size")

    with pytest.raises(ValueError, match="wrong"), gpuscale.report(tmp_path / "run.html"):
        ga.map_blocks(wrong, ga.ones(4), dtype=float).compute()
    text = body(tmp_path / "run.html")
    assert "<td>failed: ValueError</td>" in text
    assert "ValueError: chunk of &lt;wrong&gt; size" in text
    assert "in operation wrong" in text
    assert active_listeners() == []


def test_it_is_written_on_ctrl_c(tmp_path):
    with pytest.raises(KeyboardInterrupt), gpuscale.report(tmp_path / "run.html"):
        compute_something()
        raise KeyboardInterrupt
    assert "<td>interrupted</td>" in body(tmp_path / "run.html")


def test_a_real_ctrl_c_shows_what_ran_until_then(tmp_path):
    script = (
        "import signal, sys, time, gpuscale, gpuscale.array as ga\n"
        # Who starts the tests in the background may have made all they start ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def slow(chunk):\n"
        "    print('running', flush=True)\n"
        "    time.sleep(0.3)\n"
        "    return chunk\n"
        "with gpuscale.report(sys.argv[1]):\n"
        "    ga.map_blocks(slow, ga.ones((1000, 8), chunks=(1, 8)), dtype=float).sum().compute()\n"
    )
    path = tmp_path / "run.html"
    command = [sys.executable, "-c", script, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(5):  # tasks have begun
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    text = body(path)
    assert "<td>interrupted</td>" in text
    assert re.search(r"<td>sum</td><td[^>]*>\d+</td>", text)


def test_a_ctrl_c_while_it_is_written_waits_for_it(tmp_path, monkeypatch):
    really = report_page.parts

    def interrupted(report):
        signal.raise_signal(signal.SIGINT)
        return really(report)

    monkeypatch.setattr(report_page, "parts", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), gpuscale.report(tmp_path / "run.html"):
            compute_something()
    finally:
        signal.signal(signal.SIGINT, before)
    assert "<td>finished</td>" in body(tmp_path / "run.html")
    assert active_listeners() == []


def test_who_presses_ctrl_c_twice_has_the_report_all_the_same(tmp_path):
    script = (
        "import signal, sys, time, gpuscale\n"
        "from gpuscale.diagnostics import report_page\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "really = report_page.parts\n"
        "def parts(report):\n"
        "    print('writing', flush=True)\n"
        "    sys.stdin.readline()\n"  # the second one has been sent
        "    return really(report)\n"
        "report_page.parts = parts\n"
        "def task(k):\n"
        "    print('running', flush=True)\n"
        "    time.sleep(0.05)\n"
        "with gpuscale.report(sys.argv[1]):\n"
        "    gpuscale.compute([gpuscale.delayed(task)(k) for k in range(10_000)])\n"
    )
    path = tmp_path / "run.html"
    command = [sys.executable, "-c", script, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        for word in ("running", "writing"):
            while process.stdout.readline().strip() != word:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate("sent\n", timeout=60)
    assert "KeyboardInterrupt" in errors
    assert "<td>interrupted</td>" in body(path)


def test_an_error_that_was_caught_is_told(tmp_path):
    with gpuscale.report(tmp_path / "run.html"), pytest.raises(ZeroDivisionError):
        graph = {"x": Task("x", lambda: 1 // 0)}
        SyncEngine().run(graph, ["x"], listeners=active_listeners())
    assert "<td>finished; a run in it failed</td>" in body(tmp_path / "run.html")


def test_nothing_ran(tmp_path):
    with gpuscale.report(tmp_path / "run.html"):
        pass
    assert "No task ran" in body(tmp_path / "run.html")


def test_register_and_unregister(tmp_path):
    report = gpuscale.report(tmp_path / "run.html")
    report.register()
    compute_something()
    assert not (tmp_path / "run.html").exists()
    report.unregister()
    assert "<td>finished</td>" in body(tmp_path / "run.html")


def test_labels_cannot_break_the_page(tmp_path):
    label = "</script><script>alert('x')</script>"
    with gpuscale.report(tmp_path / "run.html"):
        graph = {("x", k): Task(("x", k), int, label=label) for k in range(3)}
        SyncEngine().run(graph, list(graph), listeners=active_listeners())
    assert label not in (tmp_path / "run.html").read_text()


def test_the_page_of_very_many_tasks_is_small_and_says_so(tmp_path):
    n = 60_000
    report = gpuscale.report(tmp_path / "run.html")
    report.register()
    report(RunStarted(n, 8 * n, 4, 1e9, report.begin, (), ()))
    for k in range(n):
        start = report.begin + 1e-3 * (k // 4)
        report(TaskFinished(("x", k), f"f{k % 40}", k % 4, start, start + 5e-4, 8))
    report(RunFinished(n, 8 * n, report.begin + 15.0))
    report.unregister()
    text = body(tmp_path / "run.html")
    assert len(text) < 1_000_000
    assert re.search(r"60,000 of 60,000 tasks, those shorter than [\d.]+ ms, are merged", text)
    assert "24 other operations" in text


def test_bokeh_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    monkeypatch.setitem(sys.modules, "bokeh.embed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'gpuscale\[report\]'"):
        gpuscale.report(tmp_path / "run.html")


def test_places_where_no_page_can_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        gpuscale.report(tmp_path / "nowhere" / "run.html")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        gpuscale.report(tmp_path)


def test_a_page_is_whole_or_as_it_was(monkeypatch, tmp_path):
    path = tmp_path / "run.html"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *args: 1 // 0)
    with pytest.raises(ZeroDivisionError), gpuscale.report(path):
        compute_something()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_computed_is_not_hidden_by_a_failing_page(monkeypatch, tmp_path):
    def broken(report):
        raise OSError("disk full")

    monkeypatch.setattr(report_page, "parts", broken)
    with (
        pytest.raises(ValueError, match="mine") as caught,
        gpuscale.report(tmp_path / "run.html"),
    ):
        raise ValueError("mine")
    assert "could not be written: OSError('disk full')" in caught.value.__notes__[0]


def test_failures_and_retries_are_listed(tmp_path):
    def wrong(k):
        raise ValueError(f"<never> {k}")

    with gpuscale.annotate(retries=1, backoff=0.0):
        bad = gpuscale.delayed(wrong)(3)
    with gpuscale.report(tmp_path / "run.html"):
        gpuscale.compute(bad + 1, gpuscale.delayed(int)("7"), on_error="continue")
    text = body(tmp_path / "run.html")
    assert "<td>finished; tasks in it failed</td>" in text
    assert "1 of them failed, 1 more did not run, 1 attempts failed and were repeated" in text
    assert "<h2>Failures and retries</h2>" in text
    row = r"<td>wrong</td><td>wrong-[^<]*</td><td>failed</td><td>ValueError: &lt;never&gt; 3</td>"
    assert re.search(row + r'<td class="number">2</td><td>test_report\.py:\d+</td>', text)
    assert "failed, and was tried again" in text


def test_runs_with_limits_and_workers_of_their_own(tmp_path):
    x = ga.map_blocks(np.sort, ga.ones((400, 400), chunks=100), dtype=float)
    with gpuscale.report(tmp_path / "run.html"):
        x.sum().compute(memory_limit="10 MiB", num_workers=1)
        x.sum().compute(memory_limit="20 MiB", num_workers=2)
        x.sum().compute(memory_limit="20 MiB", num_workers=2)
    text = body(tmp_path / "run.html")
    assert "<td>3</td>" in text
    assert "<td>1 in one run, 2 in 2 runs</td>" in text
    assert re.search(
        r"of the memory limit of 10\.0 MiB, in one run; .* of 20\.0 MiB, in 2 runs", text
    )


def test_a_report_has_a_path():
    with pytest.raises(TypeError, match="path is a file for the report, .* not 3"):
        gpuscale.report(3)
