"""A user's program that starts `LocalCUDACluster`, and writes down what its workers see.

The first lines run in each worker too, as in every program whose processes are spawned, before
anything of the cluster does.
"""

import json
import os
import signal
import sys
import time

FIRST = {
    "variable": os.environ.get("CUDA_VISIBLE_DEVICES"),
    "imported": sorted({"cupy", "numba.cuda", "cudf", "rmm"} & set(sys.modules)),
}


def look():
    import threadpoolctl

    from gpuscale.base import config

    first = sys.modules["__mp_main__"].FIRST
    return {
        **first,
        "now": os.environ["CUDA_VISIBLE_DEVICES"],
        "pid": os.getpid(),
        "blas": [each["num_threads"] for each in threadpoolctl.threadpool_info()],
        "memory-limit": config.get("memory-limit"),
        "imports": "colorsys" in sys.modules,
    }


def seen(client):
    client.wait_for_workers(2)
    return sorted(client.run(look).values(), key=lambda each: each["now"])


def listening():
    """Addresses at which this process and its children listen."""
    import psutil

    me = psutil.Process()
    return sorted(
        {
            connection.laddr.ip
            for process in (me, *me.children(recursive=True))
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        }
    )


def kill_one(client, pid):
    os.kill(pid, signal.SIGKILL)
    for _ in range(600):
        time.sleep(0.1)
        answers = client.run(look, on_error="ignore")  # the connection to it may break meanwhile
        pids = {each["pid"] for each in answers.values()}
        if len(pids) == 2 and pid not in pids:
            return


def main():
    import gpuscale.array as ga
    from gpuscale.cluster import Client, LocalCUDACluster

    found = {}
    options = {"memory_limit": "1 GiB", "pre_import": "colorsys", "dashboard_address": None}
    with (
        LocalCUDACluster("3,1", allow_no_device=True, **options) as cluster,
        Client(cluster) as client,
    ):
        found["started"] = seen(client)
        client.restart()
        found["restarted"] = seen(client)
        kill_one(client, found["restarted"][0]["pid"])
        found["killed"] = seen(client)
        found["sum"] = float(ga.ones((300, 300), chunks=100).sum().compute())
        found["listening"] = listening()
        found["here"] = os.environ.get("CUDA_VISIBLE_DEVICES")
        try:
            cluster.scale(3)
        except ValueError as error:
            found["too many"] = str(error)
        cluster.scale(1)
        while len(client.scheduler_info()["workers"]) > 1:
            time.sleep(0.05)
        cluster.scale(2)
        found["scaled"] = seen(client)
    import psutil

    time.sleep(0.5)
    names = [" ".join(each.cmdline()) for each in psutil.Process().children(recursive=True)]
    found["left"] = [name for name in names if name and "resource_tracker" not in name]
    print("FOUND" + json.dumps(found))


if __name__ == "__main__":
    main()
