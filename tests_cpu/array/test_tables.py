"""The tables of tests on devices and on clusters say what is true."""

from importlib import import_module

import pytest

from .conftest import TABLES, UNUSED, read_table

ALLOWED = [entry for group in read_table("on_devices")["transfers"] for entry in group["allowed"]]


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_names_a_test(request, name):
    if name not in request.config.stash[UNUSED]:
        option, values = TABLES[name]
        pytest.skip(f"{name}.toml is read with {option} {' or '.join(values)}")
    assert not request.config.stash[UNUSED][name], f"these entries of {name}.toml name no test"


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_has_a_reason(name):
    table = read_table(name)
    for group in (*table["left-out"], *table.get("transfers", [])):
        assert group["reason"]
    for group in table.get("open", []):
        assert group["defect"]


@pytest.mark.parametrize("entry", ALLOWED)
def test_transfers_are_allowed_to_functions_that_there_are(entry):
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
