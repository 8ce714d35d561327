"""The benchmarks measure the right thing: implementations agree and the report adds up."""

import math
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import gpuscale as gs
from benchmarks import demo, hand_fused, harness, readme, report, worker, workload
from benchmarks.__main__ import chosen
from benchmarks.limits import Rates, best_time
from benchmarks.memory import PeakMemory, forget_peak, peak_bytes
from benchmarks.workload import OURS, Limit, Seconds, Workload
from benchmarks.workloads import WORKLOADS, clusters, grid_search
from gpuscale.kernels.philox.uniform import uniform

U = np.uint64
EVEN_THEN_ODD = np.r_[0 : hand_fused.TILE : 2, 1 : hand_fused.TILE : 2]


def prepared(item, implementation, folder):
    library = workload.load(item, implementation, 2)
    return item.implementations[implementation](library, item.sizes["quick"], folder)


def with_both():
    oracles = ("numpy", "pandas")
    return [(n, o) for n, w in WORKLOADS.items() for o in oracles if o in w.implementations]


@pytest.mark.parametrize(("name", "oracle"), with_both())
def test_gpuscale_agrees_with_numpy_and_pandas(name, oracle, tmp_path):
    item = WORKLOADS[name]
    if item.files is not None:
        item.files(item.sizes["quick"], tmp_path)
    ours, theirs = (worker.digest(prepared(item, each, tmp_path)()) for each in (OURS, oracle))
    assert harness.agree(ours, theirs, item.same, item.tolerance)


def without():
    compared = {name for name, _ in with_both()}
    return [n for n, w in WORKLOADS.items() if n not in compared and not w.needs]


@pytest.mark.parametrize("name", without())
def test_workloads_without_numpy_run(name, tmp_path):
    item = WORKLOADS[name]
    if item.files is not None:
        item.files(item.sizes["quick"], tmp_path)
    seconds, result = worker.timed(prepared(item, OURS, tmp_path))
    assert seconds > 0
    assert result is None or np.isfinite(result).all()


def test_grid_search_shares_fits_and_finds_the_scores_of_scikit_learn(monkeypatch):
    model_selection = pytest.importorskip("sklearn.model_selection")
    from sklearn.pipeline import Pipeline

    fits = []
    fit = grid_search.fit
    small = {name: values[:2] for name, values in grid_search.GRID.items()}
    monkeypatch.setattr(grid_search, "GRID", small)
    monkeypatch.setattr(grid_search, "fit", lambda *args: fits.append(1) or fit(*args))
    item = WORKLOADS["grid-search"]
    size = item.sizes["quick"]
    ours = item.implementations[OURS](None, size, None)()
    assert len(fits) == 3 * (2 + 4 + 8)
    search = model_selection.GridSearchCV
    serial = SimpleNamespace(GridSearchCV=lambda *args, **k: search(*args, **k | {"n_jobs": 1}))
    steps = []
    monkeypatch.setattr(Pipeline, "_fit", spy(Pipeline._fit, steps))
    with threadpool_limits(1):  # threads of BLAS wait for each other on a machine that is busy
        theirs = item.implementations["scikit-learn"](serial, size, None)()
    assert len(steps) == 3 * 8
    np.testing.assert_array_equal(ours, theirs)


def spy(method, calls):
    def called(self, *args, **kwargs):
        calls.append(1)
        return method(self, *args, **kwargs)

    return called


def headline(n, seed):
    x = uniform(*hand_fused.key_of(seed), np.arange(n * n, dtype=U)).reshape(n, n)
    return (x + x.T) - x.mean(axis=0)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_hand_fused_kernel(paired, threads):
    n, seed = 3 * hand_fused.TILE, 2**35 + 7
    y = headline(n, seed)
    mean, m2 = hand_fused.column_moments(n, seed, paired, threads)
    np.testing.assert_allclose(mean, y.mean(axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(np.sqrt(m2 / n), y.std(axis=0), rtol=1e-12)
    assert hand_fused.total(n, seed, paired, threads) == pytest.approx(y.sum(), rel=1e-12)
    deviations = hand_fused.deviations(n, seed, paired, threads)
    np.testing.assert_allclose(deviations, y.std(axis=0), rtol=1e-12)


def test_hand_fused_kernel_beyond_32_bits_of_blocks():
    n = 100_000
    i0 = 2**33 // n
    j0 = 2**33 % n // hand_fused.TILE * hand_fused.TILE  # the row where block 2**32 begins
    tile = np.empty((hand_fused.TILE, hand_fused.TILE))
    hand_fused.fill_tile(tile, U(i0), U(j0), U(n), hand_fused.key_of(3))
    rows, columns = np.ix_(i0 + EVEN_THEN_ODD, j0 + EVEN_THEN_ODD)
    expected = uniform(*hand_fused.key_of(3), (rows * n + columns).astype(U))
    np.testing.assert_array_equal(tile, expected)


def test_hand_fused_kernel_refuses_other_sizes():
    with pytest.raises(ValueError, match="multiples of 160"):
        hand_fused.deviations(1000)


def test_digests_agree():
    x = np.linspace(1.0, 2.0, 5000)
    one = worker.digest(x)
    assert len(one["sample"]) <= worker.SAMPLE
    assert harness.agree(one, worker.digest(x * (1 + 1e-12)), "values", 1e-9)
    assert not harness.agree(one, worker.digest(x[::-1]), "values", 1e-9)
    assert harness.agree(one, worker.digest(x[::-1]), "mean", 1e-9)
    assert not harness.agree(one, worker.digest(x + 1), "mean", 1e-9)
    assert not harness.agree(one, worker.digest(x.reshape(2, -1)), "values", 1e-9)


def test_own_time_is_taken():
    assert worker.timed(lambda: Seconds(2.5)) == (2.5, None)
    seconds, result = worker.timed(lambda: 7)
    assert 0 <= seconds < 60
    assert result == 7


def test_measure_runs_processes():
    item = WORKLOADS["sum-axis1"]
    results = harness.measure(item, "quick", repeats=2, only=["numpy"])
    measured = results["numpy"]
    assert not measured.problem
    assert len(measured.seconds) == 2
    assert measured.median > 0
    assert measured.peak > measured.above_imports >= 0
    assert measured.digest["shape"] == [300]


FROM_NOTHING = "cluster-start"


def test_workloads_on_clusters_run_as_those_of_dask(tmp_path, monkeypatch):
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    pytest.importorskip("dask.array", exc_type=ModuleNotFoundError)
    items = [w for n, w in WORKLOADS.items() if w.needs == "distributed" and n != FROM_NOTHING]
    with clusters.start(gs) as client, client.cluster:
        monkeypatch.setattr(clusters, "start", lambda library, limit: client)
        for item in items:
            folder = tmp_path / item.name
            if item.files is not None:
                item.files(item.sizes["quick"], folder)
            ours, theirs = (
                worker.digest(prepared(item, each, folder)()) for each in (OURS, "distributed")
            )
            assert harness.agree(ours, theirs, item.same, item.tolerance), item.name


def test_clusters_start_in_processes_that_are_measured():
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    pytest.importorskip("dask.array", exc_type=ModuleNotFoundError)
    results = harness.measure(WORKLOADS[FROM_NOTHING], "quick", repeats=1)
    assert {each: result.problem for each, result in results.items()} == dict.fromkeys(results, "")


def test_failures_are_reported(monkeypatch):
    request = {"workload": "sum-axis1", "implementation": "numpy", "size": "none", "cores": 1}
    assert "KeyError" in harness.call_worker(request, 60)["problem"]
    assert "longer than 0.001 s" in harness.call_worker(request, 0.001)["problem"]
    monkeypatch.setitem(workload.LIBRARIES, "dask", "no_such_library.array")
    results = harness.measure(WORKLOADS["sum-axis1"], "quick", only=["dask"])
    assert results["dask"].problem == "not installed"


def test_disagreement_is_reported():
    results = {
        name: harness.Measurement([1.0], digest=worker.digest(np.full(3, value)))
        for name, value in ((OURS, 1.0), ("dask", 2.0), ("numpy", 1.0))
    }
    harness.mark_disagreement(WORKLOADS["sum-axis1"], results)
    assert results["dask"].problem == "result differs from that of numpy"
    assert not results[OURS].problem


def workload_with_goals():
    return Workload(
        name="w",
        about="of {n}",
        sizes={"full": {"n": 10}},
        implementations={},
        limit=lambda size: Limit(bytes=size["n"]),
        goals={"dask": 4, "numpy": 1},
        peak_goal=400,
        seconds_goal=3,
    )


MACHINE = report.machine(2)


def test_report(tmp_path):
    results = {
        "w": {
            OURS: harness.Measurement([1.0, 2.0, 9.0], peak=500_000_000, above_imports=3_000_000),
            "dask": harness.Measurement([10.0]),
            "numpy": harness.Measurement([1.0]),
            "jax": harness.Measurement(problem="not installed"),
        }
    }
    rates = Rates(bytes=10.0, randoms=1.0, flops=1.0)
    path = report.write(tmp_path, {"w": workload_with_goals()}, "full", results, rates, MACHINE)
    row = next(line for line in path.read_text().splitlines() if line.startswith("| `w`"))
    assert "`w`: of 10" in row
    assert "2 s, 3 MB" in row
    assert "10 s, 0 MB (**5.00x**)" in row
    assert "not installed" in row
    assert "1 s (2.0x)" in row
    assert "4x dask: yes; 1x numpy: **no**" in row
    assert "500 MB in all, under 400: **no**; under 3 s: yes" in row
    assert '"above_imports": 3000000' in path.with_suffix(".json").read_text()


def reported(folder, seconds, **peers):
    """Write a report of one workload; peers by their seconds."""
    measured = {OURS: harness.Measurement([seconds], above_imports=3_000_000)}
    measured |= {name: harness.Measurement([value]) for name, value in peers.items()}
    rates = Rates(bytes=10.0, randoms=1.0, flops=1.0)
    results = {"w": measured}
    path = report.write(folder, {"w": workload_with_goals()}, "full", results, rates, MACHINE)
    return path.with_suffix(".json")


def test_tables_go_into_the_readme(tmp_path):
    older = reported(tmp_path / "older", 1.0)
    newer = reported(tmp_path / "newer", 2.0, dask=10.0)
    path = tmp_path / "README.md"
    path.write_text(f"before\n{readme.START}old\n{readme.END}\nafter\n")
    given = [f"Arrays={older}", f"Arrays={newer}", f"Clusters={older}"]
    for _ in range(2):
        reports = [readme.Titled.parse(text) for text in given]
        readme.into_readme(reports, {"w": workload_with_goals()}, path)
    text = path.read_text()
    assert text.startswith("before") and text.endswith("after\n")
    assert text.count("| `w`: of 10 | 2 s, 3 MB | dask **5.00** | 4x dask: yes;") == 1
    assert text.count("| `w`: of 10 | 1 s, 3 MB |  |") == 1
    assert text.index("### Arrays") < text.index("### Clusters")
    assert "old\n" not in text and text.count(f"results/{older.stem}.md") == 3
    with pytest.raises(ValueError, match=r"'x.json' is not TITLE=REPORT.json"):
        readme.Titled.parse("x.json")


def test_what_was_not_measured_is_no_ratio():
    failed = harness.Measurement(problem="longer than 9 s")
    assert readme.ratio("dask", failed, harness.Measurement([1.0])) == "dask longer than 9 s"
    assert readme.ratio("dask", harness.Measurement([1.0]), failed) == "dask -"
    assert readme.own(failed) == "longer than 9 s"


def test_what_is_slow_runs_once():
    assert not harness.is_slow(harness.Measurement())
    assert not harness.is_slow(harness.Measurement([worker.PATIENCE / 2]))
    assert harness.is_slow(harness.Measurement([2 * worker.PATIENCE]))


def test_rates():
    rates = Rates(bytes=2.0, randoms=4.0, flops=8.0)
    assert rates.seconds(Limit(bytes=4, randoms=4)) == 2.0
    assert rates.seconds(Limit()) == 0.0
    assert best_time(lambda core: time.sleep(0.01), 2) >= 0.01


def test_peak_memory_is_seen():
    with PeakMemory() as memory:
        block = np.ones(20_000_000)
        time.sleep(0.1)
        del block
    assert memory.peak >= 160_000_000
    forget_peak()
    assert peak_bytes() > 1_000_000


def test_choice_of_workloads():
    assert [w.name for w in chosen(["matmul", "std"], huge=False)] == ["matmul", "std"]
    assert all(not w.on_request for w in chosen([], huge=False))
    assert len(chosen([], huge=True)) == sum(not w.on_device for w in WORKLOADS.values())
    with pytest.raises(SystemExit, match="no workload named sums"):
        chosen(["sums"], huge=False)


def test_demo(monkeypatch, capsys, tmp_path):
    arguments = ["demo", "--size", "500", "--file-size", "1100", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    demo.main()
    said = capsys.readouterr().out
    assert "all 500 deviations within" in said
    assert said.count("all 1,100 deviations equal to NumPy's") == 2
    assert said.count("peak memory") == 3
    assert not list(tmp_path.iterdir())


def test_demo_needs_room(tmp_path):
    with (
        pytest.raises(SystemExit, match="GB free"),
        demo.temporary_folder(tmp_path, 10**18),
    ):
        raise AssertionError("there is no such disk")


def test_reference_of_demo(tmp_path):
    demo.write_files(tmp_path, 1300)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    y = (x + x.T) - x.mean(axis=0)
    np.testing.assert_allclose(demo.reference(x), y.std(axis=0), rtol=1e-12)
    assert math.isclose(float(x.mean()), 0.5, abs_tol=0.01)
