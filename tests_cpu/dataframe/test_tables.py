"""The table of tests on devices says what is true."""

import pytest

from ..elsewhere import check_function
from .conftest import TABLES

ALLOWED = [entry for group in TABLES.read("on_devices")["transfers"] for entry in group["allowed"]]


@pytest.mark.parametrize("name", TABLES.places)
def test_every_entry_names_a_test(name):
    TABLES.check_entries(name)


@pytest.mark.parametrize("name", TABLES.places)
def test_every_entry_has_a_reason(name):
    TABLES.check_reasons(name)


@pytest.mark.parametrize("entry", ALLOWED)
def test_transfers_are_allowed_to_functions_that_there_are(entry):
    check_function(entry)
