"""Arrays that a program already has on its device, beside lazy ones of the same backend."""

import operator
import sys
from functools import partial

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.backends import creation
from gpuscale.base import config
from gpuscale.base.errors import BackendError, NotSupportedError
from gpuscale.testing.fake_device import TRANSFERS

HOST = np.arange(60.0).reshape(6, 10)


@pytest.fixture(autouse=True)
def xp(pretended):
    return pretended


@pytest.fixture
def x():
    return ga.asarray(HOST, like="fake", chunks=(2, 5))


@pytest.fixture
def given(xp):
    return xp.asarray(HOST)


def agrees(lazy, expected):
    assert lazy.backend == "fake"
    np.testing.assert_array_equal(lazy.compute(), expected)


def test_numpys_functions_take_both_in_either_order(x, given):
    agrees(np.add(x, given), HOST + HOST)
    agrees(np.multiply(given, x), HOST * HOST)
    agrees(np.matmul(x, given.T), HOST @ HOST.T)
    agrees(np.maximum.outer(x[0], given[1]), np.maximum.outer(HOST[0], HOST[1]))


def test_numpys_functions_name_both_backends(given):
    with pytest.raises(BackendError, match="fake and numpy.*like='fake'"):
        np.add(ga.asarray(HOST, like="numpy"), given)


def test_bins_lie_on_the_device(x, xp):
    edges = [0, 3, 60]
    TRANSFERS.clear()
    counts, found = ga.histogram(x, xp.asarray(edges))
    places = ga.digitize(x, xp.asarray([1, 3]))
    assert TRANSFERS.calls() == TRANSFERS.calls("asarray")  # nothing comes while this is planned
    agrees(counts, np.histogram(HOST, edges)[0])
    np.testing.assert_array_equal(found.compute(), edges)
    agrees(places, np.digitize(HOST, [1, 3]))
    counts, _ = ga.histogramdd(x[:, :2], [xp.asarray(edges), xp.asarray([0, 30, 60])])
    agrees(counts, np.histogramdd(HOST[:, :2], [edges, [0, 30, 60]])[0])


def test_a_list_of_arrays_is_their_stack(given):
    agrees(ga.asarray([given[0], given[1]]), HOST[:2])
    agrees(ga.asarray([[given[0]], [given[1]]]), HOST[:2, None])
    with pytest.raises(BackendError, match="fake and numpy"):
        ga.asarray([given[0], ga.asarray(HOST[1], like="numpy")])


@pytest.mark.parametrize("order", ["C", "F"])
def test_stored_on_the_device_without_a_detour(x, xp, order):
    target, part = xp.zeros((6, 10), order=order), xp.zeros((8, 10), "f4")
    TRANSFERS.clear()
    x.store(target)
    ga.store(x + 1, part, regions=(slice(2, None), slice(None)))
    assert TRANSFERS.calls() == TRANSFERS.calls("asarray")  # of what the host held
    np.testing.assert_array_equal(target.get(), HOST)
    np.testing.assert_array_equal(part.get()[2:], HOST + 1)
    stored = ga.store(ga.asarray(HOST, like="numpy"), target, return_stored=True)
    agrees(stored[0] + 1, HOST + 1)
    ga.store(x.sum(), (scalar := xp.zeros(())))
    assert scalar.item() == HOST.sum()


def test_delayed_values_are_where_they_were_promised(xp):
    ones = gs.delayed(xp.ones)(3)
    agrees(ga.from_delayed(ones, (3,), float, backend="fake") + 1, np.full(3, 2.0))
    host = gs.delayed(np.ones)(3)
    agrees(ga.from_delayed(host, (3,), float, backend="fake") + 1, np.full(3, 2.0))
    for wrong in (lambda x: x, lambda x: x + 1):
        with pytest.raises(BackendError, match="is on fake.*backend='fake'"):
            wrong(ga.from_delayed(ones, (3,), float, backend="numpy")).compute()


MAKERS = {
    "ones": lambda **like: np.ones((6, 10), **like),
    "full": lambda **like: np.full((6, 10), 3, "f4", **like),
    "eye": lambda **like: np.eye(4, 5, k=1, dtype="f4", **like),
    "tri": lambda **like: np.tri(3, 4, **like),
    "identity": lambda **like: np.identity(3, **like),
    "zeros": lambda **like: np.zeros(3, **like),
    "zeros in Fortran's order": lambda **like: np.zeros((3, 2), order="F", **like),
    "empty": lambda **like: np.empty((0, 3), **like),
    "array": lambda **like: np.array([[1, 2], [3, 4]], float, **like),
    "asarray": lambda **like: np.asarray(HOST, **like),
    "asanyarray": lambda **like: np.asanyarray([1, 2], **like),
    "arange": lambda **like: np.arange(3, 9, 2, **like),
    "fromfunction": lambda **like: np.fromfunction(lambda i, j, k: i + j * k, (3, 3), k=2, **like),
}


@pytest.mark.parametrize("name", MAKERS)
def test_numpys_functions_make_arrays_like_one_of_the_device(x, name):
    made, expected = MAKERS[name](like=x), MAKERS[name]()
    assert made.dtype == expected.dtype
    agrees(made, expected)
    assert MAKERS[name](like=ga.asarray(HOST, like="numpy")).backend == "numpy"


def test_functions_of_positions_on_the_device():
    agrees(
        ga.fromfunction(lambda i, j: i + j, (3, 3), like="fake"), np.add.outer(range(3), range(3))
    )


def test_out_is_on_the_backend_of_the_result(x):
    host = ga.asarray(HOST, like="numpy")
    for operand, out in ((host, x.copy()), (x, host.copy())):
        backend = out.backend
        for into in (
            lambda a, out: np.add(a, 1, out=out),
            lambda a, out: ga.cumsum(a, 0, out=out),
            lambda a, out: ga.clip(a, 1, 3, out=out),
        ):
            with pytest.raises(BackendError, match="fake and numpy"):
                into(operand, out)
        assert out.backend == backend
        np.testing.assert_array_equal(out.compute(), HOST)
    total = ga.zeros((), like="numpy")
    ga.sum(x, out=total)
    assert total.backend == "numpy" and total.compute() == HOST.sum()


def test_lists_go_where_out_is():
    two, matrix = [3, 5], [[1, 2], [3, 4]]
    for call in (
        lambda xp, out: np.add(two, 1, out=out),
        lambda xp, out: xp.add(two, 1, out=out),
        lambda xp, out: np.add(two, 1, out=out, where=[True, False]),
        lambda xp, out: np.add.reduce(matrix, axis=0, out=out),
        lambda xp, out: np.add.accumulate(two, out=out),
        lambda xp, out: np.matmul(matrix, two, out=out),
        lambda xp, out: np.divmod(two, 2, out=(out, None))[0],
        lambda xp, out: np.modf(two, out=(None, out))[1],
    ):
        out, expected = ga.ones(2, like="fake"), np.ones(2)
        assert call(ga, out) is out
        agrees(out, call(np, expected))
    with pytest.raises(BackendError, match=r"fake and numpy.*like='fake'"):
        np.add(ga.asarray(np.ones(2), like="numpy"), 1, out=ga.ones(2, like="fake"))


@pytest.mark.parametrize("same", [ga.array_equal, ga.array_equiv, np.array_equal, np.array_equiv])
def test_whether_arrays_agree_is_known_where_they_are(x, same):
    for other in (x, x[:, :3]):
        answer = same(x, other)
        assert (answer.backend, answer.dtype, answer.shape) == ("fake", bool, ())
        assert bool(answer) == (other is x)
        assert (answer & (x > 0).all()).backend == "fake"


def test_arrays_made_of_lazy_numbers_are_beside_them(x, given):
    TRANSFERS.clear()
    lines = [
        (ga.linspace(x[0, 1], 5, 3), np.linspace(1.0, 5, 3)),
        (ga.linspace(0, x[0, 4], 5, chunks=2), np.linspace(0, 4.0, 5)),
        (ga.logspace(x[0, 1], 2, 3), np.logspace(1.0, 2, 3)),
        (ga.geomspace(x[0, 1], 16, 5), np.geomspace(1.0, 16, 5)),
        (ga.full((2, 2), x[0, 3]), np.full((2, 2), 3.0)),
        (ga.full((2, 2), given[0, 3], int), np.full((2, 2), 3)),
        (ga.full_like(x, x[0, 3], chunks=3), np.full_like(HOST, 3.0)),
    ]
    assert not TRANSFERS.calls()
    for lazy, expected in lines:
        assert lazy.dtype == expected.dtype
        agrees(lazy, expected)
    assert lines[1][0].chunks == ((2, 2, 1),)
    assert ga.full((2, 2), x[0, 3], like="numpy").backend == "numpy"
    assert ga.linspace(x[0, 1], 5, 3, like="numpy").backend == "numpy"
    assert ga.geomspace(x[0, 1], 5, 3, like="numpy").backend == "numpy"
    agrees(ga.arange(x[0, 4]), np.arange(4.0))
    agrees(ga.arange(given[0, 1], 9, 2), np.arange(1.0, 9, 2))


def test_blocks_made_of_nothing_are_where_the_example_is(xp):
    def made(block_id):
        return xp.full((2, 5), float(block_id[0]))

    def of_host(block_id):
        return np.full((2, 5), float(block_id[0]))

    expected = np.repeat([0.0, 1.0], 2)[:, None] * np.ones(5)
    chunks = ((2, 2), (5,))
    for function in (made, of_host):
        agrees(ga.map_blocks(function, chunks=chunks, meta=xp.ones(0)), expected)
        for like in ("fake", xp, xp.ones(0)):
            agrees(ga.map_blocks(function, chunks=chunks, dtype=float, like=like), expected)
        with config.set({"array.backend": "fake"}):
            agrees(ga.map_blocks(function, chunks=chunks, dtype=float), expected)
    with config.set({"array.backend": "numpy"}):
        wrong = ga.map_blocks(made, chunks=chunks, dtype=float)
        with pytest.raises(BackendError, match="returned an array on fake.*pass like='fake'"):
            wrong.compute()
        assert ga.map_blocks(of_host, chunks=chunks, dtype=float).backend == "numpy"


def test_blocks_are_made_where_they_can_be(x):
    with pytest.raises(BackendError, match="no backend 'fale'; did you mean 'fake'"):
        ga.map_blocks(np.ones, (2,), chunks=((2,),), dtype=float, like="fale")
    with pytest.raises(NotSupportedError, match="dtype object on fake"):
        ga.map_blocks(np.ones, (2,), chunks=((2,),), dtype=object, like="fake")
    with pytest.raises(TypeError, match=r"arrays and like=.*to_backend.*partial"):
        ga.map_blocks(np.negative, x, like="fake")


def test_transforms_of_the_device(x, xp):
    def fft(a, n=None, axis=-1):
        return xp.fft.fft(a, n, axis)

    lazy = ga.fft.fft_wrap(fft, dtype=complex)(x)
    np.testing.assert_allclose(lazy.compute(), np.fft.fft(HOST), atol=1e-12)
    with pytest.raises(ValueError, match="fft failed on a tiny array.*pass dtype= to fft_wrap"):
        ga.fft.fft_wrap(fft)(x)


def test_functions_of_vectors_of_the_device(x, xp):
    def turned(vector):
        return xp.sin(vector)

    for axis in (0, 1, -1):
        n = x.shape[axis]
        lazy = ga.apply_along_axis(turned, axis, x, dtype=float, shape=(n,))
        assert lazy.backend == "fake"
        np.testing.assert_allclose(lazy.compute(), np.sin(HOST))
    agrees(ga.apply_along_axis(np.sum, 1, x), HOST.sum(axis=1))
    with pytest.raises(ValueError, match="pass both dtype= and shape="):
        ga.apply_along_axis(turned, 1, x, dtype=float)
    with pytest.raises(ValueError, match="one of NumPy's.*pass dtype="):
        x.map_blocks(turned)


def test_arrays_of_a_backend_come_by_dlpack_as_they_are(given):
    TRANSFERS.clear()
    agrees(ga.from_dlpack(given, chunks=4), HOST)
    assert not TRANSFERS.calls("asarray")
    with pytest.raises(BufferError, match="use x.get"):
        np.from_dlpack(given)


def test_random_numbers_are_where_their_parameters_are(x):
    rng = ga.random.default_rng(0)
    for lazy in (rng.normal(x, 1.0), rng.poisson(x + 1), rng.uniform(0, x + 1)):
        assert lazy.backend == "fake" and lazy.compute().shape == (6, 10)
    again = ga.random.default_rng(0).normal(ga.asarray(HOST, like="numpy"), 1.0)
    assert again.backend == "numpy"
    np.testing.assert_allclose(ga.random.default_rng(0).normal(x, 1.0).compute(), again.compute())
    assert rng.normal(x[0, 0], 1.0, size=5).backend == "fake"
    assert rng.normal(x[0, 0], 1.0, size=5, like="numpy").backend == "numpy"


def test_arrays_of_two_backends_have_two_remedies(x):
    host = ga.asarray(HOST, like="numpy")

    def assign():
        host[0] = x[0]

    for wrong in (assign, lambda: host[x > 3]):
        with pytest.raises(BackendError, match="by ga.asarray.x, like='fake'.*by like='numpy'"):
            wrong()


class OnGpu:
    __cuda_array_interface__ = {"shape": (3,), "typestr": "<f8", "data": (0, False), "version": 3}


@pytest.mark.parametrize("how", ["asarray", "from_array", "+", "add"])
def test_what_lies_on_a_gpu_that_nobody_can_read(x, how, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    calls = {
        "asarray": lambda: ga.asarray(OnGpu(), like="numpy"),
        "from_array": lambda: ga.from_array(OnGpu()),
        "+": lambda: x + OnGpu(),
        "add": lambda: np.add(x, OnGpu()),
    }
    with pytest.raises(BackendError, match="OnGpu lies on a GPU.*gpuscale doctor.*to the host"):
        calls[how]()


def test_a_function_without_a_return_is_told_so(x):
    with pytest.raises(TypeError, match="returned None"):
        x.map_blocks(lambda block: None, dtype=float).compute()


@pytest.mark.parametrize("name", ["median", "nanmedian", "percentile", "nanpercentile"])
def test_quantiles_of_nothing_stay_on_the_device(x, name):
    shares = () if "median" in name else (50,)
    none = getattr(ga, name)(x[:0], *shares, axis=-1)
    assert none.backend == "fake" and none.compute().shape == (0,)
    if name != "percentile":  # of which NumPy has none either
        agrees(getattr(ga, name)(x[:0], *shares), np.nan)


@pytest.mark.parametrize("first", [1.0, 3, np.float64(1), np.float32(1)], ids=repr)
def test_numbers_come_first_where_closeness_is_asked(x, first):
    agrees(ga.isclose(first, x), np.isclose(first, HOST))
    agrees(np.isclose(first, x, equal_nan=True), np.isclose(first, HOST))
    assert not ga.allclose(first, x)
    assert ga.allclose(first, ga.full((2, 3), first, like="fake"))


def test_borders_are_made_where_the_array_is(x):
    with config.set({"array.backend": "numpy"}):
        for dtype in (float, int):
            values = HOST.astype(dtype)
            found = ga.pad(x.astype(dtype), 2, mode="linear_ramp", end_values=-3)
            agrees(found, np.pad(values, 2, mode="linear_ramp", end_values=-3))


KNOWN_WHEN_PLANNED = {
    "quantile": lambda m, x, put: m.quantile(x, put([0.2, 0.5])),
    "quantile of rows": lambda m, x, put: m.quantile(x, put(0.25), axis=1),
    "percentile": lambda m, x, put: m.percentile(x, put([20, 50])),
    "nanquantile": lambda m, x, put: m.nanquantile(x, put([0.2, 0.5])),
    "pad": lambda m, x, put: m.pad(x, 1, constant_values=put(3)),
    "pad_width": lambda m, x, put: m.pad(x, put([[1, 2], [0, 1]])),
    "ends of pad": lambda m, x, put: m.pad(x, 1, mode="linear_ramp", end_values=put([1, 3])),
    "repeat": lambda m, x, put: m.repeat(x, put([1, 0, 2, 1, 1, 3]), axis=0),
    "compress": lambda m, x, put: m.compress(put([True, False, True]), x, axis=0),
    "gradient": lambda m, x, put: m.gradient(x[0], put(np.arange(10.0) ** 2)),
    "spacing": lambda m, x, put: m.gradient(x, put(2.0), put(3.0))[1],
    "delete": lambda m, x, put: m.delete(x, put([1, 3]), axis=0),
    "insert": lambda m, x, put: m.insert(x, put([1, 3]), 7.0, axis=0),
    "split": lambda m, x, put: m.split(x, put([2, 5]))[1],
    "sections": lambda m, x, put: m.split(x, put(2))[1],
    "array_split": lambda m, x, put: m.array_split(x, put([2, 5]), axis=1)[2],
    "slices": lambda m, x, put: x[put(1) : put(5), :: put(2)],
    "take": lambda m, x, put: m.take(x, put([1, 3]), axis=1),
    "roll": lambda m, x, put: m.roll(x, put(3), axis=1),
    "shifts": lambda m, x, put: m.roll(x, put([3, 1]), axis=(1, 0)),
    "tile": lambda m, x, put: m.tile(x, (put(2), 1)),
}


@pytest.mark.parametrize("function", KNOWN_WHEN_PLANNED)
def test_what_plans_need_may_lie_on_the_device(x, xp, function):
    """As arrays of the device's library, and lazy."""
    call = KNOWN_WHEN_PLANNED[function]
    expected = call(np, HOST, np.asarray)
    agrees(call(ga, x, lambda v: xp.asarray(np.asarray(v))), expected)
    agrees(call(ga, x, lambda v: ga.asarray(np.asarray(v), like="fake")), expected)


@pytest.mark.parametrize("other", [None, "a", b"a", np.str_("a"), np.datetime64(1, "s")], ids=repr)
def test_what_no_device_has_equals_none_of_its_numbers(x, other):
    with config.set({"array.backend": "numpy"}):
        agrees(x == other, np.zeros(HOST.shape, bool))
        agrees(x != other, np.ones(HOST.shape, bool))
        agrees(x[:2, :3] == ["a", "b", "c"], np.zeros((2, 3), bool))
        with pytest.raises(NotSupportedError, match="dtype <U1 on fake"):
            operator.eq(x[0, :2], np.array(["a", "b"]))


MADE = {
    "permutation": lambda **where: ga.random.default_rng(1).permutation(10, **where),
    "choice": lambda **where: ga.random.default_rng(1).choice(9, 4, replace=False, **where),
    "chances": lambda **where: ga.random.default_rng(1).choice(
        3, 2, replace=False, p=[0.1, 0.4, 0.5], **where
    ),
    "one": lambda **where: ga.hanning(1, **where),
    "kaiser": lambda **where: ga.kaiser(6, 8.6, **where),
    "fftfreq": lambda **where: ga.fft.fftfreq(7, **where),
    "rfftfreq": lambda **where: ga.fft.rfftfreq(7, **where),
}
for _name in ("bartlett", "blackman", "hamming", "hanning"):
    MADE[_name] = partial(getattr(ga, _name), 6)


@pytest.mark.parametrize("name", MADE)
def test_made_where_it_is_said(x, name):
    with config.set({"array.backend": "numpy"}):
        expected = MADE[name]()
        assert expected.backend == "numpy"
        for where in ({"like": x}, {"backend": "fake"}):
            made = MADE[name](**where)
            assert made.backend == "fake"
            np.testing.assert_allclose(made.compute(), expected.compute(), rtol=1e-13, atol=1e-15)


def test_a_permutation_of_an_array_is_where_it_is(x):
    rng = ga.random.default_rng(1)
    assert rng.permutation(x).backend == "fake"
    with pytest.raises(TypeError, match="the result is where the array is"):
        rng.permutation(x, like="numpy")
