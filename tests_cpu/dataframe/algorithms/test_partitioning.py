"""Rows go where their keys say, by compiled loops or without any."""

import numpy as np
import pandas as pd
import pytest

from gpuscale.base import config
from gpuscale.dataframe.algorithms.partitioning import HashCut

RNG = np.random.default_rng(0)
KEYS = {
    "int64": RNG.integers(-(2**63), 2**63 - 1, 300),
    "int8": RNG.integers(-9, 9, 300).astype("int8"),
    "uint64": RNG.integers(0, 2**64 - 1, 300, dtype="uint64"),
    "bool": RNG.integers(0, 2, 300).astype(bool),
    "float64": RNG.choice([0.0, -0.0, np.nan, -np.nan, np.inf, 1.5], 300),
    "float32": RNG.normal(size=300).astype("float32"),
    "between others": RNG.integers(0, 50, (300, 2))[:, 1],
    "none": np.zeros(0),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("count", [1, 9, 129])
def test_compiled_loops_cut_as_numpy_does(key, count):
    frame = pd.DataFrame({"k": pd.Series(KEYS[key], copy=False), "x": np.arange(len(KEYS[key]))})
    cuts = []
    for options in ({"codegen.enabled": False}, {"codegen.min-elements": 0}):
        with config.set(options):
            cuts.append(HashCut(("k",), count)(frame))
    pd.testing.assert_frame_equal(cuts[0].rows, cuts[1].rows)
    assert cuts[0].ends.tolist() == cuts[1].ends.tolist()
    assert sum(len(cuts[1][k]) for k in range(count)) == len(frame)
