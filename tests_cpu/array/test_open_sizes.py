"""Results whose size data decide: they are measured, and no plan is refused for a bound of them."""

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError

DATA = np.random.default_rng(0).random((600, 400))
FEW = {
    "mask": (lambda x: x[x > 0.999], DATA[DATA > 0.999]),
    "rows": (lambda x: x[x[:, 0] > 0.99], DATA[DATA[:, 0] > 0.99]),
    "nonzero": (lambda x: ga.nonzero(x > 0.999)[1], np.nonzero(DATA > 0.999)[1]),
}


@pytest.mark.parametrize("name", FEW)
def test_few_elements_are_not_refused_for_what_they_might_be(name):
    function, expected = FEW[name]
    x = ga.from_array(DATA, chunks=(89, 36)).map_blocks(np.copy, dtype=float)
    with config.set({"memory-limit": DATA.nbytes // 5, "num-workers": 2}):
        np.testing.assert_array_equal(function(x).compute(), expected)


def test_known_sizes_are_refused_beside_them():
    x = ga.from_array(DATA, chunks=(89, 36)).map_blocks(np.copy, dtype=float)
    with (
        config.set({"memory-limit": DATA.nbytes // 5}),
        pytest.raises(MemoryBudgetError, match="more than the memory limit"),
    ):
        gpuscale.compute(x[x > 0.999], x)
