"""Colours of tasks in a picture: by the order they run in, by memory, by worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.diagnostics.trial import trial_run
from gpuscale.graph.order import order
from gpuscale.graph.task import Graph
from gpuscale.memory.projection import bytes_in_use

__all__ = ["COLOURINGS", "Colouring", "colour_tasks"]

COLOURINGS = ("order", "memory", "worker")

# From few to much; dark letters must be readable on all of it.
EARLY, LATE = (255, 250, 205), (64, 182, 196)
LITTLE, MUCH = (255, 247, 240), (251, 106, 74)
WORKERS = (
    "#a6cee3", "#fdbf6f", "#b2df8a", "#cab2d6", "#fb9a99", "#d9d9d9", "#ffed6f", "#8dd3c7",
    "#fccde5", "#bc9f77", "#80b1d3", "#ccebc5",
)  # fmt: skip


@dataclass(frozen=True)
class Colouring:
    """Colours of tasks, and what they mean.

    Attributes
    ----------
    fills : dict of Key to str
    notes : dict of Key to str
        What to write into the box of a task.
    title : str
    legend : list of (str, str)
        Colours and their names, from left to right.
    """

    fills: dict[Key, str]
    notes: dict[Key, str]
    title: str
    legend: list[tuple[str, str]]


def colour_tasks(graph: Graph, keys: Sequence[Key], by: str) -> Colouring:
    """Choose the colours of all tasks of a graph.

    Parameters
    ----------
    graph : dict of Key to Task
    keys : sequence of Key
        What a computation would ask for.
    by : {"order", "memory", "worker"}
        The order in which tasks should run; the bytes in memory while each runs if they run one at
        a time in this order; or the worker that runs each, for which the graph is run.

    Raises
    ------
    ValueError
        If there are no such colours.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> graph = {"x": Task("x", int, nbytes=8), "y": Task("y", abs, ("x",), nbytes=8)}
    >>> colour_tasks(graph, ["y"], "memory").notes
    {'x': '8 B in memory', 'y': '16 B in memory'}
    """
    if by not in COLOURINGS:
        known = ", ".join(map(repr, COLOURINGS))
        raise ValueError(f"no colours by {by!r}; there are {known}")
    if by == "worker":
        return _by_worker(graph, keys)
    places = order(graph, keys)
    return _by_order(places) if by == "order" else _by_memory(graph, places, keys)


def _by_order(places: Mapping[Key, int]) -> Colouring:
    last = max(places.values(), default=0)
    fills = {key: _between(EARLY, LATE, place / (last or 1)) for key, place in places.items()}
    notes = {key: f"{_ordinal(place + 1)} to run" for key, place in places.items()}
    ends = ("first", f"last, {_ordinal(last + 1)}")
    return Colouring(fills, notes, "order of execution", _scale(EARLY, LATE, *ends))


def _by_memory(graph: Graph, places: Mapping[Key, int], keys: Sequence[Key]) -> Colouring:
    used = dict(zip(places, bytes_in_use(graph, places, keys), strict=True))
    most = max(used.values(), default=0)
    fills = {key: _between(LITTLE, MUCH, nbytes / (most or 1)) for key, nbytes in used.items()}
    notes = {key: f"{format_bytes(nbytes)} in memory" for key, nbytes in used.items()}
    title = "bytes in memory while a task runs, one at a time"
    return Colouring(fills, notes, title, _scale(LITTLE, MUCH, "0 B", format_bytes(most)))


def _by_worker(graph: Graph, keys: Sequence[Key]) -> Colouring:
    record = trial_run(graph, keys)
    workers = dict(zip(record.keys, record.worker.tolist(), strict=True))
    found = {key: workers[key] for key in graph if key in workers}
    seen = sorted(set(found.values()))
    fills = {key: WORKERS[worker % len(WORKERS)] for key, worker in found.items()}
    names = {worker: record.worker_names.get(worker, str(worker)) for worker in seen}
    notes = {key: f"worker {names[worker]}" for key, worker in found.items()}
    legend = [(WORKERS[worker % len(WORKERS)], names[worker]) for worker in seen]
    return Colouring(fills, notes, "worker that ran it", legend)


Rgb = tuple[int, int, int]


def _between(low: Rgb, high: Rgb, share: float) -> str:
    """Colour on the way from one to another.

    Examples
    --------
    >>> _between((0, 0, 0), (255, 255, 255), 0.5)
    '#808080'
    """
    mixed = (round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _scale(low: Rgb, high: Rgb, first: str, last: str) -> list[tuple[str, str]]:
    steps = [(_between(low, high, k / 6), "") for k in range(7)]
    return [(steps[0][0], first), *steps[1:-1], (steps[-1][0], last)]


def _ordinal(number: int) -> str:
    """Place in a row.

    Examples
    --------
    >>> " ".join(map(_ordinal, (1, 2, 3, 11, 22, 101)))
    '1st 2nd 3rd 11th 22nd 101st'
    """
    teen = number % 100 in (11, 12, 13)
    return f"{number:,}" + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))
