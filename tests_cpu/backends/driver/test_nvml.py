import pytest

from gpuscale.backends.driver import nvml as asking
from gpuscale.backends.driver.devices import State
from gpuscale.backends.driver.nvml import module_version, read_driver, without_nvml


def test_one_device(nvml):
    library = nvml.driver(nvml.gpu(0), cuda=12040, driver="550.54.15")
    found = read_driver(library)
    assert not library.is_open
    assert (found.state, found.version, found.cuda) == (State.WORKS, "550.54.15", (12, 4))
    (device,) = found.devices
    assert (device.name, device.uuid) == ("NVIDIA H100 80GB HBM3", "GPU-00000000-aaaa")
    assert (device.memory_total, device.memory_used) == (80 << 30, 1 << 30)
    assert (device.compute_capability, device.persistence) == ((9, 0), True)
    assert (device.bus, device.cores) == ("00000000:10:00.0", "0-47")
    assert (device.compute_mode, device.is_virtual) == ("default", False)
    assert device.unanswered == {"MIG": "Not Supported", "NVLink": "Not Supported"}
    assert (device.mig, device.nvlinks, found.links) == (None, None, ())


def test_eight_devices_behind_switches(nvml):
    switches = [b"00000000:AA:00.0"] * 18
    found = read_driver(nvml.driver(*(nvml.gpu(k, nvlinks=switches) for k in range(8))))
    assert [device.nvlinks for device in found.devices] == [18] * 8
    assert len(found.links) == 28
    assert {(link.path, link.peer) for link in found.links} == {("NV18", "OK")}
    assert [found.devices[k].cores for k in (0, 7)] == ["0-47", "48-95"]


def test_devices_that_are_linked_directly(nvml):
    bus = [nvml.gpu(k)["bus"] for k in range(3)]
    ends = [[bus[1], bus[1], bus[2]], [bus[0], bus[0], None], [bus[0].lower()]]
    found = read_driver(nvml.driver(*(nvml.gpu(k, nvlinks=ends[k]) for k in range(3))))
    assert [device.nvlinks for device in found.devices] == [3, 2, 1]
    assert [link.path for link in found.links][:2] == ["NV2", "NV1"]


@pytest.mark.parametrize(
    ("level", "path"), [(10, "PIX"), (20, "PXB"), (30, "PHB"), (40, "NODE"), (50, "SYS"), (7, "?")]
)
def test_devices_without_nvlink(nvml, level, path):
    pair = [nvml.gpu(k, ancestor=level, peer=1) for k in range(2)]
    (link,) = read_driver(nvml.driver(*pair)).links
    assert (link.path, link.peer) == (path, "the chipset does not support it")


def test_parts_of_a_device(nvml):
    part = {"name": "NVIDIA H100 MIG 3g.40gb", "uuid": "MIG-1", "memory": (40 << 30, 0)}
    hidden = {**part, "uuid": "MIG-2", "silent": {"nvmlDeviceGetMemoryInfo": "No Permission"}}
    cut, whole = nvml.gpu(0, parts={0: part, 4: hidden}), nvml.gpu(1, parts=None)
    first, second = read_driver(nvml.driver(cut, whole)).devices
    assert (first.mig, second.mig, second.instances) == (True, False, ())
    assert [each.uuid for each in first.instances] == ["MIG-1", "MIG-2"]
    assert [each.memory_total for each in first.instances] == [40 << 30, None]
    assert first.unanswered == {"NVLink": "Not Supported", "MIG slot 4: memory": "No Permission"}


def test_an_old_driver_and_an_old_library(nvml):
    silent = {
        "nvmlSystemGetCudaDriverVersion": "Function Not Found",
        "nvmlDeviceGetMigMode": "Function Not Found",
        "nvmlDeviceGetP2PStatus": None,
        "nvmlDeviceGetTopologyCommonAncestor": None,
    }
    found = read_driver(nvml.driver(nvml.gpu(0), nvml.gpu(1), driver=b"390.157", silent=silent))
    assert (found.version, found.cuda, found.cuda_major) == ("390.157", None, 11)
    assert found.unanswered == {"CUDA version": "Function Not Found"}
    assert found.devices[0].unanswered["MIG"] == "Function Not Found"
    (link,) = found.links
    assert link.path == "?"
    assert link.peer == "not answered: this nvidia-ml-py has no nvmlDeviceGetP2PStatus"


def test_a_device_that_one_may_not_ask(nvml):
    denied = nvml.gpu(0, silent={"nvmlDeviceGetHandleByIndex": "Insufficient Permissions"})
    first, second = read_driver(nvml.driver(denied, nvml.gpu(1))).devices
    assert first.unanswered == {"handle": "Insufficient Permissions"}
    assert (first.name, second.name) == (None, "NVIDIA H100 80GB HBM3")


def test_a_virtual_device_answers_little(nvml):
    names = ("MemoryInfo", "PersistenceMode", "CpuAffinity", "PciInfo")
    silent = {f"nvmlDeviceGet{name}": "Not Supported" for name in names}
    (device,) = read_driver(nvml.driver(nvml.gpu(0, silent=silent, virtualization=2))).devices
    assert device.is_virtual
    assert (device.memory_total, device.persistence, device.cores, device.bus) == (None,) * 4
    assert set(device.unanswered.values()) == {"Not Supported"}


def test_an_answer_that_the_library_trips_over(nvml, monkeypatch):
    library = nvml.driver(nvml.gpu(0))
    monkeypatch.setattr(nvml.driver, "nvmlDeviceGetName", lambda *arguments: 1 // 0)
    (device,) = read_driver(library).devices
    assert device.unanswered["name"].startswith("integer division")


def test_no_driver(nvml, tmp_path):
    for error in (nvml.library_not_found(), nvml.driver_not_loaded()):
        found = read_driver(nvml.driver(no_init=error))
        assert found.state is State.ABSENT
        assert found.said == f"there is no NVIDIA driver here ({error})"


def test_a_driver_that_does_not_answer(nvml):
    words = "RM has detected an NVML/RM version mismatch."
    found = read_driver(nvml.driver(no_init=nvml.NVMLError(words)))
    assert (found.state, found.devices) == (State.BROKEN, ())
    assert words in found.said


def test_a_module_without_its_library(nvml, tmp_path):
    module = tmp_path / "version"
    module.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5\n")
    found = asking._silent(nvml.driver(), nvml.library_not_found(), str(module))
    assert (found.state, found.version) == (State.BROKEN, "550.54.15")


def test_a_driver_and_nothing_to_ask_it_with(tmp_path):
    module, library = tmp_path / "version", tmp_path / "libnvidia-ml.so.1"
    assert module_version(str(module)) is None
    assert without_nvml(str(module), str(library)).state is State.ABSENT
    library.touch()
    assert without_nvml(str(module), str(library)).state is State.UNASKED
    module.write_text("something else\n")
    assert without_nvml(str(module), str(tmp_path)).version is None
    module.write_text("NVRM version: NVIDIA UNIX Open Kernel Module  580.65.06  Release\n")
    found = without_nvml(str(module), str(library))
    assert (found.state, found.version, found.cuda_major) == (State.UNASKED, "580.65.06", 13)


def test_the_real_library_has_all_that_is_asked(nvml):
    pynvml = pytest.importorskip("pynvml", reason="needs nvidia-ml-py")
    asked = {name for name in dir(nvml.driver) if name.startswith("nvml")}
    assert {name for name in asked if not callable(getattr(pynvml, name, None))} == set()
    for name in ("NVMLError", "NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded"):
        assert issubclass(getattr(pynvml, name), Exception)
    assert str(pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)) == "Not Found"
    assert str(pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)) == "Not Supported"


def test_the_real_library_on_this_machine():
    pytest.importorskip("pynvml", reason="needs nvidia-ml-py")
    found = asking.ask_driver()
    assert found.state is not State.UNASKED
    assert found.devices or found.said


def test_a_library_that_cannot_be_imported(tmp_path, monkeypatch):
    (tmp_path / "pynvml.py").write_text("raise OSError('half an installation')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "pynvml", raising=False)
    found = asking.ask_driver()
    assert found.state is State.BROKEN
    assert "half an installation" in found.said
