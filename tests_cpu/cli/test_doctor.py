import json
import subprocess
import sys

import pytest

import gpuscale
from gpuscale.backends.driver.devices import Driver, State
from gpuscale.checkup import doctor as examining
from gpuscale.checkup.packages import Installed
from gpuscale.cli.main import main

BARE = Driver(State.ABSENT, "there is no NVIDIA driver here")


@pytest.fixture
def bare(monkeypatch):
    """A machine without a driver, with what gpuscale itself requires."""
    installed = Installed({"numpy": "2.4.6", "numba": "0.68.1", "llvmlite": "0.50.0"})
    monkeypatch.setattr(examining, "ask_driver", lambda: BARE)
    monkeypatch.setattr(examining, "read_installed", lambda: installed)


def test_text(bare, capsys):
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.startswith("gpuscale")
    assert "there is no NVIDIA driver here" in str(gpuscale.doctor())


def test_json(bare, capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["driver"]["state"] == "absent"
    assert (found["ok"], found["self_test"]) == (True, None)


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"]])
def test_the_status_says_that_something_is_broken(arguments, monkeypatch, capsys):
    lost = Driver(State.BROKEN, "the driver does not answer (GPU is lost)")
    monkeypatch.setattr(examining, "ask_driver", lambda: lost)
    assert main(arguments) == 1
    assert "GPU is lost" in capsys.readouterr().out


def test_the_self_test_on_request(tmp_path):
    command = [sys.executable, "-m", "gpuscale.cli", "doctor", "--self-test", "--json"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(run.stdout)["self_test"]["cpu"]["failed"] == ""


def test_options_that_cannot_be_read():
    command = [sys.executable, "-m", "gpuscale.cli", "doctor"]
    environment = {"GPUSCALE_MEMORY_LIMIT": "much", "PATH": "/usr/bin:/bin"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 1, run.stderr
    assert "option memory-limit: cannot read 'much' as a size" in run.stdout
    assert "Traceback" not in run.stderr
