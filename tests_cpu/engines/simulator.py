"""A simulator of engines: it drives a state with made-up workers, times, failures and clients.

Everything follows from one random number generator, and time is a number, so that what went wrong
once goes wrong again. After each event it looks whether

- a task runs once per attempt, after all that it needs, and its inputs are there,
- results go at their last use: none is missing, and at the end none is left,
- what is alive and reserved fits into the budgets when a task starts, or it runs alone,
- no more of what is scarce is in use than there is,
- somebody works, or waits for a known time, as long as the run is not done,
- whoever would find work is said to find some, so that drivers wake somebody up,
- each task moves as the table of transitions allows,

and, where `thorough`, whatever `gpuscale.engines.invariants` knows.
"""

from heapq import heappop, heappush

from gpuscale.engines import spilling
from gpuscale.engines.growing import GrowingState
from gpuscale.engines.invariants import check
from gpuscale.engines.state import SMALL, State
from gpuscale.engines.states import TRANSITIONS, Status
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task
from gpuscale.memory.spaces import DEVICE, SPACES

OVER = {Status.RELEASED, Status.FAILED, Status.CANCELLED, Status.SKIPPED}
KEPT = {Status.HELD, Status.SPILLING, Status.SPILLED}


def chunk(key, deps=(), nbytes=10, workspace=0):
    """A graph of one task."""
    return {key: Task(key, lambda *x: sum(x), tuple(deps), nbytes=nbytes, workspace=workspace)}


def tree(n):
    """A reduction of n chunks, four at a time, and the key of its result."""
    graph = {}
    for i in range(n):
        graph |= chunk(("x", i), nbytes=1000) | chunk((0, i), [("x", i)], 1)
    level = 0
    while n > 1:
        n, below = -(-n // 4), n
        level += 1
        for i in range(n):
            graph |= chunk(
                (level, i), [(level - 1, j) for j in range(4 * i, min(4 * i + 4, below))], 1
            )
    return graph, [(level, 0)]


def expected(graph, fails=None):
    """Results by key; those that can have none, since tasks raise too often, are left out."""
    found = {}
    for key, task in graph.items():  # made in an order that works
        retries = task.options.retries if task.options else 0
        if (fails or {}).get(key, 0) <= retries and all(dep in found for dep in task.deps):
            found[key] = task.fn(*[found[dep] for dep in task.deps], *task.args)
    return found


class Simulator:
    """Workers that take a random time for a task.

    Parameters
    ----------
    graph : dict of Task
    keys : list
        Requested at the beginning.
    rng : random.Random
    n_workers : int
    budget, device_budget : float
    most : int
        Of tasks in a batch.
    fails : dict
        How often the task of a key raises, each time that it is new.
    tokens : dict
        Amounts of what is scarce.
    on_error : {"raise", "continue"}
    lies : bool
        Whether results have other sizes than projected.
    thorough : bool
    grows : bool
        Whether tasks may be added.
    """

    def __init__(
        self,
        graph,
        keys,
        rng,
        n_workers=1,
        budget=float("inf"),
        device_budget=float("inf"),
        most=1,
        fails=None,
        tokens=None,
        on_error="raise",
        lies=False,
        thorough=True,
        grows=False,
    ):
        self.tasks, self.rng, self.n_workers, self.most = graph, rng, n_workers, most
        self.fails, self.capacity = fails or {}, tokens or {}
        self.lies, self.thorough, self.grows = lies, thorough, grows
        numbered = number(graph if not grows else {}, [] if grows else keys)
        kind = GrowingState if grows else State
        order = depth_first(numbered)
        tokens = Tokens(self.capacity)
        self.state = kind(numbered, order, budget, tokens, on_error, device_budget)
        self.key = {i: task.key for i, task in enumerate(numbered.tasks)}
        self.at = {key: i for i, key in self.key.items()}
        self.deps = {i: numbered.deps[i] for i in self.key}
        self.wishes = list(set(numbered.kept))
        self.idle = list(range(n_workers))
        self.events = []  # (time, tie breaker, worker, batch)
        self.now = self.n_events = 0
        self.results = {}
        self.starts = dict.fromkeys(self.key, 0)  # of each number, since it is somebody's
        self.errors = dict.fromkeys(self.key, 0)
        self.running = set()
        self.peak = 0
        self.before = {i: self.state.status(i) for i in self.key}
        if grows:
            self.add(keys)

    # the run

    def run(self, on_event=lambda: None):
        """Go on until nothing runs and nothing is left to run; `on_event` may act as a client."""
        while not self.state.done:
            self.step()
            on_event()
        return self

    def step(self):
        """Let idle workers start tasks, then let the next thing happen."""
        state = self.state
        # any idle worker may be the next to ask
        idle, self.idle = self.rng.sample(self.idle, len(self.idle)), []
        for worker in idle:
            self.start(worker)
        due = state.next_due
        if due is not None and (not self.events or due <= self.events[0][0]):
            self.now = max(self.now, due)
            assert state.due(self.now), "it was time, and nothing is tried again"
            self.check()
            return
        assert self.events or state.done, "nobody works, and the run is not done"
        if self.events:
            self.now, _, worker, batch = heappop(self.events)
            self.report(batch)
            self.idle.append(worker)

    def start(self, worker):
        state = self.state
        promised, alone = state.can_start(), state.running == 0
        batch = state.start(self.most)
        assert promised == bool(batch)
        if not batch:
            self.idle.append(worker)
            return
        for space in SPACES:
            there = [i for i in batch if state._space[i] == space or state._need(i, space)]
            fits = state.alive[space] + state.reserved[space] <= state.budget[space]
            assert fits or not there or (alone and len(there) == 1), "the budget is exceeded"
        for place, i in enumerate(batch):
            self.note_start(i, place)
        self.check()
        self.peak = max(self.peak, state.alive[0] + state.reserved[0])
        self.n_events += 1
        duration = sum(self.rng.randint(1, 20) for _ in batch)
        heappush(self.events, (self.now + duration, self.n_events, worker, batch))

    def note_start(self, i, place):
        task = self.tasks[self.key[i]]
        assert place == 0 or task.nbytes + task.workspace <= SMALL
        assert i not in self.running, f"{i} runs twice"
        self.starts[i] += 1
        assert self.starts[i] == self.errors[i] + 1, f"{i} runs again without having failed"
        assert all(dep in self.results for dep in self.deps[i]), f"an input of {i} is not there"
        self.running.add(i)
        for name, there in self.capacity.items():
            asked = [self.tasks[self.key[j]].options for j in self.running]
            used = sum(options.resources.get(name, 0) for options in asked if options)
            assert used <= there + 1e-6, f"too many use {name}"

    def report(self, batch):
        for i in batch:
            self.running.discard(i)
            if self.state.cancelled and self.rng.random() < 0.5:
                self.state.withdraw(i)
            elif self.errors[i] < self.fails.get(self.key[i], 0):
                self.errors[i] += 1
                self.drop(self.state.fail(i, self.now))
            else:
                self.finish(i)
            self.check()

    def finish(self, i):
        task = self.tasks[self.key[i]]
        # The inputs of a run that was cancelled are gone.
        inputs = [self.results.get(dep) for dep in self.deps[i]]
        self.results[i] = task.fn(*inputs, *task.args)
        nbytes = self.rng.randint(0, 2 * task.nbytes) if self.lies else task.nbytes
        if self.lies and self.rng.random() < 0.2:
            self.state.relocate(i, self.rng.choice(SPACES))
        for each in self.state.finish(i, nbytes):
            del self.results[each]

    def drop(self, ended):
        for each in ended.released:
            del self.results[each]
        for each in ended.ended:
            assert self.state.status(each) in OVER
            assert each not in self.running

    def check(self):
        state = self.state
        touched = self.before if self.thorough else ()
        for i in touched:
            old, new = self.before[i], state.status(i)
            assert old == new or (old, new) in TRANSITIONS, f"{i} was {old.name}, is {new.name}"
            self.before[i] = new
        if self.thorough:
            check(state, self.wishes)

    # a client

    def add(self, keys):
        """Request results; what they need and is not here any more is added again."""
        state, new = self.state, {}
        stack = list(keys)
        while stack:
            key = stack.pop()
            if key not in new and self.is_gone(key):
                if key in self.at:
                    self.forget(key)
                new[key] = self.tasks[key]
                stack += new[key].deps
        wanted = [key for key in dict.fromkeys(keys) if key in new]
        graph = {key: new[key] for key in self.tasks if key in new}
        numbered = number(graph, wanted, self.at)
        numbers = state.add(numbered, depth_first(numbered), self.at)
        for task, i in zip(numbered.tasks, numbers, strict=True):
            assert i not in self.key, f"{i} is somebody's already"
            self.key[i], self.at[task.key] = task.key, i
            self.starts[i] = self.errors[i] = 0
            self.before[i] = state.status(i)
        for i in numbers:
            self.deps[i] = [self.at[dep] for dep in self.tasks[self.key[i]].deps]
        for key in dict.fromkeys(keys):
            if key not in wanted:
                state.retain(self.at[key])
            self.wishes.append(self.at[key])
        self.check()

    def is_gone(self, key):
        if key not in self.at:
            return True
        dropped = self.status(key) in (Status.RELEASED, Status.CANCELLED)
        return dropped and self.at[key] not in self.wishes

    def release(self, key):
        """Want a result no more, once."""
        self.wishes.remove(self.at[key])
        self.drop(self.state.release(self.at[key]))
        self.check()

    def revoke(self, key):
        """Give a task up."""
        self.drop(self.state.revoke(self.at[key]))
        self.check()

    def forget(self, key):
        """Free the number of a task that is over."""
        i = self.at.pop(key)
        self.state.forget(i)
        del self.key[i], self.before[i]
        self.check()

    def status(self, key):
        return self.state.status(self.at[key])


class Spiller(Simulator):
    """Workers that write results away when there is nothing else to do.

    Some make room on the device in any case, as tasks do that meet the device's own limit.
    """

    def __init__(self, *args, refuses=0.0, shelf=float("inf"), relieves=0.0, **options):
        self.refuses, self.relieves, self.n_spilled, self.n_back = refuses, relieves, 0, 0
        super().__init__(*args, **options)
        self.state.spills, self.state.shelf = True, shelf

    def start(self, worker):
        state = self.state
        if state.can_start() and not state.running:
            task = state._choose()
            busy = () if spilling.reads_regions(state._tasks[task]) else state._deps[task]
            staying = state._stays | state._spared
            for space in state._short(task, state._free_bytes()):
                held = [i for i in self.key if state.status(i) == Status.HELD]
                left = [i for i in held if i not in busy and i not in staying]
                left = [i for i in left if state._space[i] == space]
                assert not any(state._nbytes[i] >= spilling.SMALLEST for i in left)
        n_idle, is_woken = len(self.idle), self.is_woken()
        super().start(worker)
        if len(self.idle) > n_idle:  # nothing to do
            victim = state.spill()
            self.check()
            assert victim is None or is_woken, f"nobody would write {victim}"
            if victim is None and self.rng.random() < self.relieves:
                victim = state.spill_from(DEVICE)
                self.check()
            if victim is not None:
                self.idle.pop()
                self.n_events += 1
                heappush(
                    self.events, (self.now + self.rng.randint(1, 5), self.n_events, worker, victim)
                )

    def is_woken(self):
        """Whether a worker that sleeps is woken up, or one that works will look around."""
        state = self.state
        return state.has_work or (not self.grows and bool(state.running or state._writing))

    def report(self, batch):
        if isinstance(batch, list):
            super().report(batch)
            return
        if self.rng.random() < self.refuses:
            self.state.unspilled(batch, for_good=not self.grows or self.rng.random() < 0.5)
        else:
            self.n_spilled += 1
            assert self.state.spilled(batch) in ([], [batch])
        self.check()

    def finish(self, i):
        super().finish(i)
        if self.grows:
            self.state.reconsider(self.may_go, 1)

    def may_go(self, _):
        return self.rng.random() < 0.5

    # a client

    def add(self, keys):
        self.state.reconsider(self.may_go)
        super().add(keys)

    def look_at(self, key):
        """Have a result in memory again, and hold it no longer."""
        self.n_back += 1
        self.state.came_back(self.at[key])
        self.state.reconsider(self.may_go)
        self.check()


class Regions:
    """A function that reads its inputs in regions."""

    reads_regions = True

    def __init__(self, function):
        self.function = function

    def __call__(self, *values):
        return self.function(*values)


def some_on_device(graph, rng):
    """Let the results of some tasks lie on a device."""
    for task in graph.values():
        task.space = rng.choice(SPACES)


def some_read_regions(graph, rng):
    """Let some tasks read their inputs in regions."""
    for task in graph.values():
        if rng.random() < 0.4:
            task.fn = Regions(task.fn)
