"""The tests of arrays elsewhere: which are left out, and which transfers devices may make.

A table for each place, `on_devices.toml` with ``--backend fake`` or ``cupy`` and `on_clusters.toml`
with ``--engine distributed``, says so, with reasons; otherwise neither is read.
"""

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
#: Name of each table, and the option of pytest and its values that have it read.
TABLES = {
    "on_devices": ("--backend", ("fake", "cupy")),
    "on_clusters": ("--engine", ("distributed",)),
}
UNUSED = pytest.StashKey[dict[str, list[str]]]()
ALLOWED = pytest.StashKey[frozenset[str]]()


def read_table(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text())


@pytest.hookimpl(tryfirst=True)  # before any are deselected: an entry must name tests there are
def pytest_collection_modifyitems(config, items):
    tables = {
        name: read_table(name)
        for name, (option, values) in TABLES.items()
        if config.getoption(option) in values
    }
    config.stash[ALLOWED] = frozenset(
        entry
        for table in tables.values()
        for group in table.get("transfers", [])
        for entry in group["allowed"]
    )
    ours = {item: name for item in items if (name := _name(item)) is not None}
    config.stash[UNUSED] = {name: _mark(ours, name, table) for name, table in tables.items()}


def _mark(ours: dict[pytest.Item, str], table_name: str, table: dict[str, Any]) -> list[str]:
    """Mark the tests of a table, and return its entries that name none."""
    unused = []
    for mark, entry in _marks(table_name.replace("_", " "), table):
        found = [item for item, name in ours.items() if fnmatchcase(name, entry)]
        for item in found:
            item.add_marker(mark)
        module = entry.partition("::")[0]  # where none of these is asked for, it may be right
        collected = any(fnmatchcase(name, f"{module}::*") for name in ours.values())
        if not found and (collected or not any(HERE.glob(module))):
            unused.append(entry)
    return unused


def _name(item: pytest.Item) -> str | None:
    """Return the id of a test as the table writes it; None where it is not of this folder."""
    if not item.path.is_relative_to(HERE):
        return None
    # An fnmatch pattern has its own meaning for brackets.
    within = item.nodeid.partition("::")[2].replace("[", "<").replace("]", ">")
    return f"{item.path.relative_to(HERE).as_posix()}::{within}"


def _marks(where: str, table: dict[str, Any]) -> Iterator[tuple[pytest.MarkDecorator, str]]:
    for group in table["left-out"]:
        mark = pytest.mark.skip(reason=f"{where}: {group['reason']}")
        yield from ((mark, entry) for entry in group["tests"])
    for group in table.get("open", []):
        mark = pytest.mark.xfail(reason=f"open: {group['defect']}", strict=True)
        yield from ((mark, entry) for entry in group["tests"])


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
    """A test fails where the library moves data that nobody allowed it to move."""
    if item.config.getoption("--backend") != "fake":
        return (yield)
    from gpuscale.testing.fake_device import TRANSFERS

    TRANSFERS.clear()
    result = yield
    wrong = {
        f"{transfer.name} {transfer.function}": transfer.site
        for transfer in TRANSFERS.kinds()
        if transfer.function.startswith("gpuscale.")
    }
    wrong = {kind: site for kind, site in wrong.items() if kind not in item.config.stash[ALLOWED]}
    assert not wrong, f"transfers that on_devices.toml does not allow: {wrong}"
    return result
