"""Tests that need a CUDA device: they skip themselves, with the reason, where there is none."""

import functools
import importlib
import warnings

import pytest


@functools.cache
def why_no_device() -> str | None:
    """Say why no device can be used here, None if one can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # CuPy warns about the toolkit it looks for
            cupy = importlib.import_module("cupy")
    except ImportError as error:
        return (
            "needs a CUDA device and CuPy: pip install 'gpuscale[cuda13]', or [cuda12] for drivers "
            f"before 580 ({error})"
        )
    # Importing proves nothing: CuPy imports on a machine without a driver.
    if cupy.cuda.is_available():
        return None
    return "needs a CUDA device, and CuPy finds none: nvidia-smi shows what the driver sees"


def pytest_collection_modifyitems(items):
    """Skip all tests of this folder where no device is."""
    reason = why_no_device()
    if reason is not None:
        for item in items:
            if item.path.is_relative_to(__file__.removesuffix("conftest.py")):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def cupy():
    """CuPy itself; test modules do not import it, so that they load on any machine."""
    return importlib.import_module("cupy")
