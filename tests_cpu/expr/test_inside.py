"""What messages call the tasks of physical nodes."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base.errors import MemoryBudgetError


def sort(chunk):
    return np.sort(chunk)


SMALL = {"memory_limit": "1 MiB"}


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda x: x.map_blocks(sort).T.sum().compute(**SMALL), "sum"),
        (lambda x: x.map_blocks(sort).T[:, :2].compute(**SMALL), "sort"),
        (lambda x: ga.store(x + 1, np.empty(x.shape), **SMALL), r"writing full\+add"),
        (
            lambda x: ga.store(x.map_blocks(sort).T, np.empty(x.shape[::-1]), **SMALL),
            "writing sort",
        ),
    ],
)
def test_refusals_name_what_the_user_has_written(compute, said):
    with pytest.raises(MemoryBudgetError, match=f"a task of {said}, written at .*test_inside"):
        compute(ga.ones((400, 500), chunks=(400, 500)))
