"""What is free to read again: index functions, memory, cheap work on them."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.array.rules.free import is_free

MEMORY = ga.from_array(np.ones((4, 4)), chunks=2)

FREE = {
    "index function": ga.arange(9),
    "memory": MEMORY,
    "view": MEMORY.T[::-1],
    "cheap": MEMORY + MEMORY.T * 2,
}
NOT_FREE = {
    "dear": ga.sin(MEMORY) ** MEMORY,
    "function": ga.map_blocks(np.sort, MEMORY, dtype=float),
    "view of it": ga.map_blocks(np.sort, MEMORY, dtype=float).T,
    "reduction": MEMORY.sum(axis=0),
    "much cheap work": sum((MEMORY * k for k in range(20)), MEMORY),
}


@pytest.mark.parametrize("name", FREE)
def test_free(name):
    assert is_free(FREE[name].expr)


@pytest.mark.parametrize("name", NOT_FREE)
def test_not_free(name):
    assert not is_free(NOT_FREE[name].expr)


def test_expressions_deeper_than_the_stack():
    x = MEMORY
    for _ in range(3000):
        x = x + 1
    assert not is_free(x.expr)
