"""Kernels without waiting for enough work, in a folder of their own."""

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen import run


@pytest.fixture(scope="session")
def kernel_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def always_compile(kernel_cache, monkeypatch):
    """Every block, however small, goes through a kernel."""
    monkeypatch.setattr(run, "SMALL", 1)
    with config.set({"codegen.min-elements": 0, "codegen.cache-dir": str(kernel_cache)}):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(42)
