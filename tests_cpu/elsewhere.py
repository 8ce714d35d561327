"""Tests of a folder elsewhere: which are left out, and which transfers devices may make.

A table for each place, TOML beside the tests, says so, with reasons; it is read where an option of
pytest sends the tests there. An entry is a path of the folder and the name of tests, * and ?
standing for anything, < and > for brackets; one that names no test is an error.
"""

import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

Places = Mapping[str, tuple[str, tuple[str, ...]]]
"""Name of each table, and the option of pytest and its values that have it read."""


class Tables:
    """The tables of a folder.

    Parameters
    ----------
    here : Path
    places : Places
    """

    def __init__(self, here: Path, places: Places) -> None:
        self.here, self.places = here, places
        self.unused: dict[str, list[str]] = {}
        self.allowed: frozenset[str] = frozenset()

    def read(self, name: str) -> dict[str, Any]:
        return tomllib.loads((self.here / f"{name}.toml").read_text())

    def mark(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Mark tests as the tables say that are read."""
        tables = {
            name: self.read(name)
            for name, (option, values) in self.places.items()
            if config.getoption(option) in values
        }
        self.allowed = frozenset(
            entry
            for table in tables.values()
            for group in table.get("transfers", [])
            for entry in group["allowed"]
        )
        ours = {item: name for item in items if (name := self._name(item)) is not None}
        self.unused = {name: self._mark(ours, name, table) for name, table in tables.items()}

    def _mark(
        self, ours: dict[pytest.Item, str], table_name: str, table: dict[str, Any]
    ) -> list[str]:
        """Mark the tests of a table, and return its entries that name none."""
        unused = []
        if "modules" in table:  # others have not been looked at
            why = f"{table_name}.toml: its module is not among those that run there"
            for item, name in ours.items():
                if name.partition("::")[0] not in table["modules"]:
                    item.add_marker(pytest.mark.skip(reason=why))
            unused += [each for each in table["modules"] if not (self.here / each).exists()]
        for mark, entry in _marks(table_name.replace("_", " "), table):
            found = [item for item, name in ours.items() if fnmatchcase(name, entry)]
            for item in found:
                item.add_marker(mark)
            module = entry.partition("::")[0]  # where none of these is asked for, it may be right
            collected = any(fnmatchcase(name, f"{module}::*") for name in ours.values())
            if not found and (collected or not any(self.here.glob(module))):
                unused.append(entry)
        return unused

    def _name(self, item: pytest.Item) -> str | None:
        """Return the id of a test as the table writes it; None where it is not of this folder."""
        if not item.path.is_relative_to(self.here):
            return None
        # An fnmatch pattern has its own meaning for brackets.
        within = item.nodeid.partition("::")[2].replace("[", "<").replace("]", ">")
        return f"{item.path.relative_to(self.here).as_posix()}::{within}"

    def watched(self, item: pytest.Item) -> Iterator[None]:
        """Run a test where a wrapper yields; fail if the library moved what it may not."""
        if item.config.getoption("--backend") != "fake":
            return (yield)
        from gpuscale.testing.fake_device import TRANSFERS

        TRANSFERS.clear()
        result = yield
        self.check_transfers(item)
        return result

    def check_transfers(self, item: pytest.Item) -> None:
        """Fail where the library moved data that nobody allowed it to move."""
        from gpuscale.testing.fake_device import TRANSFERS

        wrong = {
            f"{transfer.name} {transfer.function}": transfer.site
            for transfer in TRANSFERS.kinds()
            if transfer.function.startswith("gpuscale.")
        }
        wrong = {kind: site for kind, site in wrong.items() if kind not in self.allowed}
        assert not wrong, f"transfers that on_devices.toml does not allow: {wrong}"

    # -- tests of the tables themselves

    def check_entries(self, name: str) -> None:
        """Every entry names a test."""
        if name not in self.unused:
            option, values = self.places[name]
            pytest.skip(f"{name}.toml is read with {option} {' or '.join(values)}")
        assert not self.unused[name], f"these entries of {name}.toml name no test"

    def check_reasons(self, name: str) -> None:
        """Every entry has a reason."""
        table = self.read(name)
        for group in (*table["left-out"], *table.get("transfers", [])):
            assert group["reason"]
        for group in table.get("open", []):
            assert group["defect"]


def _marks(where: str, table: dict[str, Any]) -> Iterator[tuple[pytest.MarkDecorator, str]]:
    for group in table["left-out"]:
        mark = pytest.mark.skip(reason=f"{where}: {group['reason']}")
        yield from ((mark, entry) for entry in group["tests"])
    for group in table.get("open", []):
        mark = pytest.mark.xfail(reason=f"open: {group['defect']}", strict=True)
        yield from ((mark, entry) for entry in group["tests"])


def check_function(entry: str) -> None:
    """See that an entry of transfers names a call, and a function that there is."""
    name, _, path = entry.partition(" ")
    assert name.isidentifier()
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        assert callable(found)
        return
    raise AssertionError(f"no module of gpuscale holds {path}")
