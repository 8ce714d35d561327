"""Folders of spilled results go with their process, however it ends."""

import os
import subprocess
import sys

import pytest

from gpuscale.base import config
from gpuscale.base.errors import SpillError
from gpuscale.memory import spill_folder
from gpuscale.memory.spill_folder import SpillFolder, spill_root

PROGRAM = """
import os, sys
from pathlib import Path
from gpuscale.memory.spill_folder import SpillFolder
folder = SpillFolder(Path(sys.argv[1]))
folder.new_file().write_text("data")
if os.fork() == 0:
    sys.exit()  # a fork's end leaves the folder alone
os.wait()
print(folder.path, folder.new_file().with_name("0").read_text(), flush=True)
if sys.argv[2] == "crash":
    os.kill(os.getpid(), 9)
"""


def run(root, end):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root), end], capture_output=True, text=True
    )
    path, text = done.stdout.split()
    assert text == "data"
    return path


def test_a_folder_goes_with_its_process(tmp_path):
    path = run(tmp_path, "exit")
    assert os.path.dirname(path) == str(tmp_path)
    assert os.listdir(tmp_path) == []


def test_the_next_process_removes_what_a_crash_left(tmp_path):
    left = run(tmp_path, "crash")
    assert os.path.isdir(left)
    mine = SpillFolder(tmp_path)
    assert not os.path.exists(left)
    another = SpillFolder(tmp_path)  # mine is in use, and stays
    assert mine.path.is_dir()
    assert mine.path != another.path
    mine.remove()
    another.remove()
    assert os.listdir(tmp_path) == []


def test_files_have_names_of_their_own(tmp_path):
    folder = SpillFolder(tmp_path)
    assert folder.new_file() != folder.new_file()
    folder.remove()


def test_the_option_says_where(tmp_path):
    with config.set({"temporary-directory": str(tmp_path)}):
        assert spill_root() == tmp_path / f"gpuscale-{os.getuid()}"
        folder = spill_folder.spill_folder()
        assert folder is spill_folder.spill_folder()
        folder.remove()
        again = spill_folder.spill_folder()
        assert again is not folder
        again.remove()


def test_a_temporary_folder_in_memory_is_not_used(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n")
    assert spill_folder._is_in_memory("/tmp", str(mounts))
    assert spill_folder._is_in_memory("/tmp/below", str(mounts))
    assert not spill_folder._is_in_memory("/var/tmp", str(mounts))
    assert not spill_folder._is_in_memory("/tmp", str(tmp_path / "missing"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpillError, match="temporary-directory.*spill off"):
        SpillFolder(tmp_path / "file" / "below")


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(SpillError, match="somebody else"):
        SpillFolder(tmp_path / "link")
