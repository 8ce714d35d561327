import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gpuscale.io.staging import FilesStaging
from gpuscale.io.targets import Kind, Target, describe, remove


def foreign(path):
    inside = path / "inside" if path.is_dir() else path
    return None if inside.is_file() and inside.read_text() in ("old", "new") else describe(path)


FILE, FOLDER = Kind("a text", False, foreign), Kind("a folder of texts", True, foreign)


def make(path, is_folder, text):
    if is_folder:
        path.mkdir()
        (path / "inside").write_text(text)
    else:
        path.write_text(text)
    return path


def text_of(path):
    return (path / "inside" if path.is_dir() else path).read_text()


def fill(target):
    hidden = target.begin()
    (hidden / "inside" if hidden.is_dir() else hidden).write_text("new")
    return hidden


@pytest.mark.parametrize("kind", [FILE, FOLDER])
@pytest.mark.parametrize("is_there", [False, True])
def test_the_old_one_stays_until_the_new_one_is_there(tmp_path, kind, is_there):
    path = tmp_path / "x"
    if is_there:
        make(path, kind.is_folder, "old")
    target = Target(path, is_there, kind)
    hidden = fill(target)
    assert hidden.parent == tmp_path and hidden.name.startswith(".x.partial-")
    assert (text_of(path) == "old") if is_there else not path.exists()
    target.finish()
    target.abandon()
    assert text_of(path) == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [FILE, FOLDER])
def test_nothing_is_replaced_unasked(tmp_path, kind):
    path, target = tmp_path / "x", Target(tmp_path / "x", False, kind)
    fill(target)
    make(path, kind.is_folder, "old")  # by someone else, meanwhile
    for check in (target.finish, Target(path, False, kind).begin):
        with pytest.raises(FileExistsError, match="overwrite=True"):
            check()
    target.abandon()
    assert text_of(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_folder_stays_if_the_new_one_is_gone(tmp_path):
    path = make(tmp_path / "x", True, "old")
    target = Target(path, True, FOLDER)
    remove(fill(target))
    with pytest.raises(FileNotFoundError):
        target.finish()
    assert text_of(path) == "old"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("text", "a file of another kind"),
        ("folder", "a folder that holds 'a' and 1 more"),
        ("empty", "an empty folder"),
        ("pipe", "a pipe"),
    ],
)
def test_what_is_of_another_kind_is_never_replaced(tmp_path, thing, said, overwrite):
    path = tmp_path / "x"
    if thing == "text":
        path.write_text("a letter")
    elif thing == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
        for name in "ab" if thing == "folder" else "":
            (path / name).write_text("")
    before = path.stat().st_ino
    error = IsADirectoryError if path.is_dir() else FileExistsError
    with pytest.raises(error, match=f"x is {said}, and only a text can be replaced"):
        Target(path, overwrite, FILE).begin()
    with pytest.raises(FileExistsError, match=said):
        Target(path, overwrite, FOLDER).begin()
    assert path.stat().st_ino == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        Target(tmp_path / "missing" / "x", True, FILE).begin()


@pytest.mark.parametrize("kind", [FILE, FOLDER])
def test_links_are_followed(tmp_path, kind):
    (tmp_path / "there").mkdir()
    real, link = make(tmp_path / "there" / "real", kind.is_folder, "old"), tmp_path / "link"
    link.symlink_to(real)
    with pytest.raises(FileExistsError, match="link exists; pass overwrite=True"):
        Target(link, False, kind).begin()
    target = Target(link, True, kind)
    assert fill(target).parent == real.parent
    target.finish()
    assert link.is_symlink() and text_of(real) == "new"
    assert list(real.parent.iterdir()) == [real]


def test_links_to_nowhere(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    with pytest.raises(FileExistsError, match="a link to nowhere"):
        Target(link, False, FILE).begin()
    target = Target(link, True, FILE)
    fill(target)
    target.finish()
    assert link.is_symlink() and text_of(tmp_path / "real") == "new"
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(FileExistsError, match="a link to nowhere"):
        Target(link, True, FILE).begin()


def test_remove(tmp_path):
    remove(make(tmp_path / "x", True, ""))
    remove(make(tmp_path / "y", False, ""))
    remove(tmp_path / "never")
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, pathlib, sys
from gpuscale.io.targets import Kind, Target
for is_folder in (True, False):
    Target(pathlib.Path(sys.argv[1]), False, Kind("any", is_folder, str)).begin()
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_write(tmp_path):
    path = tmp_path / "x"
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    left = set(tmp_path.iterdir())
    assert len(left) == 2
    Target(tmp_path / "y", False, FILE).begin()
    assert left < set(tmp_path.iterdir())
    hidden = Target(path, False, FILE).begin()
    assert set(tmp_path.glob(".x.*")) == {hidden}


def test_what_a_living_writer_has_made_stays(tmp_path):
    first = [Target(tmp_path / "x", False, kind) for kind in (FILE, FOLDER)]
    made = {target.begin() for target in first}
    fill(Target(tmp_path / "x", False, FILE))
    assert made < set(tmp_path.iterdir())
    first[0].abandon()
    first[1].finish()
    assert (tmp_path / "x").is_dir()


def test_many_writers_at_once_leave_each_other_alone(tmp_path):
    def write():
        for _ in range(50):
            target = Target(tmp_path / "x", True, FILE)
            fill(target)
            target.finish()
            done.append(1)

    done: list[int] = []
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 200
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


def test_an_old_folder_is_kept_while_it_is_all_there_is(tmp_path):
    old = make(tmp_path / ".x.old-0123456789ab", True, "old")
    other = make(tmp_path / ".x.old-mine", True, "old")
    target = Target(tmp_path / "x", True, FOLDER)
    fill(target)
    target.finish()
    assert old.exists()
    fill(Target(tmp_path / "x", True, FOLDER))
    assert not old.exists() and other.exists()


def test_a_device_is_said():
    assert describe(Path(os.devnull)) == "a device"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that takes no files")
def test_a_folder_that_takes_no_dataset_is_told_by_its_name_too():
    with pytest.raises(OSError, match=r"takes no new files: .*'/proc/x-\*\.csv'") as caught:
        FilesStaging("/proc/x-*.csv", False, None, str).begin()
    assert "partial" not in str(caught.value)


@pytest.mark.parametrize("kind", [FILE, FOLDER])
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that takes no files")
def test_a_folder_that_takes_no_files_is_told_by_the_name_of_the_target(kind):
    with pytest.raises(OSError, match=r"takes no new files: .*'/proc/x\.txt'") as caught:
        Target(Path("/proc/x.txt"), False, kind).begin()
    assert "partial" not in str(caught.value)
