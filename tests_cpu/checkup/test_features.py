import tomllib
from pathlib import Path

import pytest

from gpuscale.backends.driver.devices import Device, Driver, State
from gpuscale.checkup.features import (
    _ON_CUDA_12,
    FEATURES,
    SLURM_COMMANDS,
    find_features,
    is_own_module,
)
from gpuscale.checkup.packages import FAMILIES, Installed

ABSENT = Driver(State.ABSENT, "there is no NVIDIA driver here")
CUDA_13 = Driver(State.WORKS, version="580.82", cuda=(13, 0), devices=(Device(0),))
CUDA_12 = Driver(State.WORKS, version="550.54", cuda=(12, 4), devices=(Device(0),))

BASE = {"numpy": "2.4.6", "numba": "0.68.1", "llvmlite": "0.50.0", "donfig": "0.8.1"}
OURS = (
    "numpy>=2.0",
    "donfig>=0.8",
    'zarr>=3.0; extra == "zarr"',
    'cupy-cuda13x>=13.6; extra == "cuda13"',
    'distributed-ucxx-cu13>=0.46; extra == "ucx"',
)


def find(name, versions=(), driver=ABSENT, visible=1, commands=(), modules=True):
    installed = Installed({**BASE, **dict(versions)}, {"gpuscale": OURS})
    found = find_features(
        installed,
        driver,
        visible,
        which=lambda command: command if command in commands else None,
        has_module=lambda name: modules,
    )
    (finding,) = [each for each in found if each.name == name]
    return finding


def test_every_feature_names_an_extra_that_brings_its_packages():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    texts = [f'{text}; extra == "{extra}"' for extra, all_ in extras.items() for text in all_]
    ours = Installed({}, {"gpuscale": (*project["dependencies"], *texts)})
    for feature in FEATURES:
        variants = {"cuda": ("cuda12", "cuda13"), "": (None,)}.get(feature.extra, (feature.extra,))
        for extra in variants:
            brought = {each.name for each in ours.requirements("gpuscale", extra)}
            for family in feature.packages:
                assert brought & set(FAMILIES.get(family, (family,))), (feature.name, extra, family)
    assert set(_ON_CUDA_12) <= set(extras)
    assert "nvidia-ml-py" in {each.name for each in ours.requirements("gpuscale", "cuda13")}


def test_the_base_install():
    assert find("arrays on the CPU").state == "works"
    installed = Installed({"numpy": "1.26"}, {"gpuscale": OURS})
    finding = find_features(installed, ABSENT, 0)[0]
    assert finding.state == "broken"
    assert finding.install == "pip install gpuscale"
    assert finding.why == (
        "not installed: numba, llvmlite, donfig",
        "numpy 1.26 is installed, gpuscale needs numpy>=2.0",
    )


def test_an_extra():
    assert find("Zarr", {"zarr": "3.1"}).state == "works"
    finding = find("Zarr")
    assert (finding.state, finding.why) == ("missing", ("not installed: zarr",))
    assert finding.install == "pip install 'gpuscale[zarr]'"
    old = find("Zarr", {"zarr": "2.18"})
    assert (old.state, old.install) == ("missing", finding.install)
    assert old.why == ("zarr 2.18 is installed, gpuscale needs zarr>=3.0",)


@pytest.mark.parametrize("versions", [{}, {"cupy-cuda13x": "14.0"}])
def test_a_machine_without_a_driver_is_not_broken(versions):
    finding = find("arrays on GPUs", versions)
    assert finding.state == "missing"
    assert finding.why[0] == "no NVIDIA driver"
    assert finding.install == ("" if versions else "pip install 'gpuscale[cuda13]'")


def test_without_a_driver_advice_is_for_the_cupy_that_is_there():
    kernels = find("CUDA kernels", {"cupy-cuda12x": "14.0"})
    assert kernels.install == "pip install 'gpuscale[cuda12]'"
    assert find("dataframes on GPUs", {"cupy-cuda12x": "14.0"}).install.endswith(" cudf-cu12")
    assert find("CUDA kernels", {"cupy": "14.0"}).install == "pip install 'gpuscale[cuda13]'"


def test_a_machine_with_a_driver():
    assert find("arrays on GPUs", driver=CUDA_12).install == "pip install 'gpuscale[cuda12]'"
    assert find("arrays on GPUs", driver=CUDA_13).install == "pip install 'gpuscale[cuda13]'"
    for driver in (CUDA_12, CUDA_13):
        assert find("arrays on GPUs", {"cupy-cuda12x": "14.0"}, driver).state == "works"
    assert find("arrays on GPUs", {"cupy": "14.0"}, CUDA_12).state == "works"
    finding = find("arrays on GPUs", {"cupy-cuda13x": "14.0"}, CUDA_12)
    assert finding.state == "broken"
    assert "cupy-cuda13x is for CUDA 13, and this driver runs CUDA 12" in finding.why[0]


def test_kernels_are_for_a_version_of_cuda_too():
    kernels = {"cupy-cuda12x": "14.0", "numba-cuda": "0.30.4", "cuda-bindings": "13.0.1"}
    assert find("CUDA kernels", kernels, CUDA_13).state == "works"
    assert find("CUDA kernels", kernels, CUDA_12).state == "broken"


def test_what_is_for_cuda_12_where_the_extra_is_for_13():
    assert find("dataframes on GPUs", driver=CUDA_12).install.endswith(" cudf-cu12")
    assert find("UCX between workers", driver=CUDA_12).install.endswith(
        "'distributed-ucxx-cu12>=0.46'"
    )
    assert find("UCX between workers", driver=CUDA_13).install == "pip install 'gpuscale[ucx]'"


def test_no_device_to_use():
    cupy = {"cupy-cuda13x": "14.0"}
    none = Driver(State.WORKS, cuda=(13, 0))
    assert find("arrays on GPUs", cupy, none).why == ("the driver has no device",)
    hidden = find("arrays on GPUs", cupy, CUDA_13, visible=0)
    assert hidden.why == ("CUDA_VISIBLE_DEVICES selects no device",)
    silent = Driver(State.BROKEN, "the driver does not answer (GPU is lost)")
    assert find("arrays on GPUs", cupy, silent).why == (silent.said,)
    unasked = Driver(State.UNASKED, "nvidia-ml-py is not installed", version="580.1")
    assert find("arrays on GPUs", cupy, unasked).state == "works"


def test_what_is_to_come():
    finding = find("clusters", modules=False)
    assert (finding.state, finding.install) == ("later", "")
    assert finding.why == ("gpuscale does not have it yet", "not installed: distributed")
    assert not is_own_module("gpuscale.no.such.module")
    assert is_own_module("gpuscale.memory.limits")


def test_slurm():
    there = {"distributed": "2026.8", "dask-jobqueue": "0.9", "cryptography": "50.0.2"}
    assert find("clusters on SLURM", there, commands=SLURM_COMMANDS).state == "works"
    finding = find("clusters on SLURM", there, commands=("srun", "sinfo"))
    assert (finding.state, finding.install) == ("missing", "")
    assert finding.why == ("not on PATH: sbatch, squeue, scancel",)


def test_the_placeholder_does_not_count():
    finding = find("UCX between workers", {"distributed-ucxx-cu13": "0.0.0a0"}, CUDA_13)
    assert finding.state == "missing"
    assert "needs distributed-ucxx-cu13>=0.46" in finding.why[0]
