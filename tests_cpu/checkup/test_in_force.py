"""Options that are in force and cannot work are told, with what to do."""

import json
import subprocess
import sys

import pytest

from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.nvml import read_driver
from gpuscale.base import config
from gpuscale.checkup.doctor import examine
from gpuscale.checkup.packages import Installed

BASE = {"numpy": "2.4.6", "numba": "0.68.1", "llvmlite": "0.50.0"}
ABSENT = Driver(State.ABSENT, "there is no NVIDIA driver here")


def told(options, installed=BASE, driver=ABSENT, broken=True):
    with config.set(options):
        traps = examine(Installed(installed), driver, {}).traps
    return [trap.said for trap in traps if trap.is_broken is broken]


def test_a_backend_that_is_not_there():
    (said,) = told({"array.backend": "cupy"})
    assert said == (
        "option array.backend is 'cupy': no NVIDIA driver; not installed: cupy; pip install "
        "'gpuscale[cuda13]', or set it to 'numpy' to compute on the host"
    )
    assert told({}) == []


def test_a_backend_that_is_there(nvml):
    driver = read_driver(nvml.driver(nvml.gpu(0)))
    assert told({"array.backend": "cupy"}, {**BASE, "cupy-cuda13x": "14.2"}, driver) == []


def test_pools_that_contradict_each_other_and_pools_without_rmm():
    sizes = {"rmm-pool-size": "2 GiB", "rmm-maximum-pool-size": "1 GiB"}
    (said,) = told(sizes)
    assert "rmm-pool-size" in said
    (said,) = told({"rmm-pool-size": "2 GiB"}, broken=False)
    assert said.startswith("without effect: option rmm-pool-size: no NVIDIA driver; not installed")


def test_an_engine_that_cannot_be_loaded(monkeypatch, tmp_path):
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gpuscale.engines]\nplugged = not_there:Engine\n")
    monkeypatch.syspath_prepend(tmp_path)
    (said,) = told({"engine": "plugged"})
    assert "option engine is 'plugged', which cannot be loaded (ModuleNotFoundError" in said


def test_folders_that_cannot_be_written():
    (said,) = told({"temporary-directory": "/proc"})
    assert "/proc cannot be written" in said and "set the option temporary-directory" in said
    (said,) = told({"codegen.cache-dir": "/proc"}, broken=False)
    assert said.startswith("kernel cache: /proc cannot be written")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GPUSCALE_ENGINE", "junk", "option engine cannot be 'junk'"),
        ("GPUSCALE_ARRAY__BACKEND", "cpu", "it takes 'numpy' or 'cupy'"),
        ("GPUSCALE_NUM_WORKERS", "many", "it takes int, at least 0"),
        ("GPUSCALE_MEMORY_LIMIT", "lots", "option memory-limit: cannot read 'lots' as a size"),
        ("GPUSCALE_COLOUR", "red", "no option colour"),
    ],
)
def test_the_command_tells_of_variables_that_cannot_be_read(monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    command = [sys.executable, "-m", "gpuscale.cli", "doctor"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (1, "")
    assert said in run.stdout and f"environment variable {variable}" in run.stdout
    assert "some cannot be read, see the end" in run.stdout and "cores" in run.stdout


def test_one_wrong_option_leaves_the_others_in_force(monkeypatch):
    monkeypatch.setenv("GPUSCALE_NUM_WORKERS", "many")
    monkeypatch.setenv("GPUSCALE_MEMORY_LIMIT", "3 GiB")
    run = subprocess.run(
        [sys.executable, "-m", "gpuscale.cli", "doctor", "--json"], capture_output=True, text=True
    )
    found = json.loads(run.stdout)
    assert "num-workers" in found["config_error"] and found["machine"]["cores"] >= 1
    assert {each["option"]: each["nbytes"] for each in found["limits"]}["memory-limit"] == 3 << 30


def test_a_limit_of_nothing_and_a_configuration_that_is_not_there(tmp_path):
    (said,) = told({"memory-limit": 0})
    assert said.startswith("option memory-limit is 0, which nothing fits")
    for path, is_there in ((tmp_path, True), (tmp_path / "no.yaml", False)):
        traps = examine(Installed(BASE), ABSENT, {"GPUSCALE_CONFIG": str(path)}).traps
        assert any("GPUSCALE_CONFIG names" in trap.said for trap in traps) is not is_there
