from hypothesis import given
from hypothesis import strategies as st

from gpuscale.diagnostics.critical import longest_path


@st.composite
def graphs(draw):
    n = draw(st.integers(0, 12))
    deps = [sorted(draw(st.sets(st.integers(0, k - 1), max_size=3))) if k else [] for k in range(n)]
    seconds = draw(st.lists(st.integers(0, 9).map(float), min_size=n, max_size=n))
    return deps, seconds


def every_path(deps, last):
    yield [last]
    for dep in deps[last]:
        yield from (path + [last] for path in every_path(deps, dep))


@given(graphs())
def test_it_is_the_longest_of_all_paths(graph):
    deps, seconds = graph
    path = longest_path(deps, seconds)
    for before, after in zip(path, path[1:], strict=False):
        assert before in deps[after]
    paths = [p for last in range(len(deps)) for p in every_path(deps, last)]
    longest = max((sum(seconds[k] for k in p) for p in paths), default=0.0)
    assert sum(seconds[k] for k in path) == longest


def test_deep_graphs():
    n = 100_000
    deps = [[k - 1] if k else [] for k in range(n)]
    assert len(longest_path(deps, [1.0] * n)) == n
