import numpy as np
import pytest

from gpuscale.io.zarr_chunks import ChunkFiles, Codecs, Shards

numcodecs = pytest.importorskip("numcodecs", reason="numcodecs comes with zarr")
google_crc32c = pytest.importorskip("google_crc32c", reason="it comes with zarr")

X = np.arange(12, dtype="<i4").reshape(3, 4)


def files(folder, compressors=(), order=(0, 1), checksum=False, shards=None):
    codecs = Codecs(order, tuple(compressors), checksum)
    return ChunkFiles(
        str(folder), lambda n: "-".join(map(str, n)), X.shape, X.dtype, codecs, shards
    )


def test_plain_chunks_are_views(tmp_path):
    X.tofile(tmp_path / "0-0")
    chunk = files(tmp_path).read((0, 0))
    np.testing.assert_array_equal(chunk, X)
    assert not chunk.flags.owndata and not chunk.flags.writeable


def test_absent_chunk(tmp_path):
    assert files(tmp_path).read((0, 0)) is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_fits(tmp_path, order):
    chunks = files(tmp_path, order=order)
    assert chunks.fits(chunks.new_buffer())
    assert chunks.fits(np.asarray(X, order="C" if order == (0, 1) else "F"))
    assert not chunks.fits(X.astype("f4"))
    assert not chunks.fits(X[:2])
    assert not chunks.fits(np.empty((3, 8), X.dtype)[:, ::2])


@pytest.mark.parametrize("codec", ["zstd", "blosc", "lz4", "zlib", "gzip", "bz2", "lzma"])
@pytest.mark.parametrize("n", [0, 4, 11, 13, 24])
def test_a_chunk_of_another_size_is_damaged(tmp_path, codec, n):
    codec = numcodecs.get_codec({"id": codec})
    values = np.arange(n, dtype="<i4")
    (tmp_path / "0-0").write_bytes(codec.encode(values))
    with pytest.raises(ValueError, match=r"chunk \(0, 0\) in .*0-0 cannot be read"):
        files(tmp_path, [codec]).read((0, 0))


@pytest.mark.parametrize("codec", ["zstd", "blosc", "lz4", "zlib"])
def test_contents_that_look_untouched_are_read(tmp_path, codec):
    from gpuscale.io import zarr_chunks

    codec = numcodecs.get_codec({"id": codec})
    values = X.copy()
    values.view("u1").reshape(-1)[-1] = zarr_chunks._UNTOUCHED
    (tmp_path / "0-0").write_bytes(codec.encode(values))
    np.testing.assert_array_equal(files(tmp_path, [codec]).read((0, 0)), values)


def test_codecs_are_undone_from_last_to_first(tmp_path):
    first, second = numcodecs.Zstd(), numcodecs.GZip()
    (tmp_path / "0-0").write_bytes(second.encode(first.encode(X)))
    np.testing.assert_array_equal(files(tmp_path, [first, second]).read((0, 0)), X)


def test_checksums_are_checked(tmp_path):
    body = X.tobytes()
    good = body + google_crc32c.value(body).to_bytes(4, "little")
    (tmp_path / "0-0").write_bytes(good)
    np.testing.assert_array_equal(files(tmp_path, checksum=True).read((0, 0)), X)
    (tmp_path / "0-0").write_bytes(b"\xff" + good[1:])
    with pytest.raises(ValueError, match="checksum is wrong"):
        files(tmp_path, checksum=True).read((0, 0))


def shard(at_end):
    """Write a shard of two chunks, of which the second is missing."""
    index = np.full((1, 2, 2), 2**64 - 1, "<u8")
    index[0, 0] = (0 if at_end else index.nbytes, X.nbytes)
    return X.tobytes() + index.tobytes() if at_end else index.tobytes() + X.tobytes()


@pytest.mark.parametrize("at_end", [True, False])
def test_shards(tmp_path, at_end):
    (tmp_path / "2-3").write_bytes(shard(at_end))
    chunks = files(tmp_path, shards=Shards((1, 2), False, at_end))
    np.testing.assert_array_equal(chunks.read((2, 6)), X)
    assert chunks.read((2, 7)) is None
    assert chunks.read((3, 7)) is None


@pytest.mark.parametrize("size", [10, 40])
def test_truncated_shards(tmp_path, size):
    (tmp_path / "2-3").write_bytes(shard(False)[:size])
    with pytest.raises(ValueError, match="too short|index goes to"):
        files(tmp_path, shards=Shards((1, 2), False, False)).read((2, 6))


@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("compressors", [(), (numcodecs.Zstd(),)])
def test_file_systems_that_cannot_map(tmp_path, monkeypatch, at_end, compressors):
    def refuse(*args, **kwargs):
        raise OSError(19, "No such device")

    monkeypatch.setattr("gpuscale.io.zarr_chunks.mmap.mmap", refuse)
    data = compressors[0].encode(X) if compressors else X.tobytes()
    (tmp_path / "0-0").write_bytes(data)
    np.testing.assert_array_equal(files(tmp_path, compressors).read((0, 0)), X)
    (tmp_path / "2-3").write_bytes(shard(at_end))
    chunks = files(tmp_path, shards=Shards((1, 2), False, at_end))
    np.testing.assert_array_equal(chunks.read((2, 6)), X)
