"""Matrices count as large here, so that they are worked on by blocks."""

import pytest

from gpuscale.base import config


@pytest.fixture(params=["blocks", "whole"])
def way(request):
    """Both ways: block by block, and put together for LAPACK."""
    size = 1 if request.param == "blocks" else "1 MiB"
    with config.set({"array.chunk-size": size}):
        yield request.param
