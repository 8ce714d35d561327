import pytest

from gpuscale.testing import fake_device


@pytest.fixture
def xp():
    """The namespace of the fake device, with nothing counted yet."""
    with fake_device.active() as namespace:
        fake_device.TRANSFERS.clear()
        yield namespace
