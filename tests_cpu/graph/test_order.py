"""Orders are judged by what a single worker would hold: structure, never time."""

from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first, order
from gpuscale.graph.task import Task

CHUNK = 1000


def most_alive(graph, keys, places=None):
    """Bytes of results that are alive at the worst moment when one worker runs the order."""
    places = order(graph, keys) if places is None else places
    uses = dict.fromkeys(keys, 1)
    for key in places:
        for dep in graph[key].deps:
            uses[dep] = uses.get(dep, 0) + 1
    alive = peak = 0
    for key in sorted(places, key=places.get):
        alive += graph[key].nbytes
        peak = max(peak, alive)
        for dep in graph[key].deps:
            uses[dep] -= 1
            alive -= 0 if uses[dep] else graph[dep].nbytes
    return peak


def add(graph, key, deps=(), nbytes=CHUNK, priority=0):
    graph[key] = Task(key, max, tuple(deps), nbytes=nbytes, priority=priority)
    return key


def add_tree(graph, name, leaves, split_every=8, nbytes=1):
    """One partial result per leaf, combined in groups down to one."""
    level = [add(graph, (name, 0, i), [leaf], nbytes) for i, leaf in enumerate(leaves)]
    depth = 0
    while len(level) > 1:
        depth += 1
        groups = [level[i : i + split_every] for i in range(0, len(level), split_every)]
        level = [add(graph, (name, depth, i), group, nbytes) for i, group in enumerate(groups)]
    return level[0]


def add_sources(graph, name, *grid):
    return [add(graph, (name, *index)) for index in product(*map(range, grid))]


@pytest.mark.parametrize("n", [1, 7, 64, 513, 5000])
@pytest.mark.parametrize("split_every", [2, 8])
def test_a_tree_holds_one_chunk_and_few_partials_per_level(n, split_every):
    graph = {}
    root = add_tree(graph, "sum", add_sources(graph, "x", n), split_every)
    levels = root[1] + 1
    assert most_alive(graph, [root]) <= CHUNK + levels * split_every


def test_a_flat_reduction_holds_one_chunk_beside_its_partials():
    graph = {}
    root = add_tree(graph, "sum", add_sources(graph, "x", 300), split_every=300)
    assert most_alive(graph, [root]) == CHUNK + 300


def test_two_reductions_of_one_array_share_its_chunks():
    graph = {}
    x = add_sources(graph, "x", 200)
    roots = [add_tree(graph, "sum", x), add_tree(graph, "max", x)]
    assert most_alive(graph, roots) <= CHUNK + 2 * 4 * 8


def test_two_reductions_one_of_a_larger_intermediate():
    # as of x (float32) and of x.astype(float64): the larger array must not wait for the other sum
    graph = {}
    x = add_sources(graph, "x", 200)
    y = [add(graph, ("y", i), [key], 2 * CHUNK) for i, key in enumerate(x)]
    roots = [add_tree(graph, "sum", x), add_tree(graph, "max", y)]
    assert most_alive(graph, roots) <= 3 * CHUNK + 2 * 4 * 8


def test_subtracting_the_mean_holds_the_array_once():
    graph = {}
    x = add_sources(graph, "x", 50)
    mean = add_tree(graph, "mean", x)
    out = [add(graph, ("out", i), [key, mean]) for i, key in enumerate(x)]
    assert most_alive(graph, out) <= 51 * CHUNK + 8 * 3


def test_subtracting_column_means_holds_one_column():
    graph = {}
    rows, columns = 16, 12
    x = {ij: add(graph, ("x", *ij)) for ij in product(range(rows), range(columns))}
    mean = {j: add_tree(graph, f"mean-{j}", [x[i, j] for i in range(rows)]) for j in range(columns)}
    centred = [add(graph, ("c", i, j), [x[i, j], mean[j]]) for i, j in x]
    root = add_tree(graph, "sum", centred)
    partials = rows * columns
    assert most_alive(graph, [root]) <= (rows + 2) * CHUNK + partials + 3 * 8


def test_the_deep_input_comes_before_the_large_one():
    # y - x.mean(): a chunk of y must not wait in memory for the mean
    graph = {}
    mean = add_tree(graph, "mean", add_sources(graph, "x", 64))
    y = add_sources(graph, "y", 64)
    out = [add(graph, ("out", i), [key, mean]) for i, key in enumerate(y)]
    root = add_tree(graph, "total", out)
    assert most_alive(graph, [root]) <= 2 * CHUNK + 3 * 8 * 2


def test_a_block_meets_its_mirror_image():
    graph = {}
    n = 12
    x = {ij: add(graph, ("x", *ij)) for ij in product(range(n), range(n))}
    both = [add(graph, ("x+xT", i, j), [x[i, j], x[j, i]]) for i, j in x]
    root = add_tree(graph, "sum", both)
    assert most_alive(graph, [root]) <= 3 * CHUNK + n * n


def test_pieces_of_a_chunk_replace_it():
    graph = {}
    n = 10
    x = [add(graph, ("x", i), nbytes=n * CHUNK) for i in range(n)]
    piece = {(i, j): add(graph, ("p", i, j), [x[i]]) for i, j in product(range(n), range(n))}
    out = [add(graph, ("o", j), [piece[i, j] for i in range(n)], n * CHUNK) for j in range(n)]
    done = [add(graph, ("d", j), [key], 1) for j, key in enumerate(out)]
    assert most_alive(graph, done) <= (n + 1) * n * CHUNK + CHUNK + n


def test_a_stencil_moves_as_a_wave():
    graph = {}
    n, steps = 16, 4
    at = {ij: add(graph, ("x", 0, *ij)) for ij in product(range(n), range(n))}
    for step in range(1, steps + 1):
        at = {
            (i, j): add(
                graph,
                ("x", step, i, j),
                [
                    at[k]
                    for k in ((i, j), (i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1))
                    if k in at
                ],
            )
            for i, j in at
        }
    root = add_tree(graph, "sum", at.values())
    assert most_alive(graph, [root]) <= 2 * steps * (n + 1) * CHUNK  # two rows a step
    breadth_first = {key: i for i, key in enumerate(graph)}
    assert most_alive(graph, [root], breadth_first) > n * n * CHUNK


def test_a_running_sum_keeps_its_carry():
    graph = {}
    done, carry = [], []
    for i, x in enumerate(add_sources(graph, "x", 40)):
        out = add(graph, ("out", i), [x, *carry])
        carry = [add(graph, ("carry", i), [add(graph, ("sum", i), [x], 1), *carry], 1)]
        done.append(add(graph, ("write", i), [out], 1))
    assert most_alive(graph, done) <= 2 * CHUNK + len(done) + 3


def test_chains_run_one_after_the_other():
    graph = {}
    ends = []
    for i in range(10):
        key = add(graph, ("x", i, 0))
        for step in range(1, 6):
            key = add(graph, ("x", i, step), [key])
        ends.append(add(graph, ("end", i), [key], 1))
    assert most_alive(graph, [add(graph, "all", ends, 1)]) <= 2 * CHUNK + 10
    places = order(graph, ["all"])
    for i in range(10):
        mine = sorted(places["x", i, step] for step in range(6))
        assert mine == list(range(mine[0], mine[0] + 6))


def test_results_of_unknown_size_are_counted():
    graph = {}
    x = [add(graph, ("x", i), nbytes=0) for i in range(64)]
    y = [add(graph, ("y", i), [key], nbytes=0) for i, key in enumerate(x)]
    root = add_tree(graph, "sum", y, nbytes=0)
    places = order(graph, [root])
    counted = {key: Task(key, max, task.deps, nbytes=1) for key, task in graph.items()}
    assert most_alive(counted, [root], places) <= 2 + 2 * 8


def test_larger_priorities_come_first_with_what_they_need():
    graph = {}
    low = add_tree(graph, "low", add_sources(graph, "x", 4))
    add(graph, "input")
    high = add(graph, "high", ["input"], priority=1)
    places = order(graph, [low, high])
    assert list(places)[:2] == ["input", "high"]


@lru_cache
def best(deps, kept):
    """The fewest results of size one that any order must hold, by trying all orders."""
    n = len(deps)
    users = [sum(1 << i for i in range(n) if d in deps[i]) for d in range(n)]
    needs = [sum(1 << d for d in set(each)) for each in deps]
    peaks = {0: 0}
    for done in range(1 << n):
        if done not in peaks:
            continue
        alive = sum(1 for d in range(n) if done >> d & 1 and (d in kept or users[d] & ~done))
        for i in range(n):
            if not done >> i & 1 and not needs[i] & ~done:
                after = done | 1 << i
                peak = max(peaks[done], alive + 1)
                peaks[after] = min(peaks.get(after, n), peak)
    return peaks[(1 << n) - 1]


@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_small_graphs_are_near_the_best_order(rng, n):
    deps = [tuple(rng.sample(range(i), rng.randrange(min(i, 3) + 1))) for i in range(n)]
    deps.append(tuple(i for i in range(n) if not any(i in each for each in deps)))
    graph = {i: Task(i, max, needs, nbytes=1) for i, needs in enumerate(deps)}
    assert most_alive(graph, [n]) <= best(tuple(deps), (n,)) + 3


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_each_task_comes_once_and_after_what_it_needs(rng, n):
    graph = {
        i: Task(
            i,
            max,
            tuple(rng.choices(range(i), k=rng.randrange(4))) if i else (),
            nbytes=rng.randrange(100),
            priority=rng.choice([0, 0, 0, 1, -1]),
        )
        for i in range(n)
    }
    shuffled = dict(rng.sample(list(graph.items()), n))
    keys = rng.sample(range(n), rng.randint(1, n))
    numbered = number(shuffled, keys)
    sequence = depth_first(numbered)
    assert sorted(sequence) == list(range(len(numbered)))
    places = order(shuffled, keys)
    assert sorted(places.values()) == list(range(len(places)))
    assert all(places[dep] < places[key] for key in places for dep in graph[key].deps)
