"""Thousands of random runs in the simulator: of one fixed seed, and of a new one each time.

The head of a test report says the new seed, and so does a failure. To see it again, set the
environment variable SIMULATOR_SEED to it; to see more runs, SIMULATOR_RUNS to a number.
"""

import os
from random import Random

import pytest

from gpuscale.engines import spilling
from gpuscale.engines.failure import Failure
from gpuscale.engines.states import Status
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task

from .conftest import combine
from .simulator import KEPT, OVER, Simulator, Spiller, expected, some_on_device, some_read_regions

SEEDS = {"fixed": 2026, "fresh": int(os.environ["SIMULATOR_SEED"])}
N_RUNS = int(os.environ.get("SIMULATOR_RUNS", 200))
ONE_IN = 4  # is watched thoroughly

CAPACITY = {"GPU": 2, "disk": 1}


class Scenario:
    """A graph, how often its tasks raise, and what must come out."""

    def __init__(self, rng, make_graph):
        self.rng = rng
        self.graph, self.keys = make_graph(rng, rng.randint(1, 30))
        self.fails = {}
        for key, task in self.graph.items():
            if rng.random() < 0.4:
                task.options = self.make_options()
            if rng.random() < rng.choice([0, 0.1, 0.3]):
                self.fails[key] = rng.randint(1, 3)
        self.expected = expected(self.graph, self.fails)

    def make_options(self):
        rng = self.rng
        resources = rng.choice([{}, {}, {"GPU": rng.choice([0.5, 1, 2])}, {"disk": 1, "GPU": 1}])
        return TaskOptions(rng.randint(0, 3), rng.choice([0, 1, 5]), None, resources)

    def simulate(self, k, keys, **options):
        rng = self.rng
        kind = Simulator
        if rng.random() < 0.5:
            kind, options["refuses"] = Spiller, rng.choice([0, 0, 0.3, 1])
            options |= {"shelf": rng.choice([0, 70, 300]), "relieves": rng.choice([0, 0, 0.3])}
            some_read_regions(self.graph, rng)
        if rng.random() < 0.6:
            some_on_device(self.graph, rng)
        return kind(
            self.graph,
            keys,
            rng,
            n_workers=rng.randint(1, 6),
            budget=rng.choice([0, 50, 150, 400, float("inf")]),
            device_budget=rng.choice([0, 50, 150, 400, float("inf")]),
            most=rng.choice([1, 1, 4]),
            fails=self.fails,
            tokens=CAPACITY,
            lies=rng.random() < 0.3,
            thorough=k % ONE_IN == 0,
            **options,
        )

    def in_sync(self, keys, on_error):
        """What the engine sync makes of it, where no attempt waits for the next."""
        graph = {}
        for key, task in self.graph.items():
            options = task.options and TaskOptions(task.options.retries, backoff=0)
            attempts = Attempts(self.fails.get(key, 0))
            graph[key] = Task(key, attempts, task.deps, task.args, options=options)
        return SyncEngine().run(graph, keys, on_error=on_error)


class Attempts:
    """`combine`, which raises in its first calls."""

    def __init__(self, fails):
        self.fails = fails

    def __call__(self, *values):
        if self.fails:
            self.fails -= 1
            raise ValueError("one of its attempts")
        return combine(*values)


@pytest.fixture(params=list(SEEDS))
def scenarios(request, random_graph, monkeypatch):
    """Yield numbered scenarios; an error names the seed, and how to see it again."""
    monkeypatch.setattr(spilling, "SMALLEST", 1)
    monkeypatch.setattr(spilling, "_SOON", 1)
    seed = SEEDS[request.param]

    def each(body):
        for k in range(N_RUNS):
            try:
                body(k, Scenario(Random(f"{seed} {k}"), random_graph))
            except Exception as error:
                error.add_note(f"in scenario {k}; run the tests with SIMULATOR_SEED={seed}")
                raise

    return each


def test_runs_that_continue_give_what_sync_gives(scenarios):
    def body(k, scenario):
        keys = scenario.keys
        run = scenario.simulate(k, keys, on_error="continue").run()
        found = {run.key[i]: result for i, result in run.results.items()}
        right = scenario.expected
        assert found == {key: right[key] for key in keys if key in right}
        for key in keys:
            if key not in right:
                assert run.status(key) in (Status.FAILED, Status.SKIPPED)
        assert run.state.reserved == [0, 0] and run.state.running == run.state.unfinished == 0
        results = dict(zip(keys, scenario.in_sync(keys, "continue"), strict=True))
        assert found == {k: v for k, v in results.items() if not isinstance(v, Failure)}

    scenarios(body)


def test_runs_that_end_with_a_failure_hold_nothing(scenarios):
    def body(k, scenario):
        keys = scenario.keys
        run = scenario.simulate(k, keys).run()
        found = {run.key[i]: result for i, result in run.results.items()}
        if run.state.cancelled:
            assert not found and run.state.alive == run.state.reserved == [0, 0]
            assert any(run.state.status(i) == Status.FAILED for i in run.key)
            with pytest.raises(ValueError, match="one of its attempts"):
                scenario.in_sync(keys, "raise")
        else:
            assert found == {key: scenario.expected[key] for key in keys}

    scenarios(body)


def test_runs_grow_and_are_given_up_in_part(scenarios, request):
    def body(k, scenario):
        client = Client(scenario, k)
        client.run.run(client.act)
        while client.left:
            client.act()
            client.run.run(client.act)
        client.leave()
        state = client.run.state
        n_back.append(getattr(client.run, "n_back", 0))
        assert state.done and not client.run.results
        assert state.alive == state.reserved == [0, 0] and not state.n_ready
        assert len(state._free) == len(state._status), "a number is lost"

    n_back = []
    scenarios(body)
    # One scenario in ten looks at a result, and how often it does varies widely (sums of 33 to 182
    # were seen): a new seed promises no more than that some do.
    is_fixed = "fixed" in request.node.callspec.id
    assert sum(n_back) > (N_RUNS / 4 if is_fixed else 0)


class Client:
    """Requests results at any time, and wants some no more."""

    def __init__(self, scenario, k):
        self.scenario, self.rng = scenario, scenario.rng
        self.left = list(scenario.keys)
        self.revoked = set()
        self.run = scenario.simulate(k, [], on_error="continue", grows=True)
        self.request()

    def request(self):
        n = self.rng.randint(1, 5)
        wanted, self.left = self.left[:n], self.left[n:]
        if wanted:
            self.run.add(wanted)

    def act(self):
        chance, run = self.rng.random(), self.run
        wanted = [run.key[i] for i in run.wishes]
        if chance < 0.3:
            self.request()
        elif chance < 0.4 and wanted:
            self.give_back(self.rng.choice(wanted))
        elif chance < 0.43 and wanted:
            key = self.rng.choice(wanted)
            if run.status(key) not in OVER | KEPT:
                self.revoked.add(key)
                run.revoke(key)
        elif chance < 0.5:
            run.add([self.rng.choice(wanted)] if wanted else [])
        elif chance < 0.6:
            self.forget()
        elif chance < 0.7:
            self.look_at(
                [key for key in dict.fromkeys(wanted) if run.status(key) == Status.SPILLED]
            )

    def give_back(self, key):
        """Look at a result that is there, and want it no more."""
        run = self.run
        if run.status(key) in KEPT:
            assert run.results[run.at[key]] == self.scenario.expected[key]
        elif run.status(key) in OVER:
            assert self.revoked or key not in self.scenario.expected
        run.release(key)

    def look_at(self, keys):
        for key in self.rng.sample(keys, self.rng.randint(0, len(keys))):
            self.run.look_at(key)

    def forget(self):
        run = self.run
        for key in list(run.at):
            if run.at[key] not in run.wishes and run.status(key) in OVER:
                run.forget(key)

    def leave(self):
        run = self.run
        while run.wishes:
            self.give_back(run.key[self.rng.choice(run.wishes)])
        run.run()
        while run.events:  # results that are still being written
            run.step()
        self.forget()
