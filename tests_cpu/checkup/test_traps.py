import pytest

from gpuscale.backends.driver.devices import Device, Driver, State
from gpuscale.checkup.packages import Installed
from gpuscale.checkup.traps import find_traps

NO_DRIVER = Driver(State.ABSENT)

CUDF = ("pandas<3.1,>=3.0", "numba<0.65,>=0.60", 'pytest<8; extra == "test"')


FITS = {"cudf-cu13": "26.10.2", "pandas": "3.0.5", "numba": "0.64.0"}


@pytest.mark.parametrize(
    ("versions", "is_broken", "words"),
    [
        ({"numba-cuda": "0.30.4", "numpy": "2.5.0"}, True, "pip install 'numpy<2.5'"),
        ({"numba-cuda": "0.22.0", "numpy": "2.6.1"}, True, "np.row_stack is gone"),
        ({"numba-cuda": "0.30.3", "numba": "0.66.0"}, True, "pip install 'numba-cuda>=0.30.4'"),
        ({"numba-cuda": "0.22.0", "numba": "0.68.1"}, True, "cannot be imported"),
        ({"distributed-ucxx-cu13": "0.0.0a0"}, True, "placeholder"),
        ({"distributed-ucxx": "0.0.0a0"}, True, "placeholder"),
        (
            {**FITS, "pandas": "3.1.1"},
            True,
            "and 3.1.1 is installed: pip install 'pandas<3.1,>=3.0'",
        ),
        ({**FITS, "numba": "0.68.1"}, True, "numba<0.65,>=0.60"),
        (
            {"cudf-cu13": "26.10.2", "pandas": "3.0"},
            True,
            "numba<0.65,>=0.60, which is not",
        ),
        ({"cupy-cuda12x": "13.6", "cupy-cuda13x": "14"}, True, "pip uninstall"),
        ({"cupy-cuda12x": "13.6", "cupy": "14"}, True, "overwrite each other's files"),
        ({"rmm-cu13": "26.10", "rmm-cu12": "26.10"}, True, "rmm-cu13 and rmm-cu12"),
        ({"cupy-cuda13x": "14.0", "rmm-cu12": "26.10"}, False, "different versions of CUDA"),
        ({"cupy-cuda13x": "14.0", "cuda-bindings": "12.9"}, False, "cuda-bindings for CUDA 12"),
        ({"ucx-py-cu12": "0.45"}, False, "archived"),
    ],
)
def test_each_trap(versions, is_broken, words):
    (trap,) = find_traps(Installed(versions, {"cudf-cu13": CUDF}), NO_DRIVER)
    assert trap.is_broken is is_broken
    assert words in trap.said


@pytest.mark.parametrize(
    "versions",
    [
        {},
        {"numba-cuda": "0.30.4", "numpy": "2.4.6"},
        {"numba-cuda": "0.31.0", "numpy": "2.5.0"},  # of which nobody knows
        {"numba-cuda": "0.22.0", "numba": "0.65.1"},
        {"numba-cuda": "0.30.4", "numba": "0.68.1"},
        {"numpy": "2.5.0"},
        {**FITS, "pytest": "9"},
        {"cudf": "26.10.2"},  # of conda, which has other names for what it needs
        {"cupy-cuda13x": "14.0", "rmm-cu13": "26.10", "cuda-bindings": "13.0.1"},
        {"distributed-ucxx-cu13": "0.52.0"},
    ],
)
def test_what_fits_together(versions):
    assert find_traps(Installed(versions, {"cudf-cu13": CUDF, "cudf": CUDF}), NO_DRIVER) == ()


def test_devices_that_are_too_old_for_cuda_13():
    volta = Device(0, name="Tesla V100", compute_capability=(7, 0))
    turing = Device(1, name="Tesla T4", compute_capability=(7, 5))
    driver = Driver(State.WORKS, cuda=(13, 0), devices=(volta, turing, Device(2)))
    (trap,) = find_traps(Installed({"cupy-cuda13x": "14.0"}), driver)
    assert trap.is_broken and "Tesla V100" in trap.said and "gpuscale[cuda12]" in trap.said
    assert find_traps(Installed({"cupy-cuda12x": "14.0"}), driver) == ()


def test_devices_that_cuda_does_not_show():
    closed = Device(0, compute_mode="prohibited")
    uncut = Device(1, mig=True)
    unknown = Device(2, mig=True, unanswered={"MIG instances": "No Permission"})
    driver = Driver(State.WORKS, cuda=(13, 0), devices=(closed, uncut, unknown))
    traps = find_traps(Installed({}), driver)
    assert [trap.said[:5] for trap in traps] == ["GPU 1", "GPU 0"]
    assert not any(trap.is_broken for trap in traps)
