"""The elements and the arithmetic of NumPy's quantiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.array.ranks import MEAN, METHODS, QuantileRule


def by_rule(array, q, method, dtype, weak=False):
    rule = QuantileRule(q, method, dtype, weak)
    ordered = np.sort(array)
    low, high = rule.neighbours(len(array))
    return rule.combine(ordered[low], ordered[high], len(array))


@pytest.mark.parametrize("method", METHODS)
@given(
    st.sampled_from(["u1", "i8", "f2", "f4", "f8"]),
    st.lists(st.integers(0, 200), min_size=1, max_size=30),
    st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), min_size=1, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_every_method_to_the_last_bit(method, dtype, elements, q):
    array = np.array(elements, dtype=dtype)
    expected = np.quantile(array, q, method=method)
    np.testing.assert_array_equal(by_rule(array, tuple(q), method, expected.dtype), expected)
    weak = np.asarray(np.quantile(array, q[0], method=method))
    np.testing.assert_array_equal(by_rule(array, (q[0],), method, weak.dtype, True), weak)


@pytest.mark.parametrize(
    "elements", [[3.0], [1.0, 2.0], [np.inf, np.inf], [5e307, 1.7e308, 1.6e308]]
)
def test_medians(elements):
    array = np.array(elements)
    found = by_rule(array, (0.5,), MEAN, array.dtype)
    np.testing.assert_array_equal(found, [np.median(array)])
