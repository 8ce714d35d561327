import subprocess
import sys
from importlib.metadata import version

from gpuscale.checkup.packages import Installed, cuda_major, read_installed


def test_this_environment():
    found = read_installed()
    for name in ("gpuscale", "numpy", "numba", "llvmlite"):
        assert found.versions[name] == version(name)
    assert {"numpy", "donfig"} <= {each.name for each in found.requirements("gpuscale")}
    assert [each.name for each in found.requirements("gpuscale", "zarr")] == ["zarr"]
    shown = found.shown()
    assert shown["numpy"] == version("numpy")
    assert "ucx-py" in shown or "ucx-py" not in found.versions


def test_extras_of_extras():
    texts = ('a>=1; extra == "inner"', 'me[inner]; extra == "outer"', "b", 'c; extra == "outer"')
    found = Installed({}, {"me": texts})
    assert [str(each) for each in found.requirements("me")] == ["b"]
    assert [str(each) for each in found.requirements("me", "outer")] == ["a>=1", "c"]


def test_families():
    found = Installed({"cupy-cuda12x": "13.6.0", "rmm": "26.10", "ucx-py-cu12": "0.45"})
    assert found.of("cupy") == ["cupy-cuda12x"]
    assert (found.of("rmm"), found.of("cudf"), found.of("zarr")) == (["rmm"], [], [])
    shown = found.shown()
    assert (shown["cupy-cuda12x"], shown["ucx-py-cu12"], shown["cudf"]) == ("13.6.0", "0.45", None)
    assert "cupy" not in shown


def test_what_names_say_of_cuda():
    assert [cuda_major(name) for name in ("cupy-cuda11x", "cudf-cu13", "numpy")] == [11, 13, None]
    assert cuda_major("cuda-bindings", "") is None


def test_metadata_that_is_damaged_or_there_twice(tmp_path):
    for folder, said in {
        "first/numpy-9.9.dist-info": "Metadata-Version: 2.1\nName: NumPy\nVersion: 9.9\n",
        "second/numpy-8.8.dist-info": "Metadata-Version: 2.1\nName: numpy\nVersion: 8.8\n",
        "first/broken-1.dist-info": "",
        "first/half-1.dist-info": "Metadata-Version: 2.1\nName: half\n",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "METADATA").write_text(said)
    script = (
        "import sys; from gpuscale.checkup.packages import read_installed\n"
        f"sys.path[:0] = [{str(tmp_path / 'first')!r}, {str(tmp_path / 'second')!r}]\n"
        "found = read_installed(); print(found.versions['numpy'], found.versions['half'] or '-')"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["9.9", "-"]
