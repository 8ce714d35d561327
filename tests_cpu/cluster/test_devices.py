"""What CUDA_VISIBLE_DEVICES says, with drivers that are told what to answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.driver.devices import Device, Driver, Instance, State
from gpuscale.backends.driver.nvml import read_driver
from gpuscale.base.errors import ConfigError, EngineError
from gpuscale.cluster.devices import VisibleDevice, find_devices, read_names, rotated

NONE = Driver(State.ABSENT, "there is no NVIDIA driver here")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("0,1", ("0", "1")),
        (" 3 , 1 ", ("3", "1")),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("1,-1,0", ("1",)),
        (2, ("2",)),
        ([0, 1], ("0", "1")),
        (("GPU-1a", "MIG-2b"), ("GPU-1a", "MIG-2b")),
        ("MIG-GPU-8a/1/0", ("MIG-GPU-8a/1/0",)),
        ([], ()),
    ],
)
def test_what_is_read(value, names):
    assert read_names(value) == names


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0,0", "names 0 twice"),
        ("0,00", "names 0 twice"),
        ("0,,1", "'' is no device"),
        ("0;1", "'0;1' is no device"),
        ("all", "nvidia-smi -L"),
        ("-2", "'-2' is no device"),
        ([0.5], "neither a text nor a list"),
        ([None], "neither a text nor a list"),
        ([True], "neither a text nor a list"),
    ],
)
def test_what_cannot_be_read_is_refused(value, said):
    with pytest.raises(ConfigError, match=said):
        read_names(value)


@given(st.lists(st.integers(0, 63).map(str), min_size=1, unique=True), st.data())
def test_rotation_keeps_all_and_puts_one_first(names, data):
    first = data.draw(st.integers(0, len(names) - 1))
    found = read_names(rotated(names, first))
    assert found[0] == names[first]
    assert sorted(found) == sorted(names)


@pytest.fixture
def two(nvml):
    return read_driver(nvml.driver(nvml.gpu(0), nvml.gpu(4)))


def test_all_that_there_are(two):
    assert find_devices(None, {}, two) == (
        VisibleDevice("0", 80 << 30, "0-47"),
        VisibleDevice("1", 80 << 30, "48-95"),
    )


def test_what_the_environment_leaves(two):
    assert [each.name for each in find_devices(None, {"CUDA_VISIBLE_DEVICES": "1"}, two)] == ["1"]


def test_an_argument_goes_before_the_environment(two):
    found = find_devices([0], {"CUDA_VISIBLE_DEVICES": "1"}, two)
    assert [each.name for each in found] == ["0"]


def test_uuids(two):
    (found,) = find_devices("GPU-00000004", {}, two)
    assert found.cores == "48-95"


@pytest.mark.parametrize(
    ("value", "said"),
    [("7", "'7' is no device here; there are 0, 1"), ("0,GPU-00000000", "the same device twice")],
)
def test_names_of_other_devices_are_refused(two, value, said):
    with pytest.raises(ConfigError, match=said):
        find_devices(value, {}, two)


def test_instances_count_for_their_device():
    parts = (Instance("MIG-a1", "1g.10gb", 10, 0), Instance("MIG-b1", "1g.10gb", 10, 0))
    driver = Driver(
        State.WORKS, devices=(Device(0, mig=True, instances=parts, memory_total=80), Device(1))
    )
    found = find_devices(None, {}, driver)
    assert [(each.name, each.memory) for each in found] == [
        ("MIG-a1", 10),
        ("MIG-b1", 10),
        ("1", None),
    ]


@pytest.mark.parametrize(
    ("driver", "environment", "said"),
    [
        (NONE, {}, "there is no NVIDIA driver here; gpuscale.cluster.LocalCluster"),
        (NONE, {"CUDA_VISIBLE_DEVICES": "0"}, "there is no NVIDIA driver"),
        (Driver(State.BROKEN, "the driver does not answer"), {}, "the driver does not answer"),
        (Driver(State.UNASKED, "nvidia-ml-py is not installed"), {}, "install nvidia-ml-py"),
        (Driver(State.WORKS), {}, "the driver has no device"),
        (Driver(State.WORKS, devices=(Device(0),)), {"CUDA_VISIBLE_DEVICES": ""}, "is ''"),
    ],
)
def test_without_a_device_it_says_so(driver, environment, said):
    with pytest.raises(EngineError, match=said):
        find_devices(None, environment, driver)


def test_nobody_to_ask_and_devices_named():
    driver = Driver(State.UNASKED, "nvidia-ml-py is not installed")
    assert find_devices("0,1", {}, driver) == (VisibleDevice("0"), VisibleDevice("1"))


def test_devices_may_be_pretended():
    found = find_devices("0,1", {}, NONE, allow_no_device=True)
    assert [(each.name, each.is_there) for each in found] == [("0", False), ("1", False)]
    with pytest.raises(EngineError, match="needs devices to pretend"):
        find_devices(None, {}, NONE, allow_no_device=True)


def test_what_is_pretended_where_there_are_devices_must_be_there(two):
    with pytest.raises(ConfigError, match="no device here"):
        find_devices("7", {}, two, allow_no_device=True)
