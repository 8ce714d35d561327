"""Values are functions of key, index and parameters; they follow their distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpuscale.kernels.philox.distributions.sampling import FLOAT32, TILE, result_dtype, sample

from .cases import CONTINUOUS, DISCRETE, SCALARS, VECTORS

KEY = (0xDEADBEEF, 0x01234567)
SIZE = 60_000


@pytest.mark.parametrize(("name", "parameters"), SCALARS + VECTORS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_split_of_the_indices_gives_the_same_values(name, parameters, data):
    start = data.draw(st.integers(0, 2**40))
    index = start + np.arange(60)
    whole = sample(name, KEY, index, parameters)
    cuts = sorted(data.draw(st.lists(st.integers(0, 60), max_size=3)))
    parts = [sample(name, KEY, part, parameters) for part in np.split(index, cuts)]
    shuffled = data.draw(st.permutations(range(60)))
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(sample(name, KEY, index[shuffled], parameters), whole[shuffled])


@pytest.mark.parametrize(("name", "parameters"), SCALARS + VECTORS)
def test_tiles_and_shapes_do_not_matter(name, parameters):
    index = np.arange(TILE - 100, TILE + 100)
    whole = sample(name, KEY, np.arange(TILE + 100), parameters)
    assert np.array_equal(sample(name, KEY, index, parameters), whole[TILE - 100 :])
    table = sample(name, KEY, index.reshape(2, 5, 20), parameters)
    assert np.array_equal(table.reshape(whole[TILE - 100 :].shape), whole[TILE - 100 :])


@pytest.mark.parametrize(("name", "parameters"), SCALARS + VECTORS)
def test_compiled_loops_give_the_same_bits(name, parameters):
    index = np.arange(3000)
    expected = sample(name, KEY, index, parameters)
    assert np.array_equal(sample(name, KEY, index, parameters, compiled=True), expected)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("name", "parameters"), SCALARS)
def test_parameters_that_vary_by_element_give_each_its_own_value(name, parameters, compiled):
    index = np.arange(300).reshape(3, 100)
    expected = sample(name, KEY, index, parameters)
    varied = []
    for parameter in parameters:
        column = np.full((3, 1), parameter)
        column[1] = parameter // 2 if np.asarray(parameter).dtype.kind in "iu" else parameter * 0.9
        varied.append(column)
    found = sample(name, KEY, index, varied, compiled=compiled)
    assert np.array_equal(found[[0, 2]], expected[[0, 2]])


@pytest.mark.parametrize(("name", "parameters", "law"), CONTINUOUS)
def test_continuous_distributions(name, parameters, law):
    drawn = sample(name, KEY, np.arange(SIZE), parameters, compiled=True)
    assert drawn.dtype == np.float64
    assert stats.kstest(drawn, law.cdf).pvalue > 0.005


def cells(law):
    """Return right edges of up to sixty cells of whole numbers that hold nearly everything."""
    edges = np.unique(law.ppf(np.linspace(0.002, 0.998, 60)))
    return edges, np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))


@pytest.mark.parametrize(("name", "parameters", "law"), DISCRETE)
def test_discrete_distributions(name, parameters, law):
    drawn = sample(name, KEY, np.arange(SIZE), parameters, compiled=True)
    assert drawn.dtype == np.int64
    edges, shares = cells(law)
    found = np.bincount(np.searchsorted(edges, drawn), minlength=shares.size)
    likely = shares * SIZE > 5.0
    assert abs(found[~likely].sum() - shares[~likely].sum() * SIZE) < 25
    assert likely.sum() > 1
    expected = shares[likely] * found[likely].sum() / shares[likely].sum()
    assert stats.chisquare(found[likely], expected).pvalue > 0.005


@pytest.mark.parametrize("name", sorted(FLOAT32))
def test_float32_draws_have_a_form_of_their_own(name):
    single = sample(name, KEY, np.arange(SIZE), dtype=np.float32)
    law = {"random": "uniform", "standard_normal": "norm", "standard_exponential": "expon"}[name]
    assert single.dtype == np.float32
    assert stats.kstest(single.astype(np.float64), law).pvalue > 0.005


def test_results_are_cast():
    assert sample("gamma", KEY, np.arange(3), (2.0, 1.0), np.float32).dtype == np.float32
    assert sample("integers", KEY, np.arange(9), (np.int64(0), np.uint64(1)), bool).dtype == bool
    assert result_dtype("bits64") == np.uint64


@pytest.mark.parametrize(("name", "parameters"), SCALARS + VECTORS)
def test_no_elements(name, parameters):
    assert sample(name, KEY, np.arange(0), parameters).shape[0] == 0


def test_unknown_distributions_are_refused():
    with pytest.raises(KeyError):
        sample("gauss", KEY, np.arange(3))


def test_streams_of_different_keys_are_unrelated():
    index = np.arange(SIZE)
    one, other = (sample("gamma", (k, 0), index, (2.0, 1.0)) for k in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(SIZE)


def test_neighbouring_rejection_draws_are_unrelated():
    drawn = sample("gamma", KEY, np.arange(SIZE), (0.5, 1.0), compiled=True)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / np.sqrt(SIZE)
