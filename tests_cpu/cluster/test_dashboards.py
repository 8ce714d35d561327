"""Pages of clusters: at this machine, and without a warning where the usual port is taken."""

import socket
import warnings

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from gpuscale.cluster import LocalCluster
from gpuscale.cluster.dashboards import DASHBOARD, dashboard_at, free_dashboard


@pytest.fixture
def taken():
    """The usual port, held by this test or by another program."""
    with socket.socket() as holder:
        try:
            holder.bind(("127.0.0.1", 8787))
            holder.listen()
        except OSError:
            pass
        yield


def test_another_port_is_taken_where_nobody_has_said_one(taken):
    assert free_dashboard(DASHBOARD) == dashboard_at(None, DASHBOARD) == "127.0.0.1:0"
    assert dashboard_at("8787", DASHBOARD) == DASHBOARD  # whoever says it hears that it is taken


def test_the_link_is_where_the_page_listens():
    # The scheduler of such a cluster has the address of the machine, and its page that of loopback.
    options = {"threads_per_worker": 1, "n_workers": 0, "processes": False}
    with LocalCluster(dashboard_address="127.0.0.1:0", **options) as cluster:
        port = cluster.scheduler.http_server.port
        assert cluster.dashboard_link == f"http://127.0.0.1:{port}/status"


def test_clusters_say_nothing_of_it(taken):
    options = {"threads_per_worker": 1, "n_workers": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with LocalCluster(**options) as cluster:
            assert cluster.dashboard_link.startswith("http://127.0.0.1:")
            assert ":8787/" not in cluster.dashboard_link
        with LocalCluster(dashboard_address=None, **options) as cluster:
            assert cluster.scheduler.http_server.address == "127.0.0.1"
