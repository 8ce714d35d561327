"""Which arrays are decoded here, and which are left to zarr."""

import warnings

import numpy as np
import pytest

from gpuscale.io.zarr_layout import chunk_files

zarr = pytest.importorskip("zarr", reason="zarr is an extra")
numcodecs = pytest.importorskip("numcodecs", reason="numcodecs comes with zarr")
codecs = zarr.codecs

HERE = [
    {},
    {"compressors": None},
    {"compressors": [codecs.BloscCodec(), codecs.Crc32cCodec()]},
    {"compressors": codecs.GzipCodec()},
    {"filters": [codecs.TransposeCodec(order=(1, 0))]},
    {"shards": (4, 4)},
    {"serializer": codecs.BytesCodec(endian="big")},
    {"dtype": "M8[ns]"},
    {"chunk_key_encoding": {"name": "v2", "separator": "."}},
    {"zarr_format": 2},
    {"zarr_format": 2, "order": "F", "compressors": numcodecs.LZ4()},
    {"zarr_format": 2, "dtype": ">u2"},
]
BY_ZARR = [
    {"dtype": "S5"},
    {"dtype": str},
    {"zarr_format": 2, "filters": [numcodecs.Delta("f8")]},
    {
        "serializer": codecs.ShardingCodec(
            chunk_shape=(2, 2), codecs=[codecs.ShardingCodec(chunk_shape=(1, 1))]
        )
    },
    {
        "serializer": codecs.ShardingCodec(
            chunk_shape=(2, 2), index_codecs=[codecs.BytesCodec(), codecs.ZstdCodec()]
        )
    },
]


def create(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dtypes without a specification, combinations of codecs
        return zarr.create_array(
            folder, **({"shape": (8, 8), "chunks": (2, 2), "dtype": "f8"} | options)
        )


@pytest.mark.parametrize("options", HERE)
def test_decoded_here(tmp_path, options):
    files = chunk_files(create(tmp_path / "x", **options))
    assert files is not None
    assert files.shape == (2, 2)


@pytest.mark.parametrize("options", BY_ZARR)
def test_left_to_zarr(tmp_path, options):
    assert chunk_files(create(tmp_path / "x", **options)) is None


def test_other_stores_are_left_to_zarr():
    assert chunk_files(create({})) is None


@pytest.mark.parametrize("options", HERE)
def test_chunks_are_those_of_zarr(tmp_path, options):
    array = create(tmp_path / "x", **options)
    values = np.arange(64).reshape(8, 8).astype(array.dtype)
    array[:] = values
    files = chunk_files(array)
    for number in np.ndindex(4, 4):
        region = tuple(slice(2 * k, 2 * k + 2) for k in number)
        expected = values[region].astype(files.dtype)
        np.testing.assert_array_equal(files.read(number), expected)
        buffer = files.new_buffer()
        assert files.fits(buffer)
        np.testing.assert_array_equal(files.read(number, buffer), expected)
