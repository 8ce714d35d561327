"""Importing the package is cheap: beyond NumPy it loads the standard library and itself alone."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

# What may not be loaded, named one by one so that a failure says it plainly.
HEAVY = ["bokeh", "cudf", "cupy", "dask", "distributed", "donfig", "fsspec", "h5py", "numba"]
HEAVY += ["pandas", "pyarrow", "ray", "rmm", "scipy", "tqdm", "ucxx", "yaml", "zarr"]


def modules_after(statement: str) -> set[str]:
    """Return the modules that a fresh process holds after a statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {*result.stdout.split()}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh process holds after a statement."""
    return {name.partition(".")[0] for name in modules_after(statement)}


@pytest.mark.parametrize("statement", ["import gpuscale", "import gpuscale.array"])
def test_nothing_heavy_is_loaded(statement):
    loaded = loaded_by(statement)
    assert "gpuscale" in loaded
    assert loaded & {*HEAVY} == set()
    beyond_numpy = loaded - loaded_by("import numpy") - {*sys.stdlib_module_names}
    assert beyond_numpy == {"gpuscale"}


def test_a_first_compute_loads_neither_pictures_nor_the_internet():
    first = "import gpuscale.array as ga; ga.ones(4, chunks=2).sum().compute()"
    loaded = modules_after(first)
    assert "gpuscale.run" in loaded
    assert loaded & {"http.client", "urllib.request", "xml.sax.saxutils", "html.entities"} == set()
    assert loaded & {f"gpuscale.diagnostics.{name}" for name in ("drawing", "record")} == set()


def test_public_names_are_found_on_first_use():
    script = "import gpuscale; print([getattr(gpuscale, name) for name in gpuscale.__all__])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "gpuscale.base.config" in result.stdout


def test_a_name_that_does_not_exist():
    import gpuscale

    assert {"array", "compute", "config"} <= {*dir(gpuscale)}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gpuscale.nothing  # noqa: B018


def test_an_import_of_a_name_of_others_says_what_to_do_instead():
    import gpuscale

    with pytest.raises(ImportError, match=r"'LocalCluster': gpuscale\.cluster has"):
        from gpuscale import LocalCluster  # noqa: F401
    with pytest.raises(ImportError, match=r"'MultiLock': take several gpuscale\.Lock"):
        from gpuscale import Client, MultiLock  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from gpuscale import nothing  # noqa: F401
    assert not hasattr(gpuscale, "LocalCluster")
    assert getattr(gpuscale, "get_worker", None) is None
    assert importlib.util.find_spec("gpuscale.LocalCluster") is None


def test_dir_shows_what_users_may_say():
    import gpuscale.array as ga

    shown = set(dir(ga))
    assert {"Array", "compute", "linalg", "overlap", "pi", "newaxis", "float32", "sum"} <= shown
    assert not {"Any", "ModuleType", "TYPE_CHECKING", "calls", "importlib", "protocols"} & shown
    assert all(hasattr(ga, name) for name in shown)


def test_the_kernels_are_found_from_within_a_clone_without_an_editable_install():
    script = (
        "import sys\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "import gpuscale.kernels, gpuscale.array as ga\n"
        "print(gpuscale.kernels.__file__, ga.random.random(3).compute().shape)"
    )
    clone = Path(__file__).parents[1]
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
    assert result.stdout.split(maxsplit=1) == [str(clone / "kernels/__init__.py"), "(3,)\n"]


def test_the_package_does_not_hold_itself():
    assert importlib.util.find_spec("gpuscale.gpuscale") is None
    assert importlib.util.find_spec("gpuscale.kernels.philox") is not None
