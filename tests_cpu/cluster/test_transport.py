"""Which protocol is taken, with trials that work, fail, crash and hang."""

import json
import os
import re
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from gpuscale.base.errors import EngineError
from gpuscale.cluster import transport
from gpuscale.cluster.transport import choose_protocol, try_ucx, ucx_environment

HAS_UCX = all(find_spec(name) for name in ("ucxx", "distributed_ucxx"))


@pytest.mark.parametrize(
    ("wanted", "protocol"), [(None, "tcp"), ("tcp://", "tcp"), ("tls", "tls"), ("ws", "ws")]
)
def test_what_is_said_is_taken(wanted, protocol):
    assert choose_protocol(wanted) == protocol


@pytest.mark.parametrize(
    ("why", "protocol", "said"),
    [("", "ucx", "workers talk by UCX"), ("it hangs", "tcp", "TCP, since .* used: it hangs")],
)
def test_auto_says_which_it_takes(why, protocol, said, caplog):
    caplog.set_level("INFO", "gpuscale.cluster")
    asked = []
    found = choose_protocol("auto", {"UCX_TLS": "tcp"}, attempt=lambda e: asked.append(e) or why)
    assert found == protocol
    assert asked == [{"UCX_TLS": "tcp"}]
    (record,) = caplog.records
    assert re.search(said, record.message)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("pass", ""),
        ("raise SystemExit('no network')", "its trial failed with status 1: no network"),
        ("import os; os.abort()", "its trial failed with status -6: it said nothing"),
        ("import time; time.sleep(60)", "its trial took longer than 0.5 s"),
        ("import os; assert os.environ['UCX_TLS'] == 'tcp'; time", "NameError"),
    ],
)
def test_a_trial_that_fails_or_hangs_is_said(program, why):
    began = time.monotonic()
    patience = 0.5 if "sleep" in program else 60
    command = [sys.executable, "-c", program]
    found = transport._run_trial(command, {"UCX_TLS": "tcp"}, patience)
    assert why in found and bool(why) == bool(found)
    assert time.monotonic() - began < 50


@pytest.mark.skipif(HAS_UCX, reason="ucxx and distributed-ucxx are installed")
def test_without_the_packages():
    assert try_ucx({}) == "ucxx, distributed_ucxx not installed"
    assert choose_protocol("auto") == "tcp"
    with pytest.raises(EngineError, match=r"pip install 'gpuscale\[ucx\]'"):
        choose_protocol("ucx")


needs_ucx = pytest.mark.skipif(not HAS_UCX, reason="needs ucxx and distributed-ucxx (extra ucx)")


@needs_ucx
def test_ucx_itself():
    assert try_ucx({"UCX_TLS": "tcp"}) == ""
    assert choose_protocol("auto", {"UCX_TLS": "tcp"}) == "ucx"


@needs_ucx
def test_ucx_that_finds_no_network_is_given_up():
    """By shared memory alone endpoints cannot meet: some versions of UCX fail, others hang."""
    began = time.monotonic()
    assert "its trial" in try_ucx({"UCX_TLS": "self,sm"}, patience=20)
    assert time.monotonic() - began < 50
    assert choose_protocol("auto", {"UCX_TLS": "self,sm"}) == "tcp"


@needs_ucx
@pytest.mark.parametrize("networks", ["tcp", "tcp,sm", None])
def test_arrays_arrive_intact_over_ucx(networks):
    environment = {name: value for name, value in os.environ.items() if name != "UCX_TLS"}
    if networks is not None:
        environment["UCX_TLS"] = networks
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("ucx_program.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.partition("FOUND")[2])
    assert all(each.startswith("ucx://127.0.0.1:") for each in found.pop("workers"))
    assert found.pop("scheduler").startswith("ucx://127.0.0.1:")
    assert found.pop("headline") < 1e-12
    assert found == {"networks": [networks] * 2, "arrived": True, "rechunked": True}


@pytest.mark.parametrize(
    ("options", "tls", "manager"),
    [
        ({}, None, None),
        ({"enable_tcp_over_ucx": True}, "tcp,cuda_copy", "tcp"),
        ({"enable_infiniband": True}, "rc,tcp,cuda_copy", "tcp"),
        ({"enable_infiniband": True, "enable_rdmacm": True}, "rc,tcp,cuda_copy", "rdmacm"),
        ({"enable_nvlink": True}, "tcp,cuda_copy,cuda_ipc", "tcp"),
        ({"enable_nvlink": True, "enable_infiniband": False}, "tcp,cuda_copy,cuda_ipc", "tcp"),
        ({"enable_infiniband": False}, "tcp,cuda_copy,cuda_ipc", "tcp"),
        ({"enable_tcp_over_ucx": False}, "rc,tcp,cuda_copy,cuda_ipc", "tcp"),
    ],
)
def test_variables_of_ucx(options, tls, manager):
    found = ucx_environment(options)
    assert (found.get("UCX_TLS"), found.get("UCX_SOCKADDR_TLS_PRIORITY")) == (tls, manager)


def test_nothing_left_to_talk_by():
    with pytest.raises(EngineError, match="leaves UCX nothing"):
        names = ("tcp_over_ucx", "infiniband", "nvlink")
        ucx_environment({f"enable_{name}": False for name in names})
