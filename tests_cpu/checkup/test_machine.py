import errno
import os
import re
from pathlib import Path

import pytest

from gpuscale.base import config
from gpuscale.base.options import Option
from gpuscale.checkup import machine as looking
from gpuscale.checkup.machine import look_at_folder, look_at_machine, read_limits
from gpuscale.memory.limits import total_memory

GIB = 1 << 30


def test_this_machine(tmp_path):
    kernels = tmp_path / "kernels"
    kernels.mkdir(mode=0o700)
    (kernels / "one.kernel").write_bytes(b"12345")
    (kernels / "two.sm_90.ptx").write_bytes(b"67")
    (kernels / ".new1").write_bytes(b"half")
    options = {"codegen.cache-dir": str(kernels), "temporary-directory": str(tmp_path)}
    with config.set({**options, "num-workers": 3, "spill": False}):
        found = look_at_machine()
    assert found.cores == len(os.sched_getaffinity(0)) <= found.cores_total
    assert (found.workers, found.memory, found.spill_enabled) == (3, total_memory(), False)
    assert (found.kernels.files, found.kernels.nbytes, found.kernels.trouble) == (2, 7, "")
    assert found.kernels.free > 0
    assert found.spill.path == str(tmp_path / f"gpuscale-{os.getuid()}")
    assert not os.path.exists(found.spill.path)  # looking makes nothing
    assert (found.spill.files, found.spill.trouble) == (0, "")


def test_what_lies_in_the_spill_folder(tmp_path):
    folder = tmp_path / f"gpuscale-{os.getuid()}" / "12-0"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(b"123")
    with config.set({"temporary-directory": str(tmp_path)}):
        spill = look_at_machine().spill
    assert (spill.files, spill.nbytes) == (1, 3)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    found = look_at_folder(tmp_path / "file" / "kernels", ())
    assert found.trouble == f"{tmp_path / 'file'} is no folder"


def test_a_folder_that_cannot_be_written():
    """By nobody, not even by root, to whom its permissions allow all."""
    trouble = look_at_folder(Path("/proc/new"), ()).trouble
    assert re.fullmatch(r"/proc cannot be written \(.+\)", trouble)


def test_a_disk_without_room(tmp_path, monkeypatch):
    def full(**arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(looking.tempfile, "NamedTemporaryFile", full)
    trouble = look_at_folder(tmp_path, ()).trouble
    assert trouble == f"{tmp_path} cannot be written (No space left on device)"


def test_the_trial_leaves_nothing(tmp_path):
    assert look_at_folder(tmp_path / "new", ()).trouble == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_kernels_that_everybody_can_write(tmp_path):
    tmp_path.chmod(0o777)
    assert "chmod o-w" in look_at_folder(tmp_path, (), private=True).trouble
    assert look_at_folder(tmp_path, ()).trouble == ""
    assert look_at_folder(tmp_path / "new", (), private=True).trouble == ""


def test_files_that_vanish_and_disks_that_do_not_answer(tmp_path, monkeypatch):
    def refuse(path):
        raise OSError("stale")

    monkeypatch.setattr(looking.shutil, "disk_usage", refuse)
    (tmp_path / "there").write_bytes(b"four")
    found = look_at_folder(tmp_path, [tmp_path / "gone", tmp_path / "there"])
    assert (found.files, found.nbytes, found.free) == (1, 4, None)


def test_limits_in_bytes():
    with config.set({"memory-limit": "2 GiB"}):
        (limit,) = [each for each in read_limits() if each.option == "memory-limit"]
    assert (limit.value, limit.nbytes) == ("2 GiB", 2 * GIB)


@pytest.mark.parametrize(
    ("value", "totals", "nbytes"),
    [(0.5, [80 * GIB, 40 * GIB], 20 * GIB), ("10 GiB", [80 * GIB], 10 * GIB), (0.5, [], None)],
)
def test_limits_of_devices(value, totals, nbytes):
    option = Option("device-memory-limit-of-a-test.memory-limit", (float, str), "bytes", value, "")
    (limit,) = read_limits(totals, [option])
    assert (limit.value, limit.nbytes) == (value, nbytes)
