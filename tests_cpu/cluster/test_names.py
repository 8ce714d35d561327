"""Each name of `gpuscale.cluster` is there, and on a page."""

import re
from pathlib import Path

import pytest

from gpuscale import cluster

PAGES = [
    path.read_text()
    for name in ("clusters", "deploy", "deploy-slurm")
    for path in [Path(__file__).parents[2] / "docs" / "pages" / f"{name}.md"]
]


@pytest.mark.parametrize("name", dir(cluster))
def test_names_are_documented(name):
    assert any(re.search(rf"\b{name}\b", page) for page in PAGES)


@pytest.mark.parametrize("name", dir(cluster))
def test_names_are_there(name):
    pytest.importorskip("gpuscale.cluster.jobqueue", exc_type=ModuleNotFoundError)
    if name == "KubeCluster":
        pytest.importorskip("dask_kubernetes", exc_type=ModuleNotFoundError)
    assert getattr(cluster, name) is not None


def test_all_names_are_there_without_the_extra_of_some():
    pytest.importorskip("gpuscale.cluster.jobqueue", exc_type=ModuleNotFoundError)
    found = {}
    exec("from gpuscale.cluster import *", found)
    assert "Client" in found
