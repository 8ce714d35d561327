"""Checkpoints: a program that was killed goes on where it was."""

import os
import pickle
import runpy
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import CheckpointError

PROGRAM = """
import sys, time
import gpuscale as gs, gpuscale.array as ga

def note(value):
    with open(sys.argv[2], "a") as log:
        log.write("x")
    time.sleep(0.02)
    return value

def work(chunk):
    return note(chunk * 2)

def call(k):
    return note({"k": k})

x = ga.arange(40, chunks=5).map_blocks(work, dtype=int)
calls = [gs.delayed(call)(k) for k in range(8)]
x, calls = gs.persist(x, calls, path=sys.argv[1], num_workers=2)
results = gs.compute(x, calls)
"""

counted = []


def counting(chunk):
    counted.append(1)
    return chunk + 1


def count(k):
    counted.append(k)
    return k


@pytest.fixture(autouse=True)
def forget():
    counted.clear()


def fresh():
    x = ga.arange(12, chunks=3).map_blocks(counting, dtype=int)
    counted.clear()  # of the trial
    return x


def log_length(log):
    return log.stat().st_size if log.exists() else 0


def test_a_killed_program_goes_on_where_it_was(tmp_path, monkeypatch):
    program, folder, log = tmp_path / "program.py", tmp_path / "kept", tmp_path / "log"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(folder), str(log)]
    environment = os.environ | {"PYTHONPATH": str(Path(gs.__file__).parents[1])}
    first = subprocess.Popen(command, env=environment, start_new_session=True)
    while log_length(log) < 11:
        time.sleep(0.002)
        assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    files = [name for _, _, names in os.walk(folder) for name in names]
    whole = sum(not name.startswith(".") for name in files)
    before = log_length(log)
    monkeypatch.setattr(sys, "argv", command[1:])
    x, calls = runpy.run_path(str(program), run_name="__main__")["results"]
    assert 0 < log_length(log) - before <= 16 - whole
    assert calls == [{"k": k} for k in range(8)]
    np.testing.assert_array_equal(x, np.arange(40) * 2)


def test_only_missing_chunks_are_computed(tmp_path):
    x = gs.checkpoint(fresh(), tmp_path)
    np.testing.assert_array_equal(x[:5].compute(), np.arange(1, 6))
    assert len(counted) == 2
    np.testing.assert_array_equal((x * 2).compute(), np.arange(1, 13) * 2)
    assert len(counted) == 4
    np.testing.assert_array_equal(gs.checkpoint(fresh(), tmp_path).compute(), np.arange(1, 13))
    assert counted == []


@pytest.mark.parametrize("engine", ["threads", "sync"])
def test_persisted_on_disk_is_read_when_needed(tmp_path, engine):
    x = fresh().persist(path=tmp_path, engine=engine)
    assert len(counted) == 4
    np.testing.assert_array_equal(x[2::4].compute(), np.arange(1, 13)[2::4])
    (folder,) = tmp_path.iterdir()
    os.remove(folder / "3.npy")
    assert x[:9].sum().compute() == 45 and len(counted) == 4
    with pytest.raises(CheckpointError, match="gone"):
        x.compute()
    assert fresh().persist(path=tmp_path).sum().compute() == 78 and len(counted) == 1


def test_delayed_values(tmp_path):
    call = gs.delayed(count)
    kept = gs.persist([call(k) for k in range(3)], path=tmp_path)[0]
    assert counted == [0, 1, 2]
    assert gs.compute(kept, kept[0] + kept[2]) == ([0, 1, 2], 2)
    lazy = gs.checkpoint({k: call(k) for k in range(1, 5)}, tmp_path)
    assert counted == [0, 1, 2]
    assert gs.compute(lazy, sum(lazy.values())) == ({k: k for k in range(1, 5)}, 10)
    assert sorted(counted) == [0, 1, 2, 3, 4]
    assert call(5).persist(path=tmp_path).compute() == 5


def test_kept_arrays_have_the_layout_that_they_had(tmp_path):
    made = gs.delayed(np.ones)((3, 4), order="F")
    for value in (made.persist(path=tmp_path), gs.checkpoint(made, tmp_path)):
        assert value.compute().flags.f_contiguous
        assert gs.delayed(np.ravel)(value, order="K").compute().shape == (12,)


def test_changed_data_of_a_module_are_noticed_as_submit_notices_them(tmp_path, monkeypatch):
    settings = types.ModuleType("settings")
    settings.X = 1

    def read():
        return settings.X

    with gs.Client(threads_per_worker=1) as client:
        for settings.X in (1, 2, [3]):
            kept = gs.delayed(read)().persist(path=tmp_path).compute()
            assert kept == client.submit(read).result() == settings.X


def test_what_is_behind_a_kept_value_is_not_computed(tmp_path):
    def made():
        return gs.checkpoint(gs.delayed(np.sum)(fresh()), tmp_path) + 1

    assert made().compute() == 79
    counted.clear()
    assert made().compute() == 79 and counted == []


def test_copies_of_what_is_made_of_a_kept_value(tmp_path):
    kept = gs.checkpoint(gs.delayed(abs)(-3), tmp_path)
    more = kept + 1
    before = pickle.dumps((kept, more))
    assert more.compute() == 4
    for copied, copied_more in (pickle.loads(before), pickle.loads(pickle.dumps((kept, more)))):
        for values in (kept, copied_more), (copied_more, kept), (copied, more), (more, copied):
            assert sorted(gs.compute(*values)) == [3, 4]
        gs.persist(copied_more, path=tmp_path)
        files = {*tmp_path.iterdir()}
        gs.persist(more, path=tmp_path)
        assert {*tmp_path.iterdir()} == files


def test_checkpoints_of_checkpoints(tmp_path):
    def made():
        first = gs.checkpoint(fresh(), tmp_path)
        second = gs.checkpoint(gs.delayed(count)(1), tmp_path)
        return gs.checkpoint((first * ga.from_delayed(second, (), int)).sum(), tmp_path)

    assert made().compute() == 78
    counted.clear()
    names = sorted(os.listdir(tmp_path))
    assert made().compute() == 78 and counted == [] and sorted(os.listdir(tmp_path)) == names


def test_shapes_that_no_one_knows_before(tmp_path):
    x = fresh()
    kept = x[x > 4].persist(path=tmp_path)
    assert kept.shape == (8,) and kept.sum().compute() == sum(range(5, 13))
    lazy = gs.checkpoint(x[x > 4], tmp_path)
    assert lazy.sum().compute() == sum(range(5, 13))


@pytest.mark.parametrize(
    "x",
    [
        ga.asarray(np.ma.array([1, 2, 3], mask=[0, 1, 0])),
        ga.asarray(np.array([1, "x", None], object)),
        ga.asarray(np.array(["2020-01-01", "NaT"], "M8[D]")),
        ga.ones((3, 0), chunks=1),
        ga.asarray(5),
    ],
)
def test_any_array(tmp_path, x):
    for kept in (gs.checkpoint(x, tmp_path), x.persist(path=tmp_path)):
        np.testing.assert_array_equal(kept.compute(), x.compute())


def test_names(tmp_path):
    lock = threading.Lock()
    call = gs.delayed(lambda lock: count(1))(lock)
    with pytest.raises(CheckpointError, match="lock.*name="):
        gs.checkpoint(call, tmp_path)
    assert gs.checkpoint(call, tmp_path, name="one").compute() == 1
    assert gs.checkpoint(gs.delayed(lambda: 2)(), tmp_path, name="one").compute() == 1
    x = ga.arange(6, chunks=3)
    x.persist(path=tmp_path, name="x")
    assert gs.checkpoint(x + 1, tmp_path, name="x").compute().tolist() == list(range(6))
    assert gs.checkpoint(x.rechunk(2) + 1, tmp_path, name="x").compute()[0] == 1
    for name in ("a/b", "", ".x", 5):
        with pytest.raises(CheckpointError, match="letters"):
            gs.checkpoint(x, tmp_path, name=name)
    with pytest.raises(CheckpointError, match="one collection"):
        gs.checkpoint([x, call], tmp_path, name="both")
    with pytest.raises(TypeError, match="path="):
        x.persist(name="x")


def test_nothing_to_keep(tmp_path):
    with pytest.raises(TypeError, match="nothing lazy"):
        gs.checkpoint([1, 2], tmp_path)


def test_errors_leave_what_is_finished(tmp_path):
    def fails(chunk):
        if chunk[0] == 6:
            raise ValueError("at six")
        return counting(chunk)

    x = ga.arange(12, chunks=3).map_blocks(fails, dtype=int, meta=np.empty(0, int))
    counted.clear()
    with pytest.raises(ValueError, match="at six"):
        x.persist(path=tmp_path, num_workers=1)
    (folder,) = tmp_path.iterdir()
    assert len(os.listdir(folder)) == len(counted) > 0


def test_zarr_arrays_are_known_by_the_times_of_their_files(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    path, kept = tmp_path / "x.zarr", tmp_path / "kept"

    def total():
        return int((ga.from_zarr(path) + 1).persist(path=kept).sum().compute())

    ga.to_zarr(ga.ones(4, dtype=int, chunks=2), path)
    assert [total(), total(), len(os.listdir(kept))] == [8, 8, 1]
    ga.to_zarr(ga.full(4, 3, chunks=2), path, overwrite=True)
    assert total() == 16
    zarr.open_array(path)[:2] = 5
    assert total() == 20
    stored = zarr.create_array(zarr.storage.MemoryStore(), shape=(4,), dtype="i8")
    with pytest.raises(CheckpointError, match="nobody knows when .* name="):
        ga.from_zarr(stored).persist(path=kept)
    assert ga.from_zarr(stored).persist(path=kept, name="zeros").sum().compute() == 0


@pytest.mark.parametrize("keep", [gs.persist, gs.checkpoint])
def test_a_folder_has_a_name(keep):
    with pytest.raises(TypeError, match="path is a folder .* not 5"):
        keep(ga.ones(3), path=5)
    with pytest.raises(CheckpointError, match="'' names none"):
        keep(ga.ones(3), path="")
