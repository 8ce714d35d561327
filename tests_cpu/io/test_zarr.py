import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gpuscale.chunks.blocks import Grid
from gpuscale.io.array_like import reader_of
from gpuscale.io.zarr import ZarrReader, ZarrWriter, open_zarr

zarr = pytest.importorskip("zarr", reason="zarr is an extra")

X = np.arange(48.0).reshape(6, 8)
ALL = (slice(None), slice(None))


@pytest.fixture
def path(tmp_path):
    array = zarr.create_array(tmp_path / "x.zarr", shape=X.shape, chunks=(3, 4), dtype=X.dtype)
    array[:] = X
    return tmp_path / "x.zarr"


def test_open_arrays_have_their_own_reader(path):
    reader = reader_of(zarr.open_array(path))
    assert isinstance(reader, ZarrReader)
    assert reader.chunks == ((3, 3), (4, 4))
    assert isinstance(open_zarr(zarr.open_array(path)), ZarrReader)


def test_urls(path):
    reader = open_zarr(f"file://{path}")
    assert reader.token == open_zarr(path).token
    np.testing.assert_array_equal(reader.read(ALL), X)


def test_other_file_systems(tmp_path):
    url = f"memory://{tmp_path.name}/x"
    for number in range(2):
        writer = ZarrWriter(url, "a", storage_options={}, overwrite=number == 1)
        writer.open(X.shape, X.dtype, ((6,), (8,)))
        with pytest.raises(FileNotFoundError):
            open_zarr(url, "a")
        writer.write(ALL, X + number)
        writer.commit()
        reader = open_zarr(url, "a", storage_options={})
        np.testing.assert_array_equal(
            reader.read((slice(2, 5), slice(1, 8, 3))), X[2:5, 1::3] + number
        )
    with pytest.raises(FileExistsError, match="overwrite=True"):
        ZarrWriter(url, "a").open(X.shape, X.dtype, ((6,), (8,)))


def test_uncompressed_pieces_are_views(tmp_path):
    options = {"compressors": None}
    writer = ZarrWriter(tmp_path / "x", chunks=(3, 4), options=options)
    writer.open(X.shape, X.dtype, ((6,), (8,)))
    writer.write(ALL, X)
    writer.commit()
    reader = open_zarr(tmp_path / "x")
    assert reader.cost == "copy"
    piece = reader.read((slice(3, 5), slice(4, 8)))
    assert not piece.flags.owndata and not piece.flags.writeable
    np.testing.assert_array_equal(piece, X[3:5, 4:])


def test_a_small_part_does_not_keep_its_chunk(path):
    assert open_zarr(path).read((slice(0, 1), slice(0, 1))).flags.owndata


def test_chunks_that_were_never_written_are_fill(tmp_path):
    for zarr_format, fill in ((2, None), (2, 7), (3, 7)):
        array = zarr.create_array(
            tmp_path / f"{zarr_format}{fill}",
            shape=(6, 8),
            chunks=(3, 4),
            dtype="i4",
            fill_value=fill,
            zarr_format=zarr_format,
        )
        array[:3, :4] = 1
        reader = ZarrReader(array)
        for region in (ALL, (slice(4, 6), slice(5, 7)), (slice(0, 6), slice(0, 4))):
            np.testing.assert_array_equal(reader.read(region), array[region])


@pytest.mark.parametrize("damage", [b"", b"not zstd at all", None])
def test_a_damaged_chunk_is_named(path, damage):
    file = path / "c" / "1" / "0"
    file.write_bytes(file.read_bytes()[:-9] if damage is None else damage)
    reader = open_zarr(path)
    np.testing.assert_array_equal(reader.read((slice(0, 3), slice(0, 8))), X[:3])
    with pytest.raises(ValueError, match=r"chunk \(1, 0\) in .*c/1/0 cannot be read"):
        reader.read((slice(0, 4), slice(0, 1)))


def test_many_threads_read_one_sharded_array(tmp_path):
    x = np.random.default_rng(0).random((64, 64))
    array = zarr.create_array(
        tmp_path / "x", shape=x.shape, chunks=(4, 4), shards=(16, 16), dtype=x.dtype
    )
    array[:] = x
    reader, grid = ZarrReader(array), Grid(((9,) * 7 + (1,),) * 2)
    regions = [grid.slices(number) for number in grid] * 3
    with ThreadPoolExecutor(8) as pool:
        for region, piece in zip(regions, pool.map(reader.read, regions), strict=True):
            np.testing.assert_array_equal(piece, x[region])


def test_missing_array(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no Zarr array at .*missing\.zarr"):
        open_zarr(tmp_path / "missing.zarr")


def test_a_group_is_no_array(tmp_path):
    zarr.create_group(tmp_path / "g").create_array("a", shape=(3,), dtype="f4")
    with pytest.raises((ValueError, FileNotFoundError), match="g.*component="):
        open_zarr(tmp_path / "g")
    assert open_zarr(tmp_path / "g", "a").shape == (3,)


def test_damaged_metadata(path):
    (path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "array"}')
    with pytest.raises(ValueError, match=r"x\.zarr cannot be opened as a Zarr array"):
        open_zarr(path)


def test_strings_are_read_by_zarr_itself(tmp_path):
    texts = np.array(["a", "bc", "déf"], dtype=np.dtypes.StringDType())
    array = zarr.create_array(tmp_path / "x", shape=(3,), chunks=(2,), dtype=str)
    array[:] = texts
    assert ZarrReader(array).read((slice(1, 3),)).tolist() == ["bc", "déf"]


def test_groups_above_are_made_and_can_be_listed(tmp_path):
    writer = ZarrWriter(tmp_path / "root", "deep/group/x")
    writer.open(X.shape, X.dtype, ((3, 3), (8,)))
    for number in range(2):
        writer.write((slice(3 * number, 3 * number + 3), slice(0, 8)), X[3 * number :][:3])
    writer.commit()
    group = zarr.open_group(tmp_path / "root", mode="r")
    assert [name for name, _ in group["deep/group"].arrays()] == ["x"]
    np.testing.assert_array_equal(group["deep/group/x"][:], X)


def test_stored_chunks_of_large_blocks_are_equal_parts(tmp_path):
    writer = ZarrWriter(tmp_path / "x")
    side = 2**15
    writer.open((2 * side, 2 * side), np.dtype("f8"), ((side, side),) * 2)
    stored = writer._array.chunks
    writer.abort()
    assert np.prod(stored) * 8 <= 2**29
    assert all(side % size == 0 for size in stored)


def test_irregular_blocks_get_a_regular_grid(tmp_path):
    writer = ZarrWriter(tmp_path / "x")
    writer.open((7, 0), np.dtype("f8"), ((1, 4, 2), (0,)))
    assert writer.safe_grid() == ((4, 3), (0,))
    writer.abort()


def test_shards_are_what_one_task_writes(tmp_path):
    writer = ZarrWriter(tmp_path / "x", chunks=(2, 2), shards=(4, 6))
    writer.open((8, 8), np.dtype("f8"), ((2,) * 4,) * 2)
    assert writer.safe_grid() == ((4, 4), (6, 2))
    writer.abort()


def test_readers_and_writers_can_be_sent_to_other_processes(path, tmp_path):
    writer = ZarrWriter(tmp_path / "y", chunks=(3, 4))
    writer.open(X.shape, X.dtype, ((3, 3), (8,)))
    sent = pickle.loads(pickle.dumps(writer))
    sent.write(ALL, pickle.loads(pickle.dumps(open_zarr(path))).read(ALL))
    writer.commit()
    np.testing.assert_array_equal(open_zarr(tmp_path / "y").read(ALL), X)


BIG_ENDIAN = {"serializer": zarr.codecs.BytesCodec(endian="big")}


@pytest.mark.parametrize("changed", [{"compressors": None}, {"fill_value": 7}, BIG_ENDIAN])
def test_what_was_rewritten_has_a_reader_of_its_own(tmp_path, changed):
    tokens = []
    for options in ({}, changed):
        settings = {"shape": (4,), "chunks": (2,), "dtype": "f8", "overwrite": True} | options
        zarr.create_array(tmp_path / "x", **settings)[:2] = 1
        reader = open_zarr(tmp_path / "x")
        tokens.append(reader.token)
        expected = [1, 1, *[options.get("fill_value", 0)] * 2]
        assert reader.read((slice(4),)).tolist() == expected
    assert tokens[0] != tokens[1]
