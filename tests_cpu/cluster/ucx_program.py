"""A user's program whose workers talk by UCX, and what it writes down.

UCX reads its variables once in a process, so each of its networks takes a program of its own.
"""

import json
import os

import numpy as np

import gpuscale.array as ga
from gpuscale.cluster import Client, LocalCluster


def main():
    options = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1 GiB"}
    cluster = LocalCluster(**options, protocol="auto", dashboard_address=None)
    with cluster, Client(cluster) as client:
        one, other = client.scheduler_info()["workers"]
        numbers = np.arange(1 << 20)
        there = client.scatter(numbers, workers=[one])
        across = client.submit(np.negative, there, workers=[other], pure=False)
        x = ga.random.default_rng(0).random((800, 800), chunks=200)
        y = (x + x.T) - x.mean(axis=0)
        found = {
            "scheduler": cluster.scheduler_address,
            "workers": [one, other],
            "networks": [*client.run(os.getenv, "UCX_TLS").values()],
            "arrived": bool((client.gather(across) == -numbers).all()),
            "headline": float(abs(y.compute() - y.compute(engine="threads")).max()),
            "rechunked": bool(
                (x.rechunk((800, 50)).compute() == x.compute(engine="threads")).all()
            ),
        }
    print("FOUND", json.dumps(found))


if __name__ == "__main__":
    main()
