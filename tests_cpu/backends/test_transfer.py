import numpy as np
import pytest

from gpuscale.backends import transfer
from gpuscale.backends.creation import register_backend, unregister_backend
from gpuscale.backends.seams import array_namespace, backend_name, on_device, to_host
from gpuscale.base.errors import BackendError, NotSupportedError
from gpuscale.testing import fake_device


class Boxed:
    """An array of another library: nothing but its data."""

    def __init__(self, data):
        self.data = data


class Boxes:
    """Its namespace."""

    asarray = staticmethod(Boxed)


@pytest.fixture
def boxes():
    array_namespace.register(Boxed)(lambda data: Boxes)
    backend_name.register(Boxed)(lambda data: "boxes")
    to_host.register(Boxed)(lambda data: data.data)
    register_backend("boxes", lambda: Boxes)
    yield
    unregister_backend("boxes")


def test_to_a_device_and_back(boxes):
    x = np.arange(3)
    boxed = transfer.to_device(x, "boxes")
    assert isinstance(boxed, Boxed)
    assert transfer.to_device(boxed, "boxes") is boxed
    assert transfer.to_device(boxed, "numpy") is x
    assert transfer.to_host([boxed, {"a": boxed}]) == [x, {"a": x}]


def test_unknown_targets_and_data():
    with pytest.raises(BackendError, match="there is no backend 'nowhere'"):
        transfer.to_device(np.arange(3), "nowhere")
    with pytest.raises(NotSupportedError, match="backend_name is not supported"):
        transfer.to_device("text", "numpy")


def test_where_containers_lie_is_asked_of_few_levels():
    with fake_device.active() as xp:
        x = xp.arange(3)
        assert on_device([{"a": (x,)}])
    ring = []
    ring += [ring, ring]
    assert not on_device(ring)
