"""What a new Zarr array may replace, in local folders and in other stores."""

import numpy as np
import pytest

from gpuscale.io.zarr import ZarrWriter, open_zarr

zarr = pytest.importorskip("zarr", reason="zarr is an extra")

X = np.arange(6.0)


@pytest.fixture(params=["local", "memory", "fsspec"])
def store(request, tmp_path):
    if request.param == "local":
        return zarr.storage.LocalStore(tmp_path / "x")
    if request.param == "memory":
        return zarr.storage.MemoryStore()
    fsspec = pytest.importorskip("fsspec", reason="fsspec comes with some extras")
    memory = fsspec.filesystem("memory", skip_instance_cache=True, asynchronous=False)
    memory.store, memory.pseudo_dirs = {}, [""]
    wrapper = pytest.importorskip("fsspec.implementations.asyn_wrapper").AsyncFileSystemWrapper
    return zarr.storage.FsspecStore(wrapper(memory, asynchronous=True), path="/root")


def write(store, path="", overwrite=False, x=X, **options):
    writer = ZarrWriter(store, path, overwrite=overwrite, **options)
    writer.open(x.shape, x.dtype, ((3, 3),))
    try:
        for start in (0, 3):
            writer.write((slice(start, start + 3),), x[start : start + 3])
        writer.commit()
    except BaseException:
        writer.abort()
        raise


def value(store, path=""):
    return open_zarr(store, path).read((slice(None),)).tolist()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("path", ["", "group"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_group_that_holds_something_is_kept(store, path, overwrite, zarr_format):
    name = f"{path}/a".strip("/")
    write(store, name, zarr_format=zarr_format)
    with pytest.raises(FileExistsError, match=r"a Zarr group that holds 'a.*by component="):
        write(store, path, overwrite)
    assert value(store, name) == X.tolist()


@pytest.mark.parametrize("path", ["", "group"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_empty_group_may_be_replaced(store, path, zarr_format):
    zarr.open_group(store, path=path, mode="w", zarr_format=zarr_format)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write(store, path)
    write(store, path, overwrite=True)
    assert value(store, path) == X.tolist()


@pytest.mark.parametrize("old", [2, 3])
@pytest.mark.parametrize("new", [2, 3])
def test_an_array_of_either_format_may_be_replaced(store, old, new):
    write(store, zarr_format=old)
    write(store, overwrite=True, zarr_format=new, x=X + 1)
    assert value(store) == (X + 1).tolist()


def test_nothing_is_written_below_an_array(store):
    write(store, "a")
    for overwrite in (False, True):
        for path in ("a/b", "a/b/c"):
            with pytest.raises((ValueError, TypeError)):
                write(store, path, overwrite)
    assert value(store, "a") == X.tolist()


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_zarrs_is_kept_in_a_store(store, overwrite):
    from zarr.core.sync import sync

    letter = zarr.core.buffer.cpu.Buffer.from_bytes(b"a letter")
    sync(store.set("home/letter", letter))
    sync(store.set("home2", letter))
    with pytest.raises(FileExistsError, match=r"that holds 'letter'.*remove it first"):
        write(store, "home", overwrite)
    assert sync(store.exists("home/letter")) and sync(store.exists("home2"))


def test_what_a_killed_write_left_is_replaced(store):
    writer = ZarrWriter(store, "a")
    writer.open(X.shape, X.dtype, ((3, 3),))
    writer.write((slice(0, 3),), X[:3])
    write(store, "a", x=X + 1)
    assert value(store, "a") == (X + 1).tolist()
