"""Files that change after they were opened: an error, never a wrong number or a dead process."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.io.npy import open_npy
from gpuscale.io.npy_stack import NpyStackReader

X = np.arange(6000.0).reshape(60, 100)
ALL = (slice(None), slice(None))
BEFORE = 10**18  # some time ago, so that each change has another time


@pytest.fixture(params=["npy", "npy_stack"])
def form(request, tmp_path):
    """Return the reader's constructor, the path, and the file that is to change."""
    path = tmp_path / "x"
    if request.param == "npy":
        ga.to_npy(X, path)
        file = path
    else:
        ga.to_npy_stack(path, ga.asarray(X).rechunk({0: 30}))
        file = path / "1.npy"
    os.utime(file, ns=(BEFORE, BEFORE))
    return (open_npy if request.param == "npy" else NpyStackReader), path, file


def shrink(file):
    os.truncate(file, 200)


def empty(file):
    os.truncate(file, 0)


def grow(file):
    with open(file, "ab") as opened:
        opened.write(b"more")


def other_contents(file):
    with open(file, "r+b") as opened:
        opened.seek(-8, os.SEEK_END)
        opened.write(bytes(8))


CHANGES = [shrink, empty, grow, other_contents]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_read", [False, True])
def test_a_change_in_place_is_an_error(form, change, is_read):
    open_, path, file = form
    reader = open_(path)
    if is_read:
        np.testing.assert_array_equal(reader.read(ALL), X)
    sent = pickle.loads(pickle.dumps(reader))
    change(file)
    for each in (reader, sent):
        with pytest.raises(ValueError, match=f"{file.name} has changed since.*; open it again"):
            each.read((slice(59, 60), slice(99, 100)))


def test_a_file_that_is_opened_again_is_another_one(form):
    open_, path, file = form
    before = open_(path).token
    other_contents(file)
    reader = open_(path)
    assert reader.token != before
    assert reader.read((slice(59, 60), slice(99, 100))) == 0


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_what_was_read_before_its_name_was_lost_can_still_be_read(form, change):
    open_, path, file = form
    reader = open_(path)
    reader.read(ALL)
    if change == "replaced":
        other = file.with_name("other")
        other.write_bytes(b"short")
        os.replace(other, file)
    else:
        file.unlink()
    np.testing.assert_array_equal(reader.read(ALL), X)


def test_a_file_that_was_replaced_before_it_was_read_is_an_error(form):
    open_, path, file = form
    reader = open_(path)
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    os.replace(other, file)
    with pytest.raises(ValueError, match=f"{file.name} has changed since it was opened"):
        reader.read(ALL)


def test_an_array_can_be_written_over_the_file_it_is_read_from(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    x = ga.from_npy(path, chunks=20)
    ga.to_npy(x + 1, path, overwrite=True)
    np.testing.assert_array_equal(ga.from_npy(path).compute(), X + 1)
    np.testing.assert_array_equal(x.compute(), X)


SHRINKS = """
import os, sys
import numpy as np
import gpuscale.array as ga
path = sys.argv[1]
np.save(path, np.ones(10**6))
x = ga.from_npy(path, chunks=10**5)
y, z = x.persist(), (x[::-1].persist())
assert x.sum().compute() == 10**6
os.truncate(path, 1000)
for each in (x, y):
    try:
        print(each.sum().compute())
    except ValueError as error:
        print(error)
print(z.sum().compute())
"""


def test_a_file_that_shrinks_does_not_kill_the_process(tmp_path):
    command = [sys.executable, "-c", SHRINKS, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *errors, kept = done.stdout.splitlines()
    assert len(errors) == 2 and all("x.npy has changed since" in each for each in errors)
    assert kept == "1000000.0"


def test_a_plain_chunk_of_zarr_that_shrank_is_named(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    z = zarr.create_array(tmp_path / "x", shape=(60,), chunks=(30,), dtype="f8", compressors=None)
    z[:] = X[0, :60]
    x = ga.from_zarr(tmp_path / "x")
    kept = x.persist()
    os.truncate(tmp_path / "x" / "c" / "1", 100)
    with pytest.raises(ValueError, match=r"c/1 cannot be read: it holds 100 bytes, not 240"):
        x.sum().compute()
    assert kept.sum().compute() == X[0, :60].sum()
