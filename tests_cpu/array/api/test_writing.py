"""Arrays from files and into files: the same elements come back, failures leave nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks, pairs

SLOW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
ARRAY = np.arange(30.0).reshape(5, 6)


class Format:
    """One way to write an array and to read it."""

    def __init__(self, name, folder):
        if name in ("zarr", "hdf5"):
            pytest.importorskip({"zarr": "zarr", "hdf5": "h5py"}[name])
        self.name, self.path, self.more = name, folder / "x", ["x"] if name == "hdf5" else []

    def write(self, x, **options):
        getattr(ga.asarray(x), f"to_{self.name}")(self.path, *self.more, **options)

    def read(self, **options):
        return getattr(ga, f"from_{self.name}")(self.path, *self.more, **options)


@pytest.fixture(params=["npy", "npy_stack", "zarr", "hdf5"])
def form(request, tmp_path):
    return Format(request.param, tmp_path)


@SLOW
@given(pairs(min_dims=1, min_side=1, special=False), st.data())
def test_what_is_written_comes_back(form, pair, data):
    array, x = pair
    form.write(x, overwrite=True)
    with nothing_computes():
        back = form.read()
        cut = form.read(chunks=data.draw(chunks(array.shape)))
    assert_eq(back, array)
    assert_eq(cut[::-1] + cut, array[::-1] + array)


def test_numpy_reads_what_is_written(tmp_path):
    ga.from_array(ARRAY, chunks=2).to_npy(tmp_path / "x.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), ARRAY)
    np.save(tmp_path / "y.npy", ARRAY)
    assert_eq(ga.from_npy(tmp_path / "y.npy", chunks=4), ARRAY)


def test_nothing_is_replaced_by_accident(form):
    form.write(ga.ones((4, 4), chunks=2))
    with pytest.raises(FileExistsError):
        form.write(ga.zeros((4, 4), chunks=2))
    assert_eq(form.read(), np.ones((4, 4)))
    form.write(ga.zeros((3, 3)), overwrite=True)
    assert_eq(form.read(), np.zeros((3, 3)))


def test_a_failed_write_leaves_nothing_that_looks_complete(form):
    def fails(chunk, block_id):
        if block_id == (1, 0):
            raise RuntimeError("no more data")
        return chunk

    x = ga.map_blocks(fails, ga.ones((4, 4), chunks=2), dtype=float)
    with pytest.raises(RuntimeError, match="no more data"):
        form.write(x)
    with pytest.raises((OSError, KeyError, ValueError)):
        form.read()


def test_sizes_that_depend_on_data_are_counted(form):
    x = ga.arange(10, chunks=3)
    form.write(x[x % 2 == 0])
    assert_eq(form.read(), np.arange(0, 10, 2))


def test_files_that_are_not_there(form):
    with pytest.raises(FileNotFoundError):
        form.read()


@settings(max_examples=15)
@given(st.data())
def test_store(data):
    x = ga.from_array(ARRAY, chunks=data.draw(chunks(ARRAY.shape)))
    whole, part = np.zeros((5, 6)), np.zeros((9, 9))
    ga.store([x, x * 2], [whole, part], regions=[None, (slice(2, 7), slice(1, 7))])
    np.testing.assert_array_equal(whole, ARRAY)
    np.testing.assert_array_equal(part[2:7, 1:7], ARRAY * 2)
    assert part.sum() == ARRAY.sum() * 2


def stored(kind, folder, values):
    """Make something that can be read and stored into."""
    if kind == "ndarray":
        return values.copy()
    if kind in ("memmap", "npy"):
        out = np.lib.format.open_memmap(folder / "m.npy", "w+", values.dtype, values.shape)
        out[:] = values
        out.flush()
        return out
    library = pytest.importorskip("zarr" if kind == "zarr" else "h5py")
    blocks = tuple(-(-n // 3) for n in values.shape)
    if kind == "zarr":
        out = library.create_array(
            str(folder / "m.zarr"), shape=values.shape, chunks=blocks, dtype=values.dtype
        )
        out[:] = values
        return out
    return library.File(folder / "m.h5", "w").create_dataset("x", data=values, chunks=blocks)


@pytest.mark.parametrize("kind", ["ndarray", "memmap", "npy", "zarr", "hdf5"])
@pytest.mark.parametrize("size", [60, 600])  # small arrays in memory are copied
def test_store_into_what_is_read(kind, size, tmp_path):
    values = np.arange(1.0 * size * size).reshape(size, size)
    target = stored(kind, tmp_path, values)
    source = tmp_path / "m.npy" if kind == "npy" else target
    read = ga.from_npy if kind == "npy" else ga.from_array
    x = read(source, chunks=size // 3)
    ga.store(x[::-1].T - x.mean(axis=0), target)
    values = values[::-1].T - values.mean(axis=0)
    np.testing.assert_allclose(target[:], values)
    x = read(source, chunks=size // 3)
    other = np.zeros_like(values)
    ga.store([x + 1, x * 2], [target, other])
    np.testing.assert_array_equal(target[:], values + 1)
    np.testing.assert_array_equal(other, values * 2)


def test_store_in_place_needs_no_copy(tmp_path):
    for kind in ("ndarray", "memmap", "zarr", "hdf5"):
        target = stored(kind, tmp_path, np.ones((1200, 1200)))
        x = ga.from_array(target, chunks=400)
        ga.store(x + 1, target, memory_limit="8 MiB")
        assert (target[:] == 2).all()
        with pytest.raises(MemoryBudgetError):
            ga.store(x[::-1] + 1, target, memory_limit="8 MiB")
        assert (target[:] == 2).all()


def test_store_into_a_view_of_what_is_read():
    values = np.arange(400_000.0)
    ga.store(ga.from_array(values[:-1], chunks=1000), values[1:])
    np.testing.assert_array_equal(values[1:], np.arange(399_999.0))
    values = np.arange(400_000.0)
    x = ga.from_array(values, chunks=50_000)
    ga.store(x[:200_000], values, regions=(slice(200_000, 400_000),))
    ga.store(x.persist()[::-1], values)
    np.testing.assert_array_equal(values, np.tile(np.arange(200_000.0), 2)[::-1])


def test_store_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="2 sources, 1 targets"):
        ga.store([ga.ones(3), ga.ones(3)], [np.zeros(3)])
    with pytest.raises(ValueError, match="shape"):
        ga.store(ga.ones(3), np.zeros(4))
