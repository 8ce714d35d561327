"""Clients that reach no scheduler: which words they have for it, and what is left of them."""

import asyncio
import socket
import threading

import pytest

distributed = pytest.importorskip("distributed", exc_type=ModuleNotFoundError)

from distributed.comm.core import CommClosedError, FatalCommClosedError  # noqa: E402

from gpuscale.base import config  # noqa: E402
from gpuscale.cluster import Client, reaching  # noqa: E402
from gpuscale.cluster.reaching import answers_told, why_refused  # noqa: E402


@pytest.fixture
def port():
    """One at which connections are taken, and nothing is said."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_what_says_nothing_is_no_scheduler(port, monkeypatch):
    monkeypatch.setattr(reaching, "MORE", 0.1)
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(OSError, match=f"at tcp://127.0.0.1:{port} takes the .* its page, as"):
            Client(f"tcp://127.0.0.1:{port}", timeout="100ms")
    assert threading.active_count() <= before + 1  # one of a pool for names of machines


def test_an_asynchronous_client_that_reaches_nobody_is_no_engine(port, monkeypatch):
    async def open_it():
        async with Client(f"tcp://127.0.0.1:{port}", timeout="100ms", asynchronous=True):
            pass

    monkeypatch.setattr(reaching, "MORE", 0.1)
    before = config.get("engine")
    with pytest.raises(OSError, match="takes the connection, and says nothing"):
        asyncio.run(open_it())
    assert config.get("engine") == before


def test_what_says_something_else_is_no_scheduler():
    with (
        pytest.raises(OSError, match="at tcp://a:1 is no scheduler: .*3 EiB"),
        answers_told("tcp://a:1"),
    ):
        raise MemoryError("3 EiB for an array")
    for error in (ValueError("no port in this address"), ConnectionResetError("gone")):
        with pytest.raises(type(error), match=str(error)), answers_told("tcp://a:1"):
            raise error


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (caused(OSError("Timed out"), socket.gaierror(-2, "unknown")), "no machine of this name"),
        (caused(OSError("Timed out"), TimeoutError()), "has the scheduler ended"),
        (CommClosedError("in <TCP>: Stream is closed"), "a scheduler that speaks TLS"),
        (
            caused(RuntimeError("not started"), FatalCommClosedError("bad")),
            "its credentials are not those",
        ),
    ],
)
def test_why_a_scheduler_may_refuse(error, said):
    assert said in why_refused(error, None)


def test_other_errors_have_nothing_to_do_with_it():
    for error in (OSError(98, "in use"), ValueError("no")):
        assert why_refused(caused(RuntimeError("not started"), error), None) is None
    assert why_refused(CommClosedError("closed"), distributed.Security()) is None


def test_credentials_that_are_none_are_refused():
    with pytest.raises(TypeError, match="security takes a Security"):
        Client("tls://127.0.0.1:9", security="yes")


@pytest.mark.parametrize("address", ["here", "here:x", "tcp://here", "foo://here:1"])
def test_addresses_that_are_none(address):
    with pytest.raises(ValueError, match=f"'{address}' is no address of a scheduler, as 'tcp://"):
        Client(address)
