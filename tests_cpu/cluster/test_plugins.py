"""The plugins that users of dask.distributed know are at their place."""

import pytest

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)


def test_plugins_are_those_of_distributed():
    from distributed.diagnostics import plugin

    from gpuscale.cluster import plugins

    assert {"NannyPlugin", "PipInstall", "SchedulerPlugin", "UploadFile"} <= {*plugins.__all__}
    for name in plugins.__all__:
        assert getattr(plugins, name) is getattr(plugin, name)
