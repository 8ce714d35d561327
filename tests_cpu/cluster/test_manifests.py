"""Manifests for Kubernetes, word by word and against its schema; `UPDATE_GOLDEN=1` writes them."""

import copy
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from gpuscale.base.errors import ConfigError
from gpuscale.cli.reading import read
from gpuscale.cluster.manifests import operator_resource, to_manifests
from gpuscale.cluster.option import Taker

GOLDEN = Path(__file__).parent / "golden"
TAKERS = {taker.value: taker for taker in Taker}


class Credentials:
    """As of distributed.Security, but the same each time."""

    def get_tls_config_for_role(self, role):
        return {"ca_file": "CERT\n", "cert": "CERT\n", "key": "KEY\n", "ciphers": None}


OPTIONS = {"image": "registry/gpuscale:1", "n_workers": 4, "env": {"GPUSCALE_SPILL": "on"}}
MADE = {
    "cpu": to_manifests("cpu", **OPTIONS, insecure=True),
    "gpu": to_manifests(
        "gpu",
        **OPTIONS,
        gpus=2,
        namespace="physics",
        resources={"limits": {"memory": "64Gi"}, "requests": {"cpu": "8"}},
        worker_args=["--rmm-pool-size", "0.8"],
        security=Credentials(),
    ),
    "operator": [operator_resource("operated", **OPTIONS, gpus=1)],
}


def same_as(path, text):
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    return text == path.read_text()


@pytest.mark.parametrize("kind", MADE)
def test_manifests(kind):
    text = yaml.safe_dump_all(copy.deepcopy(MADE[kind]), sort_keys=False)
    assert same_as(GOLDEN / f"kubernetes-{kind}.yaml", text)


def containers():
    for each in [*MADE["cpu"], *MADE["gpu"]]:
        if each["kind"] == "Deployment":
            yield from each["spec"]["template"]["spec"]["containers"]
    for role in ("scheduler", "worker"):
        yield from MADE["operator"][0]["spec"][role]["spec"]["containers"]


@pytest.mark.parametrize("container", [*containers()], ids=lambda each: each["args"][0])
def test_our_commands_take_what_is_written(container):
    command, *arguments = container["args"]
    read(TAKERS[command], "", arguments)


def test_what_is_written_is_what_kubernetes_takes():
    schema = pytest.importorskip("kubernetes_validate", exc_type=ModuleNotFoundError)
    (custom,) = MADE["operator"]
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": role}, **{"spec": part["spec"]}}
        for role, part in custom["spec"].items()
        if role in ("scheduler", "worker")
    ]
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
        "spec": custom["spec"]["scheduler"]["service"],
    }  # fmt: skip
    for manifest in [*MADE["cpu"], *MADE["gpu"], *pods, service]:
        schema.validate(manifest, "1.34", strict=True)
    wrong = copy.deepcopy(MADE["cpu"][-1])
    wrong["spec"]["template"]["spec"]["containers"][0]["arguments"] = []
    with pytest.raises(schema.ValidationError):
        schema.validate(wrong, "1.34", strict=True)


def test_services_put_no_variables_into_pods():
    """That of a cluster called gpuscale would be GPUSCALE_SCHEDULER_PORT, which is no option."""
    (custom,) = MADE["operator"]
    pods = [
        each["spec"]["template"]["spec"] for each in MADE["gpu"] if each["kind"] == "Deployment"
    ]
    pods += [custom["spec"][role]["spec"] for role in ("scheduler", "worker")]
    assert [pod["enableServiceLinks"] for pod in pods] == [False] * 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "insecure=True"),
        ({"security": Credentials(), "insecure": True}, "insecure=True"),
        ({"name": "Mine", "insecure": True}, "small letters"),
        ({"name": "a" * 54, "insecure": True}, "at most 53"),
        ({"resources": {"memory": "4Gi"}, "insecure": True}, "'limits'"),
    ],
)
def test_mistakes(options, words):
    with pytest.raises(ConfigError, match=words):
        to_manifests(image="i", **options)


def test_files_of_certificates_are_no_secret():
    distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    with pytest.raises(ConfigError, match="temporary"):
        to_manifests(image="i", security=distributed.Security(tls_scheduler_key="key.pem"))


@pytest.fixture
def kube_cluster(monkeypatch):
    """`KubeCluster` over a stand-in for dask-kubernetes, which keeps what it is given."""

    class Stub:
        def __init__(self, **options):
            self.options = options

    package, operator = ModuleType("dask_kubernetes"), ModuleType("dask_kubernetes.operator")
    operator.KubeCluster, package.operator = Stub, operator
    monkeypatch.setitem(sys.modules, "dask_kubernetes", package)
    monkeypatch.setitem(sys.modules, "dask_kubernetes.operator", operator)
    monkeypatch.delitem(sys.modules, "gpuscale.cluster.kubernetes", raising=False)
    yield importlib.import_module("gpuscale.cluster.kubernetes").KubeCluster
    monkeypatch.delitem(sys.modules, "gpuscale.cluster.kubernetes")


def test_the_operator_is_given_our_commands(kube_cluster):
    given = {"name": "operated", **OPTIONS, "gpus": 1}
    made = kube_cluster(**given, insecure=True, namespace="physics").options
    assert made["custom_cluster_spec"] == MADE["operator"][0]
    assert made["worker_command"] == ["gpuscale-cuda-worker", "--insecure"]
    assert made["namespace"] == "physics"
    own = {"metadata": {"name": "own"}}
    assert (
        kube_cluster(custom_cluster_spec=own, insecure=True).options["custom_cluster_spec"] is own
    )
    with pytest.raises(ConfigError, match="to_manifests"):
        kube_cluster(**given)
    with pytest.raises(ConfigError, match="image="):
        kube_cluster(name="operated", insecure=True)
