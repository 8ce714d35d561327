"""Every example in a docstring of gpuscale and of the kernels runs and shows what it says."""

import doctest
import importlib
import pkgutil

import pytest

import gpuscale
import gpuscale.kernels

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# Modules behind these stay unread where the extra that brings them is not installed.
OPTIONAL = {
    "cudf",
    "cupy",
    "dask_jobqueue",
    "dask_kubernetes",
    "distributed",
    "h5py",
    "pandas",
    "pyarrow",
    "sqlalchemy",
}
OPTIONAL |= {"numba_cuda", "rmm", "ucxx", "zarr"}


def module_names() -> list[str]:
    found = {"gpuscale"}
    for package in (gpuscale, gpuscale.kernels):
        walk = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        found |= {package.__name__, *(module.name for module in walk)}
    return sorted(found)


@pytest.mark.parametrize("name", module_names())
def test_examples(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in OPTIONAL:
            raise
        pytest.skip(f"{missing} is not installed")
    failed, _ = doctest.testmod(module, optionflags=FLAGS)
    assert failed == 0, "see the captured output"
