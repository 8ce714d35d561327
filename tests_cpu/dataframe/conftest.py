"""The tests of frames elsewhere, by the tables beside this file; see `elsewhere`."""

from pathlib import Path

import pytest

from ..elsewhere import Tables

TABLES = Tables(
    Path(__file__).parent,
    {
        "on_devices": ("--backend", ("fake", "cudf")),
        "on_clusters": ("--engine", ("distributed",)),
    },
)


@pytest.hookimpl(tryfirst=True)  # before any are deselected: an entry must name tests there are
def pytest_collection_modifyitems(config, items):
    TABLES.mark(config, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from TABLES.watched(item))
