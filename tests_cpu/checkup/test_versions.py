import pytest

from gpuscale.checkup.versions import canonical, parse_requirement, release


@pytest.mark.parametrize(
    ("requirement", "version", "allowed"),
    [
        ("numpy<2.5", "2.4.6", True),
        ("numpy<2.5", "2.5", False),
        ("numpy<2.5", "2.5.0", False),
        ("numpy>=2", "2.0.0", True),
        ("numpy >= 2.0", "1.26.4", False),
        ("pandas (>=3.0,<3.1)", "3.0.9", True),
        ("pandas>=3.0,<3.1", "3.1.0", False),
        ("rmm-cu13==26.10.*", "26.10.2", True),
        ("rmm-cu13==26.10.*", "26.8.0", False),
        ("rmm-cu13!=26.10.*", "26.10.2", False),
        ("dask==2026.7.1", "2026.7.1", True),
        ("dask==2026.7.1", "2026.8.0", False),
        ("dask!=2026.7.1", "2026.7.1", False),
        ("dask===1.0+local", "1.0", False),
        ("packaging", "26.4", True),
        ("cuda-core~=0.5.1", "0.5.9", True),
        ("cuda-core~=0.5.1", "0.6.0", False),
        ("cuda-core~=0.5", "0.6", True),
        ("llvmlite<0.51,>=0.50.0dev0", "0.50.0", True),
        ("x>1.0", "1.0.0", False),
        ("x<=1.0", "1", True),
    ],
)
def test_bounds(requirement, version, allowed):
    assert parse_requirement(requirement).allows(version) is allowed


@pytest.mark.parametrize(
    "text",
    [
        'tomli>=2; python_version < "3.11"',
        'zarr; extra == "zarr" and python_version > "3"',
        "here @ file:///tmp/here",
        "odd ~~ 3",
        "",
    ],
)
def test_what_is_left_to_the_installer(text):
    assert parse_requirement(text) is None


def test_names_extras_and_markers():
    found = parse_requirement("numba_cuda[cu13, Test]>=0.22 ; extra == 'cuda13'")
    assert (found.name, found.extras, found.extra) == ("numba-cuda", ("cu13", "test"), "cuda13")
    assert str(found) == "numba-cuda>=0.22"
    assert parse_requirement('bokeh>=3.6; (extra == "Report")').extra == "report"
    assert canonical("Foo__Bar.baz") == "foo-bar-baz"
    assert release("no version") == ()


def test_against_the_library_that_installers_use():
    requirements = pytest.importorskip("packaging.requirements")
    bounds = ["==1.2", "!=1.2", "<1.2", "<=1.2", ">1.2", ">=1.2", "~=1.2", "==1.*", "!=1.2.*"]
    for bound in bounds:
        for version in ("0.9", "1", "1.2", "1.2.0", "1.2.1", "1.3", "1.20", "2.0"):
            theirs = requirements.Requirement(f"x{bound}").specifier.contains(version)
            assert parse_requirement(f"x{bound}").allows(version) == theirs, (bound, version)
