"""The tests of arrays elsewhere, by the tables beside this file; see `elsewhere`."""

from pathlib import Path

import pytest

from ..elsewhere import Tables

TABLES = Tables(
    Path(__file__).parent,
    {
        "on_devices": ("--backend", ("fake", "cupy")),
        "on_clusters": ("--engine", ("distributed",)),
    },
)


@pytest.hookimpl(tryfirst=True)  # before any are deselected: an entry must name tests there are
def pytest_collection_modifyitems(config, items):
    TABLES.mark(config, items)


@pytest.fixture(scope="module")
def pretended(request):
    """Namespace of the fake device, for tests that say of their data that it lies there.

    On CuPy the others are on the host then: by the option it would be a third place.
    """
    from gpuscale.base import config
    from gpuscale.testing import fake_device

    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield fake_device.fake
        return
    with config.set({"array.backend": "numpy"}), fake_device.active() as xp:
        yield xp


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from TABLES.watched(item))
