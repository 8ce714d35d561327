import pytest

from gpuscale.testing import fake_device


@pytest.fixture
def xp(request):
    """The namespace of the fake device, with nothing counted yet."""
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        fake_device.TRANSFERS.clear()
        yield fake_device.fake
        return
    with fake_device.active() as namespace:
        fake_device.TRANSFERS.clear()
        yield namespace
