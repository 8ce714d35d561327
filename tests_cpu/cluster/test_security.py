"""Who may talk to a cluster: what is decided, and what a scheduler file says to whom."""

import json
import os
import stat
from types import SimpleNamespace

import pytest

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from gpuscale.cluster import security as security_module  # noqa: E402
from gpuscale.cluster.given_security import given_tls  # noqa: E402
from gpuscale.cluster.security import (  # noqa: E402
    choose_security,
    cluster_security,
    is_loopback,
    read_scheduler_file,
    remove_scheduler_file,
    temporary,
    write_scheduler_file,
)

IDENTITY = {"type": "Scheduler", "id": "Scheduler-1", "address": "tls://10.0.0.1:8786"}


@pytest.fixture(scope="module")
def credentials():
    pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)
    return temporary()


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("tcp://127.0.0.1:80", True),
        ("tls://[::1]:80", True),
        ("", False),
        ("0.0.0.0", False),
        ("::", False),
        ("tls://", False),
        ("127.0.0.1:8786", True),
        ("10.0.0.1:8786", False),
        ("tcp://10.0.0.1:8786", False),
        ("no-such-host.invalid", False),
    ],
)
def test_what_is_loopback(host, near):
    assert is_loopback(host) is near


def test_an_interface_stands_for_its_address():
    assert is_loopback(interface="lo")
    with pytest.raises(ValueError, match="nothing0"):
        is_loopback(interface="nothing0")


def test_loopback_needs_no_credentials():
    assert choose_security(local=True) is None
    assert choose_security(local=True, protocol="ucx") is None


def test_beyond_loopback_plain_text_must_be_asked_for(credentials):
    with pytest.raises(ValueError, match="--scheduler-file.*--insecure"):
        choose_security(local=False)
    assert choose_security(local=False, insecure=True) is None
    assert choose_security(local=False, credentials=credentials) is credentials


def test_ucx_is_not_encrypted(credentials):
    with pytest.raises(ValueError, match="ucx is not encrypted"):
        choose_security(local=False, protocol="ucx", credentials=credentials)
    assert choose_security(local=False, protocol="ucx", insecure=True) is None


def test_what_the_user_says_goes_first(credentials):
    other = distributed.Security(tls_ca_file="ca.pem", require_encryption=True)
    assert choose_security(local=False, tls=other, credentials=credentials) is other
    assert choose_security(local=True, tls=other) is other
    with pytest.raises(ValueError, match="not both"):
        choose_security(local=False, tls=other, insecure=True)


def test_files_of_certificates_are_there(tmp_path):
    assert given_tls("worker") is None
    with pytest.raises(FileNotFoundError, match="tls-ca-file"):
        given_tls("worker", ca_file=str(tmp_path / "no.pem"))


PLAIN = {"require_encryption": False}


def test_files_of_certificates_hold_some(tmp_path, credentials):
    junk, own = tmp_path / "junk.pem", tmp_path / "own.pem"
    junk.write_text("junk")
    keys = credentials.get_tls_config_for_role("worker")
    own.write_text(keys["cert"] + keys["key"])
    assert given_tls("worker", str(own), str(own))
    with pytest.raises(ValueError, match=r"junk\.pem, which --tls-cert names, .* with its key"):
        given_tls("worker", str(own), str(junk))
    with pytest.raises(ValueError, match=r"--tls-cert is not said"):
        given_tls("worker", str(own))
    with pytest.raises(ValueError, match=r"junk\.pem, which tls_ca_file of security= names, holds"):
        cluster_security(None, None, security={"tls_ca_file": str(junk), **PLAIN})


@pytest.mark.parametrize(
    ("security", "error", "said"),
    [
        ("yes", TypeError, "takes a Security, or True for temporary ones, not 'yes'"),
        (
            {"tls_ca_file": "no.pem"},
            FileNotFoundError,
            r"no file no\.pem, which tls_ca_file of s",
        ),
        (
            {"tls_worker_key": "no.pem", "require_encryption": False},
            FileNotFoundError,
            "tls_worker_key of secur",
        ),
        ({"require_encryption": True}, ValueError, "does not say tls_ca_file and tls_scheduler_ce"),
    ],
)
def test_credentials_of_clusters_are_some(security, error, said):
    with pytest.raises(error, match=said):
        cluster_security(None, None, security=security)
    if isinstance(security, dict):
        with pytest.raises(error, match=said):
            cluster_security(None, None, security=distributed.Security(**security))


def test_plain_text_that_becomes_tls_is_said(credentials, monkeypatch):
    messages = []
    logger = SimpleNamespace(warning=messages.append)
    monkeypatch.setattr(security_module, "_logger", logger)
    assert cluster_security("0.0.0.0", None)[0] == "tls"
    assert not messages
    assert cluster_security("0.0.0.0", None, protocol="tcp")[0] == "tls"
    assert "tcp becomes tls" in messages[0] and "insecure=True" in messages[0]


def test_a_scheduler_file_is_read_as_it_was_written(tmp_path, credentials):
    path = tmp_path / "scheduler.json"
    write_scheduler_file(path, IDENTITY, credentials)
    found = read_scheduler_file(path)
    assert found.address == IDENTITY["address"]
    for role in ("scheduler", "worker", "client"):
        assert found.security.get_tls_config_for_role(role) == credentials.get_tls_config_for_role(
            role
        )
    assert found.security.require_encryption


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_owner_alone_can_read_it(tmp_path, credentials, mask):
    path = tmp_path / "scheduler.json"
    path.write_text("an old one")
    path.chmod(0o666)
    before = os.umask(mask)
    try:
        write_scheduler_file(path, IDENTITY, credentials)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["scheduler.json"]


def test_credentials_that_others_can_read_are_refused(tmp_path, credentials):
    path = tmp_path / "scheduler.json"
    write_scheduler_file(path, IDENTITY, credentials)
    path.chmod(0o640)
    with pytest.raises(PermissionError, match="others can read"):
        read_scheduler_file(path)


def test_a_file_of_dask_is_read_too(tmp_path):
    path = tmp_path / "scheduler.json"
    path.write_text(json.dumps({"address": "tcp://10.0.0.1:8786", "workers": {}}))
    assert read_scheduler_file(path).security is None


def test_names_of_files_are_no_credentials(tmp_path):
    """Certificates of the user's own stay where they are."""
    path = tmp_path / "scheduler.json"
    files = {"tls_ca_file": "ca.pem", "tls_scheduler_cert": "c.pem", "tls_scheduler_key": "k.pem"}
    write_scheduler_file(path, IDENTITY, distributed.Security(**files))
    assert json.loads(path.read_text()) == IDENTITY


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"address": 3}', '{"address": "tcp://a:1", "security": {}}',
        '{"address": "tls://a:1", "security": {"cert": "nonsense", "key": "no"}}',
        '{"address": "tls://a:1", "security": {"cert": "non\\nsense", "key": "n\\no"}}',
    ],
)  # fmt: skip
def test_what_is_no_scheduler_file(tmp_path, text):
    path = tmp_path / "scheduler.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a scheduler file"):
        read_scheduler_file(path)


def test_a_file_that_cannot_be_written(tmp_path):
    path = tmp_path / "missing" / "scheduler.json"
    with pytest.raises(FileNotFoundError, match="no scheduler file can be written there.*json'"):
        write_scheduler_file(path, IDENTITY)


def test_a_file_that_nobody_writes(tmp_path):
    with pytest.raises(FileNotFoundError, match="gpuscale-scheduler --scheduler-file"):
        read_scheduler_file(tmp_path / "no.json", wait=0.2)


def test_a_scheduler_removes_its_own_file_only(tmp_path):
    path = tmp_path / "scheduler.json"
    write_scheduler_file(path, IDENTITY)
    remove_scheduler_file(path, {"id": "Scheduler-2"})
    assert path.exists()
    remove_scheduler_file(path, IDENTITY)
    assert not path.exists()
    remove_scheduler_file(path, IDENTITY)


@pytest.mark.parametrize(
    ("options", "protocol", "is_tls"),
    [
        ({"host": None, "interface": None}, None, False),
        ({"host": "127.0.0.1", "interface": None, "protocol": "ucx"}, "ucx", False),
        ({"host": "0.0.0.0", "interface": None}, "tls", True),
        ({"host": "0.0.0.0", "interface": None, "protocol": "auto"}, "tls", True),
        ({"host": "10.0.0.1", "interface": None, "protocol": "tls://"}, "tls://", True),
        ({"host": None, "interface": "lo", "protocol": "tcp"}, "tcp", False),
        ({"host": "0.0.0.0", "interface": None, "insecure": True}, None, False),
        ({"host": None, "interface": None, "security": True}, "tls", True),
    ],
)
def test_clusters_beyond_loopback_have_credentials(credentials, options, protocol, is_tls):
    name, security = cluster_security(**options)
    assert name == protocol
    assert (security is not None and security.require_encryption) == is_tls


def test_a_host_or_an_interface_says_where_to_listen():
    with pytest.raises(ValueError, match="host 0.0.0.0 and interface lo both say"):
        cluster_security("0.0.0.0", "lo")


def test_clusters_whose_protocol_is_not_encrypted_are_refused():
    with pytest.raises(ValueError, match="ucx is not encrypted"):
        cluster_security("0.0.0.0", None, protocol="ucx")
    given = distributed.Security()
    assert cluster_security(None, None, security=given) == (None, given)
