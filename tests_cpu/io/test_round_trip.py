"""Every format, one property: what is written in blocks is read back in any piece."""

import math
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpuscale.chunks.blocks import Grid
from gpuscale.io.array_like import ArrayLikeReader, ItemWriter
from gpuscale.io.grid import align
from gpuscale.io.hdf5 import Hdf5Writer, open_hdf5
from gpuscale.io.npy import NpyWriter, open_npy
from gpuscale.io.npy_stack import NpyStackReader, NpyStackWriter
from gpuscale.io.pieces import PieceReader, PieceWriter
from gpuscale.io.zarr import ZarrWriter, open_zarr

DTYPES = ("float64", "float32", "int16", "uint8", "bool", "complex64", ">i4", ">f8")
MODEST = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@st.composite
def arrays(draw, min_ndim: int = 0, max_side: int = 9) -> np.ndarray:
    shape = draw(st.lists(st.integers(0, max_side), min_size=min_ndim, max_size=3))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    values = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 100, shape)
    return np.asarray(values, dtype)


@st.composite
def grids(draw, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Draw blocks of any sizes, empty ones too."""
    axes = []
    for n in shape:
        cuts = draw(st.lists(st.integers(0, n), max_size=3))
        ends = [0, *sorted(cuts), n]
        axes.append(tuple(b - a for a, b in zip(ends, ends[1:], strict=False)))
    return tuple(axes)


@st.composite
def regions(draw, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Draw pieces, with steps, empty ones and ends beyond the array."""
    axes = []
    for n in shape:
        start = draw(st.integers(0, n))
        stop = draw(st.one_of(st.none(), st.integers(start, n + 2)))
        axes.append(slice(start, stop, draw(st.one_of(st.none(), st.integers(1, 4)))))
    return tuple(axes)


def write(writer: PieceWriter, x: np.ndarray, blocks: Any) -> Any:
    """Write an array block by block, on a grid that the writer calls safe."""
    writer.open(x.shape, x.dtype, blocks)
    safe = align(blocks, writer.safe_grid())
    assert align(safe, writer.safe_grid()) == safe
    grid = Grid(safe)
    for number in grid:
        writer.write(grid.slices(number), x[grid.slices(number)])
    writer.commit()
    return safe


def check_pieces(reader: PieceReader, x: np.ndarray, data: Any) -> None:
    assert reader.shape == x.shape
    assert reader.dtype == x.dtype or reader.dtype == x.dtype.newbyteorder("=")
    assert reader.chunks is None or tuple(map(sum, reader.chunks)) == x.shape
    for each in (reader, pickle.loads(pickle.dumps(reader))):
        region = data.draw(regions(x.shape))
        piece = each.read(region)
        assert isinstance(piece, np.ndarray)
        np.testing.assert_array_equal(piece, x[region])
        assert piece.dtype.newbyteorder("=") == x.dtype.newbyteorder("=")


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], Path]:
    """Return a function that empties a folder, since Hypothesis runs a test many times in it."""

    def fresh() -> Path:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        return tmp_path

    return fresh


@MODEST
@given(data=st.data(), x=arrays())
def test_npy(data, x, folder):
    path = folder() / "x.npy"
    write(NpyWriter(path), x, data.draw(grids(x.shape)))
    np.testing.assert_array_equal(np.load(path), x)
    assert np.load(path).dtype == x.dtype
    check_pieces(open_npy(path), x, data)


@MODEST
@given(data=st.data(), x=arrays(), fortran=st.booleans())
def test_npy_of_numpy(data, x, fortran, folder):
    path = folder() / "x.npy"
    np.save(path, np.asarray(x, order="F" if fortran else "C"))
    check_pieces(open_npy(path), x, data)


@MODEST
@given(data=st.data(), x=arrays(min_ndim=1))
def test_npy_stack(data, x, folder):
    path = folder() / "x"
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    write(NpyStackWriter(path, axis), x, data.draw(grids(x.shape)))
    files = sorted(path.glob("*.npy"), key=lambda file: int(file.stem))
    np.testing.assert_array_equal(np.concatenate([np.load(f) for f in files], axis), x)
    check_pieces(NpyStackReader(path), x, data)


@st.composite
def zarr_options(draw, ndim: int) -> dict[str, Any]:
    zarr = pytest.importorskip("zarr")
    codecs, side = zarr.codecs, st.integers(1, 5)
    options: dict[str, Any] = {}
    kwargs: dict[str, Any] = {"zarr_format": draw(st.sampled_from((2, 3))), "options": options}
    if draw(st.booleans()):
        kwargs["chunks"] = tuple(draw(side) for _ in range(ndim))
    if kwargs["zarr_format"] == 2:
        numcodecs = pytest.importorskip("numcodecs")
        options["order"] = draw(st.sampled_from("CF"))
        choice = [None, numcodecs.Zstd(), numcodecs.Blosc(), numcodecs.Zlib(), numcodecs.LZ4()]
        options["compressors"] = draw(st.sampled_from(choice))
        options["filters"] = draw(st.sampled_from([None, [numcodecs.Shuffle(1)]]))
        return kwargs
    if "chunks" in kwargs and ndim:
        times = draw(st.one_of(st.none(), st.integers(1, 3)))
        kwargs["shards"] = times and tuple(times * size for size in kwargs["chunks"])
    every = [codecs.ZstdCodec(), codecs.GzipCodec(), codecs.BloscCodec(), codecs.Crc32cCodec()]
    options["compressors"] = draw(st.lists(st.sampled_from(every), max_size=2))
    options["serializer"] = codecs.BytesCodec(endian=draw(st.sampled_from(("little", "big"))))
    if ndim > 1 and draw(st.booleans()):
        order = draw(st.permutations(range(ndim)))
        options["filters"] = [codecs.TransposeCodec(order=order)]
    return kwargs


@settings(MODEST, max_examples=120)
@given(data=st.data(), x=arrays())
def test_zarr(data, x, folder):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    path, inside = folder() / "x.zarr", data.draw(st.sampled_from(["", "a", "group/a"]))
    kwargs = data.draw(zarr_options(x.ndim))
    write(ZarrWriter(path, inside, **kwargs), x, data.draw(grids(x.shape)))
    found = zarr.open_array(path, path=inside, mode="r")
    np.testing.assert_array_equal(found[...], x)
    check_pieces(open_zarr(path, inside), x, data)


@MODEST
@given(data=st.data(), x=arrays())
def test_zarr_in_other_stores(data, x):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    store = zarr.storage.MemoryStore()
    inside = data.draw(st.sampled_from(["", "a", "group/a"]))
    kwargs = data.draw(zarr_options(x.ndim))
    write(ZarrWriter(store, inside, **kwargs), x, data.draw(grids(x.shape)))
    reader = open_zarr(store, inside)
    region = data.draw(regions(x.shape))
    np.testing.assert_array_equal(reader.read(region), x[region])
    np.testing.assert_array_equal(zarr.open_array(store, path=inside, mode="r")[...], x)


@MODEST
@given(data=st.data(), x=arrays(), is_new=st.booleans())
def test_hdf5(data, x, is_new, folder):
    h5py = pytest.importorskip("h5py", reason="h5py is an extra")
    path, options = folder() / "x.h5", {}
    if not is_new:
        with h5py.File(path, "w", userblock_size=512) as file:
            file["other"] = np.arange(3)
    if x.ndim and x.size:
        options = data.draw(st.sampled_from([{}, {"chunks": True, "compression": "gzip"}]))
    write(Hdf5Writer(path, "group/x", options=options), x, data.draw(grids(x.shape)))
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["group/x"][...], x)
        assert list(file["group"]) == ["x"]
        assert ("other" in file) != is_new
    check_pieces(open_hdf5(path, "group/x"), x, data)


@MODEST
@given(data=st.data(), x=arrays())
def test_item_writer_into_a_region(data, x):
    margins = [(data.draw(st.integers(0, 2)), data.draw(st.integers(1, 3))) for _ in x.shape]
    shape = tuple(lo + n * step + 1 for n, (lo, step) in zip(x.shape, margins, strict=True))
    region = tuple(
        slice(lo, lo + n * step, step) for n, (lo, step) in zip(x.shape, margins, strict=True)
    )
    target, expected = np.zeros(shape, x.dtype), np.zeros(shape, x.dtype)
    expected[region] = x
    write(ItemWriter(target, region), x, data.draw(grids(x.shape)))
    np.testing.assert_array_equal(target, expected)


@MODEST
@given(data=st.data(), x=arrays())
def test_array_like(data, x):
    check_pieces(ArrayLikeReader(x), x, data)


@MODEST
@given(data=st.data(), x=arrays(min_ndim=1))
def test_zarr_region(data, x):
    """Blocks on the safe grid of a region never share a stored chunk, so no order matters."""
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    start, step = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 3))
    shape = tuple(start + n * step + 2 for n in x.shape)
    stored = tuple(data.draw(st.integers(1, 4)) for _ in shape)
    target = zarr.create_array({}, shape=shape, dtype=x.dtype, chunks=stored)
    region = tuple(slice(start, start + n * step, step) for n in x.shape)
    writer = ItemWriter(target, region)
    safe = write(writer, x, data.draw(grids(x.shape)))
    np.testing.assert_array_equal(target[region], x)
    touched: dict[tuple[int, ...], Any] = {}
    grid = Grid(safe)
    for number in grid:
        block = [range(n)[r][s] for n, r, s in zip(shape, region, grid.slices(number), strict=True)]
        if math.prod(map(len, block)):
            chunks = [{p // c for p in axis} for axis, c in zip(block, stored, strict=True)]
            for chunk in np.ndindex(*(max(c) + 1 for c in chunks)):
                if all(k in c for k, c in zip(chunk, chunks, strict=True)):
                    assert touched.setdefault(chunk, number) == number
