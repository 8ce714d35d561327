import json
import subprocess
import sys

import gpuscale
from gpuscale.backends.driver.devices import Driver, State
from gpuscale.backends.driver.nvml import read_driver
from gpuscale.base.errors import ConfigError
from gpuscale.checkup import doctor as examining
from gpuscale.checkup.doctor import examine
from gpuscale.checkup.machine import read_limits
from gpuscale.checkup.packages import Installed, read_installed

BASE = {"numpy": "2.4.6", "numba": "0.68.1", "llvmlite": "0.50.0"}
ABSENT = Driver(State.ABSENT, "there is no NVIDIA driver here")


def states(found):
    return {each.name: each.state for each in found.features}


def test_this_environment():
    found = gpuscale.doctor()
    assert found.ok is (found.broken == ())
    assert found.version == gpuscale.__version__
    assert states(found)["arrays on the CPU"] == "works"
    assert repr(found) == str(found)
    assert json.loads(json.dumps(found.to_dict()))["ok"] is found.ok


def test_values_are_plain(nvml):
    part = {"name": "MIG 3g.40gb", "uuid": "MIG-1", "memory": (40 << 30, 0)}
    driver = read_driver(nvml.driver(nvml.gpu(0, parts={0: part}), nvml.gpu(1)))
    found = json.loads(json.dumps(examine(read_installed(), driver, {}).to_dict()))
    assert found["driver"]["state"] == "works"
    first = found["driver"]["devices"][0]
    assert (first["compute_capability"], first["instances"][0]["uuid"]) == ([9, 0], "MIG-1")
    assert found["driver"]["links"] == [{"first": 0, "second": 1, "path": "SYS", "peer": "OK"}]
    assert found["visible"]["devices"] == [0, 1]


def test_no_library_of_a_device_is_imported(tmp_path):
    """A driver answers and all is installed: still nothing that could make a context is loaded."""
    for name in ("cupy", "rmm", "cudf", "ucxx"):
        (tmp_path / f"{name}.py").write_text("raise AssertionError(f'{__name__} was imported')")
    (tmp_path / "pynvml.py").write_text(
        "class NVMLError(Exception): pass\n"
        "def nvmlInit(): pass\n"
        "def nvmlShutdown(): pass\n"
        "def nvmlSystemGetDriverVersion(): return '580.82'\n"
        "def nvmlDeviceGetCount(): return 1\n"
        "def nvmlDeviceGetHandleByIndex(index): return index\n"
        "def nvmlDeviceGetName(handle): return 'GPU of a test'\n"
    )
    for name in ("cupy_cuda13x", "rmm_cu13", "numba_cuda"):
        info = tmp_path / f"{name}-99.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n")
    script = (
        "import sys, gpuscale\n"
        "class Guard:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        forbidden = ('cupy', 'numba', 'rmm', 'cudf', 'ucxx', 'distributed', 'pandas')\n"
        "        assert name.partition('.')[0] not in forbidden, f'{name} was imported'\n"
        "sys.meta_path.insert(0, Guard())\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "found = gpuscale.doctor()\n"
        "text = str(found)\n"
        "assert 'GPU of a test' in text and 'cupy-cuda13x' in text, text\n"
        "assert found.features[1].state == 'works', found.features[1]\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_nothing_is_computed_unless_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(examining, "run_self_test", lambda *arguments: asked.append(arguments))
    examine(Installed(BASE), ABSENT, {})
    assert asked == []
    examine(Installed(BASE), ABSENT, {}, self_test=True)
    assert len(asked) == 1


def test_what_is_missing_is_not_broken():
    for versions in (BASE, {**BASE, "cupy-cuda13x": "14.0"}):
        assert examine(Installed(versions), ABSENT, {"CUDA_VISIBLE_DEVICES": ""}).ok


def test_what_is_broken(nvml):
    cuda_12 = read_driver(nvml.driver(nvml.gpu(0), cuda=12040, driver="550.54"))
    found = examine(Installed({**BASE, "cupy-cuda13x": "14.0"}), cuda_12, {})
    assert not found.ok
    assert any("cupy-cuda13x is for CUDA 13" in words for words in found.broken)
    lost = Driver(State.BROKEN, "the driver does not answer (GPU is lost)")
    assert examine(Installed(BASE), lost, {}).broken == (f"driver: {lost.said}",)
    placeholder = Installed({**BASE, "distributed-ucxx": "0.0.0a0"})
    assert "placeholder" in examine(placeholder, ABSENT, {}).broken[0]
    archived = Installed({**BASE, "ucx-py": "0.45"})
    assert examine(archived, ABSENT, {}).ok


def test_a_spill_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with gpuscale.config.set({"temporary-directory": str(tmp_path / "file")}):
        (words,) = examine(Installed(BASE), ABSENT, {}).broken
        assert words.startswith(f"spill folder: {tmp_path / 'file'} is no folder; set the option ")
        with gpuscale.config.set({"spill": False}):
            assert examine(Installed(BASE), ABSENT, {}).ok


def test_options_that_cannot_be_read(monkeypatch):
    mistakes = ["option engine cannot be 3 (int)\noption spill cannot be 7 (int)"]

    def refuse_first(*arguments):
        if mistakes:
            raise ConfigError(mistakes.pop())
        return read_limits(*arguments)

    monkeypatch.setattr(examining, "read_limits", refuse_first)
    found = examine(Installed(BASE), ABSENT, {}, self_test=True)
    assert found.machine.cores >= 1 and found.limits and found.self_test is None
    assert found.broken == (
        "options: option engine cannot be 3 (int)",
        "options: option spill cannot be 7 (int)",
    )
    assert "some cannot be read, see the end" in str(found)
    assert "option spill cannot be 7" in str(found)
