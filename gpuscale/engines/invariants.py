"""What is true of a state between two events; tests look after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gpuscale.engines import spilling
from gpuscale.engines.state import State
from gpuscale.engines.states import Status
from gpuscale.memory.projection import measured_needs, reads_regions
from gpuscale.memory.spaces import DEVICE, SPACES

__all__ = ["check"]

_OPEN = {Status.WAITING, Status.READY, Status.RUNNING, Status.RETRYING}
_KEPT = {Status.HELD, Status.SPILLING, Status.SPILLED}
_ENDED = {Status.RELEASED, Status.FAILED, Status.CANCELLED, Status.SKIPPED}


def check(state: State, wanted: Iterable[int]) -> None:
    """Recompute everything that events keep up to date, and compare.

    Parameters
    ----------
    state : State
    wanted : iterable of int
        The requested tasks, once for each wish that stands.

    Raises
    ------
    AssertionError
        What events kept differs from what the tasks' statuses say.
    """
    tasks = range(len(state._status))
    status = [state.status(t) for t in tasks]
    running = [t for t in tasks if status[t] == Status.RUNNING]
    assert state.running == len(running)
    assert state.unfinished == sum(s in _OPEN for s in status)
    assert state.reserved == [sum(state._need(t, space) for t in running) for space in SPACES]
    assert state.alive == _alive(state, status)
    assert state.n_ready == status.count(Status.READY)
    _check_tokens(state, running)
    if state.cancelled:
        assert not {*status} & {Status.WAITING, Status.READY, Status.RETRYING, *_KEPT}
        return
    _check_spilled(state, status)
    wishes = Counter(wanted)
    uses = Counter(dep for t in tasks if status[t] in _OPEN for dep in state._deps[t])
    heaps = [state._ready, *state._scarce.heaps()]
    queued = {place for heap in heaps for place in heap}
    sleeping = {place for _, place in state.sleeping}
    for t in tasks:
        if status[t] == Status.FORGOTTEN:
            continue
        if status[t] in _OPEN:
            left = sum(status[dep] in _OPEN for dep in state._deps[t])
            assert state._waiting[t] == left, f"{t} waits for {left}"
            assert (left > 0) == (status[t] == Status.WAITING), f"{t} is {status[t].name}"
            is_needed = state._in_use[t] > 0 or status[t] == Status.RUNNING
            assert is_needed, f"{t} would run for nobody"
        if status[t] not in _ENDED:
            assert state._in_use[t] == uses[t] + wishes[t], f"{t} has {uses[t]} uses"
        if status[t] == Status.READY:
            assert state._place[t] in queued, f"{t} is ready and nobody knows"
        if status[t] == Status.RETRYING:
            assert state._place[t] in sleeping, f"nobody will wake {t}"
        if status[t] in _KEPT:
            assert state._in_use[t] > 0, f"{t} is held for nobody"
        if status[t] == Status.RELEASED:
            assert not uses[t], f"{t} was dropped too early"


def _alive(state: State, status: list[Status]) -> list[int]:
    alive = [sum(state._shelved.values()), 0]
    for t, at in enumerate(status):
        if at in (Status.HELD, Status.SPILLING):
            alive[state._space[t]] += state._nbytes[t]
    return alive


def _check_spilled(state: State, status: list[Status]) -> None:
    tasks = range(len(status))
    spilling = {t for t in tasks if status[t] == Status.SPILLING}
    assert spilling <= state._writing
    back = {t for t in state._writing if status[t] == Status.HELD}  # from the shelf, on the way
    sinking = {t for t in state._writing if status[t] == Status.SPILLED}
    assert sinking <= state._shelved.keys()
    for t in state._writing - spilling - back - sinking:  # nobody waits for it any more
        assert status[t] in (Status.RELEASED, Status.FORGOTTEN), f"{t} is written in vain"
    for t in state._shelved:
        assert state._space[t] == DEVICE and status[t] in (Status.SPILLING, Status.SPILLED)
    assert sum(state._shelved.values()) <= state.shelf
    for t in tasks:
        task, deps = state._tasks[t], set(state._deps[t])
        if status[t] == Status.RUNNING:
            assert not deps & (state._writing - back), f"{t} uses what is being written"
        if status[t] == Status.RUNNING:  # what it reads may be in memory again
            assert state._needs[t] >= task.nbytes + task.workspace, f"what {t} needs"
        elif status[t] in _OPEN:
            read = [0, 0]
            for dep in () if reads_regions(task) else deps:
                if status[dep] == Status.SPILLED:
                    read[state._space[dep]] += state._away[dep]
            own = task.nbytes + task.workspace
            if t in state.measured and status[t] != Status.WAITING:
                own = sum(measured_needs(task, list(map(state.bytes_of, state._deps[t]))))
            read[state._space[t]] += own
            assert [state._need(t, space) for space in SPACES] == read, f"what {t} needs"
    for space in SPACES if state.spills else ():
        _check_latest(state, status, space)


def _check_latest(state: State, status: list[Status], space: int) -> None:
    """Compare with a look at all that is held in a space."""
    stays = state._stays | state._spared | state._writing
    stays.update(dep for t in state._all(Status.RUNNING) for dep in state._deps[t])
    turns = []
    for t in range(len(status)):
        held = status[t] == Status.HELD and state._space[t] == space
        large = held and state._nbytes[t] >= spilling.SMALLEST
        shelved = space != DEVICE and status[t] == Status.SPILLED and t in state._shelved
        if (large or shelved) and t not in stays:
            places = [state._place[u] for u in state._users[t] if t in state._deps[u]]
            ahead = [state._turn(place) for place in places if state._is_ahead(place)]
            turns.append((min(ahead, default=float("inf")), t))
    assert state._furthest(space) == max(turns, default=(0.0, None)), "another is needed later"


def _check_tokens(state: State, running: Iterable[int]) -> None:
    taken: Counter[str] = Counter()
    for t in running:
        taken.update(state._scarce.wanted.get(t, {}))  # type: ignore[arg-type]
    for name, amount in taken.items():
        assert amount <= state._scarce.tokens.capacity[name] + 1e-6, f"too many use {name}"
