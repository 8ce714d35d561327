"""Random arrays: one seed gives one array, however it is cut; NumPy's names and exceptions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import chunks

SCALARS = {
    "beta": (2.0, 3.0),
    "binomial": (10, 0.3),
    "chisquare": (3.0,),
    "exponential": (2.0,),
    "f": (5.0, 7.0),
    "gamma": (2.0, 1.5),
    "geometric": (0.2,),
    "gumbel": (1.0, 2.0),
    "hypergeometric": (10, 20, 15),
    "integers": (-5, 1000),
    "laplace": (1.0, 2.0),
    "logistic": (1.0, 2.0),
    "lognormal": (0.5, 0.7),
    "logseries": (0.6,),
    "negative_binomial": (3, 0.4),
    "noncentral_chisquare": (3.0, 2.0),
    "noncentral_f": (5.0, 20.0, 1.0),
    "normal": (1.0, 2.0),
    "pareto": (2.5,),
    "poisson": (4.0,),
    "power": (3.0,),
    "random": (),
    "rayleigh": (2.0,),
    "standard_cauchy": (),
    "standard_exponential": (),
    "standard_gamma": (1.5,),
    "standard_normal": (),
    "standard_t": (5.0,),
    "triangular": (1.0, 2.0, 4.0),
    "uniform": (1.0, 3.0),
    "vonmises": (0.0, 2.0),
    "wald": (3.0, 2.0),
    "weibull": (1.5,),
    "zipf": (3.0,),
}
VECTORS = {
    "dirichlet": ([1.0, 2.0, 3.0],),
    "multinomial": (10, [0.2, 0.3, 0.5]),
    "multivariate_hypergeometric": ([5, 7, 4], 6),
    "multivariate_normal": ([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]]),
}
SHAPE = (7, 10)


@pytest.mark.parametrize("name", [*SCALARS, *VECTORS])
@settings(max_examples=4)
@given(st.data())
def test_chunks_do_not_change_numbers(name, data):
    args = {**SCALARS, **VECTORS}[name]
    cut = data.draw(chunks(SHAPE))
    whole = getattr(ga.random.default_rng(5), name)(*args, size=SHAPE, chunks=-1)
    pieces = getattr(ga.random.default_rng(5), name)(*args, size=SHAPE, chunks=cut)
    assert pieces.chunks[:2] == cut
    expected = whole.compute(engine="sync")
    assert whole.dtype == pieces.dtype == expected.dtype
    np.testing.assert_array_equal(pieces.compute(engine="sync"), expected)


@pytest.mark.parametrize("name", ["random", "standard_normal", "standard_exponential"])
def test_single_precision(name):
    cut = [getattr(ga.random.default_rng(5), name)(9, dtype="float32", chunks=c) for c in (2, 9)]
    assert cut[0].dtype == np.float32
    np.testing.assert_array_equal(cut[0].compute(), cut[1].compute())


LAWS = {
    "random": stats.uniform,
    "normal": stats.norm(1, 2),
    "exponential": stats.expon(scale=2),
    "gamma": stats.gamma(2, scale=1.5),
    "beta": stats.beta(2, 3),
    "standard_t": stats.t(5),
    "wald": stats.invgauss(1.5, scale=2),
}


@pytest.mark.parametrize("name", LAWS)
def test_distributions_by_kolmogorov_and_smirnov(name):
    x = getattr(ga.random.default_rng(11), name)(*SCALARS[name], size=(60, 70), chunks=25)
    assert stats.kstest(x.compute(engine="sync").ravel(), LAWS[name].cdf).pvalue > 1e-4


@settings(max_examples=10)
@given(st.data())
def test_parameters_may_be_arrays(data):
    low = np.arange(6.0).reshape(2, 3)
    cut = data.draw(chunks((2, 3)))
    lazy = ga.from_array(low, chunks=data.draw(chunks((2, 3))))
    a = ga.random.default_rng(1).uniform(low, low + 0.5, chunks=cut).compute()
    b = ga.random.default_rng(1).uniform(lazy, lazy + 0.5).compute()
    np.testing.assert_array_equal(a, b)
    assert (a >= low).all()
    assert (a < low + 0.5).all()
    counts = ga.random.default_rng(1).poisson(low, size=(4, 2, 3)).compute()
    assert counts.shape == (4, 2, 3)
    assert (counts[:, 0, 0] == 0).all()


def test_drawing_is_lazy():
    rng = ga.random.default_rng(0)
    with nothing_computes():
        x = rng.normal(size=(10**6, 10**6), chunks="1 GiB")
        assert x.nbytes == 8 * 10**12
        for name, args in {**SCALARS, **VECTORS}.items():
            assert getattr(rng, name)(*args, size=4, chunks=2).shape[0] == 4


def test_bytes_and_integers():
    assert len(ga.random.default_rng(1).bytes(13)) == 13
    x = ga.random.default_rng(1).integers(0, 5, 1000, dtype="uint8", endpoint=True).compute()
    assert x.dtype == np.uint8
    assert set(x.tolist()) == set(range(6))
    assert set(ga.random.default_rng(1).integers(2, size=50, dtype=bool).compute()) == {0, 1}


BAD = [
    ("normal", (0, -1), {}, ValueError),
    ("binomial", (5, 1.5), {}, ValueError),
    ("exponential", (-1,), {}, ValueError),
    ("uniform", (0, np.inf), {"size": 3}, OverflowError),
    ("integers", (5, 5), {}, ValueError),
    ("integers", (300,), {"dtype": "int8"}, ValueError),
    ("multinomial", (5, [0.9, 0.9, 0.9]), {}, ValueError),
    ("multivariate_normal", ([0, 0], [[1]]), {}, ValueError),
    ("choice", ([1, 2],), {"size": 3, "replace": False}, ValueError),
    ("random", (-1,), {}, ValueError),
    ("gamma", (), {}, TypeError),
    ("beta", (1, 2), {"nonsense": 3}, TypeError),
    ("random", (3,), {"dtype": "int32"}, TypeError),
    ("normal", ([0, 1],), {"size": 3}, ValueError),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "error"), BAD)
def test_bad_input_raises_what_numpy_raises(name, args, kwargs, error):
    with pytest.raises(error):
        getattr(np.random.default_rng(), name)(*args, **kwargs)
    with pytest.raises(error):
        getattr(ga.random.default_rng(), name)(*args, **kwargs)


def test_the_namespace_draws_from_one_generator():
    ga.random.seed(8)
    x, y = ga.random((3, 4), chunks=2), ga.random.normal(size=5)
    ga.random.seed(8)
    np.testing.assert_array_equal(ga.random.random((3, 4)).compute(), x.compute())
    np.testing.assert_array_equal(ga.random.normal(size=5).compute(), y.compute())
    state = ga.random.RandomState(8)
    np.testing.assert_array_equal(state.rand(3, 4).compute(), x.compute())
    assert state.randn(2, 3).shape == (2, 3)
    assert set(state.randint(1, 3, 60).compute()) == {1, 2}
    assert set(state.random_integers(1, 3, 60).compute()) == {1, 2, 3}


@pytest.mark.parametrize("chunk", [500, 10_000, 100_000])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, **where: rng.integers(0, 9, dtype="i1", **where),
        lambda rng, **where: rng.noncentral_f(3.0, 4.0, 1.0, **where),
        lambda rng, **where: rng.dirichlet([1.0, 2.0, 3.0], **where),
        lambda rng, **where: rng.poisson(ga.ones(where["size"], chunks=where["chunks"]), **where),
    ],
    ids=["integers", "noncentral_f", "dirichlet", "poisson"],
)
def test_drawing_takes_what_is_projected(draw, chunk):
    size = min(200_000, 40 * chunk)
    assert_room_is_enough(draw(ga.random.default_rng(1), size=size, chunks=chunk))
