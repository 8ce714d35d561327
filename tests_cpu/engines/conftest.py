"""Random graphs for engines."""

import pytest

from gpuscale.graph.task import Task


def combine(*values):
    """A result that tells which values went in, and in which order."""
    return hash(values)


def make_random_graph(rng, n, most_bytes=100):
    """Tasks of random inputs and sizes, and some of their keys to ask for."""
    graph = {}
    for i in range(n):
        deps = tuple(rng.choices(range(i), k=rng.randrange(4))) if i else ()
        graph[i] = Task(
            i,
            combine,
            deps,
            (i,),
            nbytes=rng.randint(0, most_bytes),
            workspace=rng.choice([0, 0, rng.randint(0, most_bytes)]),
            priority=rng.choice([0, 0, 0, 1]),
            label=f"task-{i}",
        )
    return graph, rng.sample(range(n), rng.randint(1, n))


@pytest.fixture(scope="session")
def random_graph():
    return make_random_graph
