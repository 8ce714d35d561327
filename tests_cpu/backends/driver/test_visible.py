import pytest

from gpuscale.backends.driver.devices import Device, Instance
from gpuscale.backends.driver.visible import select

PARTS = tuple(Instance(f"MIG-{each}", None, None, None) for each in ("a1", "a2", "b1"))
DEVICES = [
    Device(0, name="H100", uuid="GPU-11", instances=PARTS),
    Device(1, name="H100", uuid="GPU-12"),
    Device(2, name="H100", uuid="GPU-21"),
]


@pytest.mark.parametrize(
    ("value", "chosen", "devices"),
    [
        ("0", ["GPU 0"], (0,)),
        ("2, 0", ["GPU 2", "GPU 0"], (2, 0)),
        ("", [], ()),
        ("-1", [], ()),
        ("NoDevFiles", [], ()),
        ("1,-1,0", ["GPU 1"], (1,)),
        ("GPU-12", ["GPU 1"], (1,)),
        ("GPU-2", ["GPU 2"], (2,)),
        ("MIG-a1", ["MIG-a1"], (0,)),
        ("MIG-a2,MIG-b", ["MIG-a2", "MIG-b1"], (0,)),
    ],
)
def test_what_is_selected(value, chosen, devices):
    found = select({"CUDA_VISIBLE_DEVICES": value}, DEVICES)
    assert (list(found.chosen), found.devices, found.warning) == (chosen, devices, "")
    assert found.said == (", ".join(chosen) or "no device")


def test_not_set():
    found = select({}, DEVICES)
    assert (found.value, found.devices, found.said) == (None, (0, 1, 2), "not set: all devices")


@pytest.mark.parametrize(
    ("value", "chosen", "words"),
    [
        ("1,7,0", ["GPU 1"], "'7' names no device"),
        ("GPU-1", [], "'GPU-1' names no device"),
        ("MIG-z", [], "'MIG-z' names no device"),
        ("0,gpu", ["GPU 0"], "'gpu' names no device"),
        ("0,0", ["GPU 0"], "named twice"),
    ],
)
def test_mistakes(value, chosen, words):
    found = select({"CUDA_VISIBLE_DEVICES": value}, DEVICES)
    assert list(found.chosen) == chosen
    assert words in found.warning


def test_numbers_of_devices_that_differ():
    devices = [Device(0, name="T4", uuid="GPU-1"), Device(1, name="H100", uuid="GPU-2")]
    assert "fastest first" in select({"CUDA_VISIBLE_DEVICES": "0"}, devices).warning
    by_bus = {"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert select(by_bus, devices).warning == ""
    assert select({"CUDA_VISIBLE_DEVICES": "GPU-2"}, devices).warning == ""


def test_nothing_is_claimed_without_devices():
    found = select({"CUDA_VISIBLE_DEVICES": "0"}, [])
    assert (found.chosen, found.warning) == ((), "")
    assert found.said == "nothing that is known here, as no device is"
