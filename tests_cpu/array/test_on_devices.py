"""The table of tests and transfers on devices says what is true."""

from importlib import import_module

import pytest

from .conftest import UNUSED, read_table

TABLE = read_table()
ALLOWED = [entry for group in TABLE["transfers"] for entry in group["allowed"]]


def test_every_entry_names_a_test(request):
    if request.config.getoption("--backend") == "numpy":
        pytest.skip("the table is read with --backend fake")
    assert not request.config.stash[UNUSED], "these entries of on_devices.toml name no test"


def test_every_entry_has_a_reason():
    for group in (*TABLE["left-out"], *TABLE["transfers"]):
        assert group["reason"]
    for group in TABLE.get("open", []):
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
