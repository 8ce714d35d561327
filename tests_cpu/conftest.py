"""Tests that need no device: the same on every machine, whatever its user has configured."""

import os
import shutil
import tempfile

from hypothesis import settings

# Machines of continuous integration are slow by turns, and a timed test is no test.
settings.register_profile("gpuscale", deadline=None)
settings.load_profile("gpuscale")


def pytest_configure(config):
    """Keep options and compiled kernels of the user out, in this process and those it starts."""
    for name in [name for name in os.environ if name.startswith("GPUSCALE_")]:
        if not hasattr(config, "workerinput"):  # a worker of xdist inherits what is set below
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        scratch = tempfile.mkdtemp(prefix="gpuscale-tests-")
        config.add_cleanup(lambda: shutil.rmtree(scratch, ignore_errors=True))
        os.environ["GPUSCALE_CONFIG"] = os.path.join(scratch, "no-such-file.yaml")
        os.environ["GPUSCALE_CODEGEN__CACHE_DIR"] = os.path.join(scratch, "kernels")
