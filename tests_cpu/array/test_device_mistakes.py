"""What cannot work on a device is named, with what to do, before anything runs."""

import sys
import types

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.backends import creation
from gpuscale.base.errors import BackendError, NotSupportedError
from gpuscale.testing import fake_device

pytestmark = pytest.mark.usefixtures("pretended")
OBJECTS = np.array([1, "a"], dtype=object)


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_without_cupy_nothing_runs(monkeypatch, engine):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    ran = [engine]

    def note(chunk):
        ran.append(1)
        return chunk

    host = ga.ones(6, chunks=3, like="numpy").map_blocks(note, dtype=float)
    inside = (host.to_backend("cupy") + 1).to_backend("numpy").sum()
    with pytest.raises(BackendError, match=r"pip install 'gpuscale\[cuda13\]'.*like=numpy"):
        inside.compute(engine=engine)
    with pytest.raises(BackendError, match="like=numpy"):
        inside.persist(engine=engine)
    with gs.Client(threads_per_worker=1) as client, pytest.raises(BackendError, match="like=numpy"):
        client.compute(inside)
    assert ran == [engine]


def test_without_a_driver(monkeypatch):
    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(is_available=lambda: False)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(BackendError, match="no CUDA device here, or.*nvidia-smi.*like=numpy"):
        ga.ones(3, like="cupy").compute()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # a device index that is not there
    with pytest.raises(BackendError, match="no CUDA device here among .*CUDA_VISIBLE_DEVICES='7'"):
        ga.ones(3, like="cupy").compute()


@pytest.mark.parametrize("name", ["cupy:1", "cuda:7", "fake:0"])
def test_a_device_by_its_number(name):
    index = name.partition(":")[2]
    with pytest.raises(BackendError, match=f"CUDA_VISIBLE_DEVICES={index} before the program"):
        ga.ones(3, like=name)
    with pytest.raises(BackendError, match=f"no backend '{name}'"):
        ga.ones(3).to_backend(name)


MAKERS = {
    "asarray": lambda: ga.asarray(OBJECTS, like="fake"),
    "zeros": lambda: ga.zeros(3, dtype=object, like="fake"),
    "astype": lambda: ga.ones(3, like="fake").astype(object),
    "text": lambda: ga.ones(3, like="fake").astype("U5"),
    "dates": lambda: ga.asarray(np.array(["2020-01-01"], "M8[D]"), like="fake"),
    "record": lambda: ga.asarray(np.zeros(3, "i4,f8"), like="fake"),
    "zeros of records": lambda: ga.zeros(3, dtype="i4,f8", like="fake"),
    "from_array": lambda: ga.from_array(np.zeros(3, "i4,f8"), like="fake"),
    "bytes without a meaning": lambda: ga.zeros(3, dtype="V8", like="fake"),
    "order": lambda: ga.ones(3, like="fake").astype(">f8"),
    "to_backend": lambda: ga.asarray(OBJECTS).to_backend("fake"),
    "map_blocks": lambda: ga.ones(3, like="fake").map_blocks(str, dtype=object),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_dtypes_that_no_device_has(make):
    with pytest.raises(NotSupportedError, match="on fake: a device has none but.*x.astype"):
        make()


def test_dtypes_that_a_kernel_may_lack_are_done_by_the_library():
    half = (ga.ones(5, dtype="f2", like="fake") * 2).sum()
    assert half.dtype == np.float16 and half.compute() == 10
    spiral = (ga.arange(4, like="fake") * 1j).prod()
    assert spiral.compute() == 0


MIXED = {
    "add": lambda x, h: x + h,
    "where": lambda x, h: ga.where(x > 0, h, x),
    "concatenate": lambda x, h: ga.concatenate([x, h]),
    "matmul": lambda x, h: x.reshape(2, 3) @ h.reshape(3, 2),
    "tensordot": lambda x, h: ga.tensordot(x, h, axes=1),
    "indexing": lambda x, h: x[h > 0],
    "map_blocks": lambda x, h: ga.map_blocks(np.add, x, h, dtype=float),
    "append": lambda x, h: ga.append(x, h),
    "average": lambda x, h: np.average(x, weights=h),
    "choose": lambda x, h: ga.choose(ga.asarray([0] * 6, like="fake"), [x, h]),
    "clip": lambda x, h: x.clip(h, 3),
    "cov": lambda x, h: ga.cov(x, h),
    "hypot": lambda x, h: np.hypot(h, x),
    "select": lambda x, h: ga.select([h > 1], [x]),
    "setitem": lambda x, h: x.__setitem__(slice(None), h),
    "solve": lambda x, h: ga.linalg.solve(ga.eye(6), x),
    "union1d": lambda x, h: ga.union1d(h, x),
    "vdot": lambda x, h: ga.vdot(h, x),
}


# A mask goes where the array is, map_blocks passes NumPy's arrays on, and assigning is explicit.
TAKE_NUMPYS = ("indexing", "map_blocks", "setitem")


@pytest.mark.parametrize("function", MIXED)
@pytest.mark.parametrize("maker", [ga.asarray, np.asarray], ids=["array", "ndarray"])
def test_arrays_of_host_and_device_do_not_mix(function, maker):
    """The function that was called is named, not what it is made of; the remedy takes both."""
    with gs.config.set({"array.backend": "numpy"}):  # which sends NumPy's arrays elsewhere
        x, h = ga.ones(6, chunks=3, like="fake"), maker(np.ones(6))
        if function in TAKE_NUMPYS:
            h = ga.asarray(h)
        with pytest.raises(BackendError) as caught:
            MIXED[function](x, h)
    assert str(caught.value) == (
        f"{function} got arrays of the backends fake and numpy; move those of numpy first, by "
        "ga.asarray(x, like='fake'), or those of fake, by like='numpy'"
    )
    assert ga.asarray(h, like="fake").backend == "fake"
    assert ga.asarray(x, like="numpy").backend == "numpy"


@pytest.mark.parametrize("option", ["numpy", "fake"])
def test_arrays_of_numpy_whose_blocks_seem_to_be_meant_are_refused(option):
    x, h = ga.ones(6, chunks=3, like="fake"), np.ones(6)
    with gs.config.set({"array.backend": option}):
        for args in ((x, h), (h, x)):
            with pytest.raises(BackendError, match=r"map_blocks got arrays.*ga.asarray\(x, like="):
                ga.map_blocks(lambda a, b: a + b, *args, dtype=float)
            with pytest.raises(BackendError, match=r"map_overlap got arrays.*ga.asarray\(x, like="):
                ga.map_overlap(lambda a, b: a + b, *args, depth=1, dtype=float)
    table = ga.map_blocks(lambda block, table: block * len(table), x, np.ones(2), dtype=float)
    assert table.compute().tolist() == [2.0] * 6


def on_host(chunk, *more, **options):
    return np.ones(chunk.shape)


def on_device(chunk, *more, **options):
    return fake_device.fake.ones(chunk.shape)


MAPPED = {
    "map_blocks": lambda f, x: ga.map_blocks(f, x, dtype=float),
    "blockwise": lambda f, x: ga.blockwise(f, "i", x, "i", dtype=float),
    "map_overlap": lambda f, x: ga.map_overlap(f, x, depth=1, dtype=float),
    "apply_gufunc": lambda f, x: ga.apply_gufunc(f, "()->()", x, output_dtypes=float),
    "several": lambda f, x: ga.apply_gufunc(
        lambda b: (f(b), b), "()->(),()", x, output_dtypes=[float, float]
    )[0],
    "chunk": lambda f, x: ga.reduction(x, f, np.sum, dtype=float),
    "combine": lambda f, x: ga.reduction(
        x.rechunk(1), np.sum, np.sum, combine=f, split_every=2, dtype=float
    ),
    "aggregate": lambda f, x: ga.reduction(x, np.sum, f, dtype=float),
    "later": lambda f, x: ga.map_blocks(f, x, dtype=float).sum() + 1,
}


@pytest.mark.parametrize("function", MAPPED)
@pytest.mark.parametrize(
    ("f", "place", "other"), [(on_host, "fake", "numpy"), (on_device, "numpy", "fake")]
)
def test_functions_that_return_arrays_of_elsewhere_are_named(function, f, place, other):
    x = ga.ones(6, chunks=3, like=place)
    with pytest.raises(BackendError) as caught:
        MAPPED[function](f, x).compute()
    said = str(caught.value)
    name = "<lambda>" if function == "several" else f.__name__
    assert said.startswith(f"{name} ({__file__}:"), said
    assert f"ndarray, which is on {other}, for a chunk that is on {place}; " in said
    assert f"ga.asarray(x, like={other!r})" in said
    assert f"written at {__file__}:" in caught.value.__notes__[0]


@pytest.mark.parametrize("result", [2.0, [1, 2, 3], np.float32(5)], ids=["number", "list", "item"])
def test_numbers_and_lists_of_functions_go_where_the_chunks_are(result):
    x = ga.ones(6, chunks=3, like="fake")
    if isinstance(result, list):
        y = ga.map_blocks(lambda chunk: result, x, dtype=float) * x
        assert y.compute().tolist() == [1, 2, 3, 1, 2, 3]
    else:
        y = ga.map_blocks(lambda chunk: result, x, dtype=float, drop_axis=0) + x
        assert y.compute().tolist() == [float(result) + 1] * 6


def test_lazy_numbers_go_where_the_chunks_are():
    """Among the arrays that functions of users get, in all ways to give them."""
    x, five = ga.ones(6, chunks=3, like="fake"), ga.asarray(5.0, like="numpy")

    def added(a, b):
        return a + b

    for found in (
        ga.map_blocks(added, x, five, dtype=float),
        ga.map_blocks(added, x, b=five, dtype=float),
        ga.map_overlap(added, x, five, depth=0, dtype=float),
        ga.map_overlap(added, x, depth=0, b=five, dtype=float),
        ga.blockwise(added, "i", x, "i", five, "", dtype=float),
        ga.blockwise(added, "i", x, "i", five, None, dtype=float),
        ga.blockwise(added, "i", x, "i", b=five, dtype=float),
    ):
        assert found.backend == "fake" and found.compute().tolist() == [6.0] * 6


def test_numbers_of_reductions_go_where_the_chunks_are():
    x = ga.arange(6, chunks=1, like="fake")

    def total(block, axis, keepdims):
        return float(block.sum())

    def both(block, axis, keepdims):
        return {"n": block.size, "sum": block.sum(axis=axis, keepdims=keepdims)}

    def mean(parts, axis, keepdims):
        return parts["sum"].sum() / parts["n"].sum()

    for found in (
        ga.reduction(x, total, total, dtype=float, split_every=2),
        ga.reduction(x, both, mean, dtype=float, split_every=6) * 6,
    ):
        assert found.backend == "fake"
        assert (found + x).compute().tolist() == [15, 16, 17, 18, 19, 20]


def test_elements_to_look_for():
    x = ga.asarray(np.arange(6), chunks=3, like="fake")
    assert ga.isin(x, [1, 5, 9]).compute().tolist() == [False, True, False, False, False, True]
    refused = pytest.raises(BackendError, match="isin got arrays of the backends fake and numpy")
    with gs.config.set({"array.backend": "numpy"}), refused:
        ga.isin(x, np.array([1, 5]))
