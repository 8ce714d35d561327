"""What people type who come from dask.distributed."""

import asyncio
import concurrent.futures

import numpy as np
import pytest

import gpuscale as gs
from gpuscale.base.errors import GraphError, NotSupportedError


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": "10s", "name": "mine"},
        {"dashboard_address": ":8787", "silence_logs": False, "processes": None},
        {"n_workers": None, "threads_per_worker": 2, "asynchronous": False, "security": None},
        {"address": "inproc", "heartbeat_interval": "5s"},
    ],
)
def test_options_that_are_taken(options):
    with gs.Client(**options) as client:
        assert client.submit(abs, -1).result() == 1


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (
            {"address": "tcp://host:8786"},
            NotSupportedError,
            r"say gpuscale\.cluster\.Client\(address\)",
        ),
        ({"processes": True}, NotSupportedError, "cluster.Client.n_workers=.*processes=False"),
        ({"asynchronous": True}, NotSupportedError, "async with Client.*await future"),
        (
            {"scheduler_file": "x.json"},
            NotSupportedError,
            r"gpuscale\.cluster\.Client\(scheduler_file",
        ),
        (
            {"timeout": "soon"},
            ValueError,
            "timeout is a number of seconds, or a text such as '10s'",
        ),
        ({"n_worker": 2}, TypeError, "Client takes no 'n_worker'; did you mean 'n_workers'?"),
        ({"colour": "red"}, TypeError, "takes no 'colour'; it takes n_workers, threads_per"),
        ({"n_workers": 0}, ValueError, "n_workers is a number of at least 1, not 0"),
    ],
)
def test_options_that_are_refused(options, error, said):
    with pytest.raises(error, match=said):
        gs.Client(**options)


def test_coroutines():
    async def main():
        async with gs.Client(threads_per_worker=2) as client:
            futures = client.map(abs, [-1, -2])
            return await asyncio.gather(*futures), client

    found, client = asyncio.run(main())
    assert found == [1, 2] and client.status == "closed"


def test_what_a_client_does_not_have():
    with gs.Client() as client:
        assert not hasattr(client, "dashboard_link")
        with pytest.raises(AttributeError, match=r"no dashboard; with gpuscale.report\(path\)"):
            client.dashboard_link  # noqa: B018
        with pytest.raises(AttributeError, match="'Client' object has no attribute 'sing'$"):
            client.sing  # noqa: B018


# All that a client of dask.distributed has and ours has not.
NOT_OF_A_CLIENT = [
    "amm",
    "benchmark_hardware",
    "call_stack",
    "dashboard_link",
    "dump_cluster_state",
    "forward_logging",
    "get_dataset",
    "get_events",
    "get_metadata",
    "get_scheduler_logs",
    "get_task_stream",
    "get_worker_logs",
    "list_datasets",
    "log_event",
    "loop",
    "normalize_collection",
    "profile",
    "publish_dataset",
    "rebalance",
    "register_plugin",
    "register_worker_callbacks",
    "replicate",
    "restart_workers",
    "retire_workers",
    "run_on_scheduler",
    "set_metadata",
    "start",
    "story",
    "subscribe_topic",
    "sync",
    "unforward_logging",
    "unpublish_dataset",
    "unregister_scheduler_plugin",
    "unregister_worker_plugin",
    "unsubscribe_topic",
    "upload_file",
    "write_scheduler_file",
]


@pytest.mark.parametrize("name", NOT_OF_A_CLIENT)
def test_what_distributed_has_says_what_to_do_instead(name):
    with gs.Client(threads_per_worker=1) as client:
        assert not hasattr(client, name)
        with pytest.raises(AttributeError, match=f"no attribute '{name}': ..."):
            getattr(client, name)


def test_versions():
    with gs.Client(threads_per_worker=1) as client:
        found = client.get_versions(check=True, packages=["pytest", "nothing-of-that-name"])
    packages = found["client"]["packages"]
    assert packages["pytest"] == pytest.__version__ and packages["numpy"] == np.__version__
    assert packages["nothing-of-that-name"] is None
    assert found["client"]["host"]["python-bits"] == 64


def test_the_default_client():
    with pytest.raises(ValueError, match="no open client"):
        gs.default_client()
    with gs.Client(threads_per_worker=1) as client:
        assert gs.default_client() is client
        with gs.Client(threads_per_worker=1, set_as_default=False) as other:
            assert gs.default_client(other) is other


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LocalCluster", r"gpuscale.cluster has what belongs to clusters"),
        ("get_worker", r"gpuscale.get_client\(\)"),
        ("print", "Python's print prints"),
        ("WorkerPlugin", r"gpuscale\.diagnostics\.Callback"),
        ("UploadFile", "has it already"),
        ("Reschedule", "retries="),
        ("nonsense", "module 'gpuscale' has no attribute 'nonsense'$"),
    ],
)
def test_names_that_are_elsewhere(name, said):
    assert not hasattr(gs, name) and name not in dir(gs)
    with pytest.raises(AttributeError, match=said):
        getattr(gs, name)


def test_performance_report_is_the_report(tmp_path):
    page = tmp_path / "page.html"
    with gs.performance_report(filename=page, stacklevel=2):
        gs.delayed(abs)(-1).compute()
    assert "gpuscale report" in page.read_text()


def test_resources_are_amounts_by_name():
    with pytest.raises(TypeError, match="resources are amounts by name"):
        gs.Client(resources="GPU")


def test_any_name_may_be_a_keyword_of_what_is_called():
    def named(self=0, func=0, fn=0, function=0, obj=0):
        return self, func, fn, function, obj

    all_of_them = {"self": 1, "func": 2, "fn": 3, "function": 4, "obj": 5}
    five = (1, 2, 3, 4, 5)
    with gs.Client(threads_per_worker=1) as client:
        assert client.submit(named, **all_of_them).result(20) == five
        assert client.map(lambda _, **names: named(**names), [0], **all_of_them)[0].result() == five
        assert client.get_executor().submit(named, **all_of_them).result(20) == five
        assert client.run(named, **all_of_them) == {"inproc": five}
    assert gs.delayed(named)(**all_of_them).compute() == five
    assert gs.delayed(gs.delayed(named))(**all_of_them).compute() == five
    assert gs.delayed([named])[0](**all_of_them).compute() == five
    assert gs.delayed("{self}{obj}").format(self=1, obj=2).compute() == "12"


def test_futures_of_python_are_told_from_those_of_clients():
    with gs.Client(threads_per_worker=1) as client:
        stranger = client.get_executor().submit(abs, -1)
        for refused in ([stranger], {"x": (stranger,)}, stranger):
            with pytest.raises(TypeError, match=r"gpuscale\.wait takes futures of clients; for"):
                gs.wait(refused)
            with pytest.raises(TypeError, match="gather takes futures of clients; for"):
                client.gather(refused)
        with pytest.raises(TypeError, match="takes futures of clients, not int"):
            gs.wait(3)
        own = client.submit(abs, -1)
        for function in (concurrent.futures.wait, concurrent.futures.as_completed):
            with pytest.raises(TypeError, match=r"say gpuscale\.wait"):
                list(function([own]))


def test_what_holds_itself_is_handed_over_unseen():
    ring = []
    ring.append(ring)
    with gs.Client(threads_per_worker=1) as client:
        with pytest.raises(GraphError, match=r"client\.scatter\(\[value\], hash=False\)\[0\]"):
            client.submit(len, ring)
        handed = client.scatter([ring], hash=False)[0]
        assert client.submit(len, handed).result(20) == 1


def test_persisting_a_future(tmp_path):
    with gs.Client(threads_per_worker=1) as client:
        future = client.submit(abs, -3)
        assert client.persist(future) is future
        assert gs.persist([future])[0] == [future]
        assert future.status == "finished"
        assert client.submit(abs, gs.persist(future)[0]).result(20) == 3
        for keep in (lambda: gs.persist(future, path=tmp_path),
                     lambda: gs.checkpoint(future, tmp_path)):  # fmt: skip
            with pytest.raises(TypeError, match=r"keep arrays, and calls of gpuscale\.delayed"):
                keep()
