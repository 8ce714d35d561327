"""Where the boxes of a drawing go: layers from the inputs down to the results.

The method of Sugiyama, Tagawa and Toda (1981): boxes get layers, edges that cross several layers
get a bend in each, barycentres order every layer, and positions follow by least squares.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["Layout", "place", "spread"]

Name = Hashable
Point = tuple[float, float]

GAP = 18.0  # between neighbours of a layer
RISE = 44.0  # between layers
SWEEPS = 8  # passes over all layers; more hardly change a drawing of hundreds of boxes


@dataclass(frozen=True)
class Layout:
    """A drawing without its boxes' contents.

    Attributes
    ----------
    centers : dict of name to (x, y)
    paths : dict of (name, name) to list of (x, y)
        From the lower edge of the first box to the upper edge of the second; straight down and
        curved in turn.
    width, height : float
    """

    centers: dict[Any, Point]
    paths: dict[tuple[Any, Any], list[Point]]
    width: float
    height: float


def place(
    inputs: Mapping[Any, Sequence[Any]], widths: Mapping[Any, float], height: float
) -> Layout:
    """Place boxes of equal height so that each lies below all its inputs.

    Parameters
    ----------
    inputs : mapping of name to names
        What each box reads; without circles.
    widths : mapping of name to float
    height : float
        Height of every box.

    Examples
    --------
    >>> layout = place({"x": [], "y": [], "sum": ["x", "y"]}, {"x": 40, "y": 40, "sum": 60}, 20)
    >>> layout.centers["x"][0] < layout.centers["sum"][0] < layout.centers["y"][0]
    True
    >>> layout.height
    84.0
    """
    layer_of = _layers(inputs)
    layers: list[list[Name]] = [[] for _ in range(1 + max(layer_of.values(), default=0))]
    for name, layer in layer_of.items():
        layers[layer].append(name)
    chains = {
        (source, name): _chain(source, name, layer_of, layers)
        for name in inputs
        for source in dict.fromkeys(inputs[name])
    }
    above: dict[Name, list[Name]] = {}
    below: dict[Name, list[Name]] = {}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    _order(layers, above, below)
    x = _positions(layers, above, below, widths)
    left = min((at - widths.get(name, 0.0) / 2 for name, at in x.items()), default=0.0)
    y = {name: height / 2 + k * (height + RISE) for k, layer in enumerate(layers) for name in layer}
    centers = {name: (x[name] - left, y[name]) for name in inputs}
    paths = {ends: _path(chain, x, y, left, height) for ends, chain in chains.items()}
    points = [point for path in paths.values() for point in path]
    rights = [cx + widths[name] / 2 for name, (cx, _) in centers.items()]
    width = max([*rights, *(px for px, _ in points)], default=0.0)
    return Layout(centers, paths, width, len(layers) * (height + RISE) - RISE)


def _layers(inputs: Mapping[Any, Sequence[Any]]) -> dict[Name, int]:
    """Layer of each box, 0 on top: as near to those who read it as can be."""
    depth: dict[Name, int] = {}
    for name in reversed(_inputs_first(inputs)):
        depth.setdefault(name, 0)
        for source in inputs[name]:
            depth[source] = max(depth.get(source, 0), depth[name] + 1)
    deepest = max(depth.values(), default=0)
    return {name: deepest - depth[name] for name in inputs}


def _inputs_first(inputs: Mapping[Any, Sequence[Any]]) -> list[Name]:
    done: dict[Name, None] = {}
    for root in inputs:
        stack = [(root, iter(inputs[root]))]
        while stack:
            name, rest = stack[-1]
            following = next((each for each in rest if each not in done), None)
            if following is None:
                done[stack.pop()[0]] = None
            else:
                stack.append((following, iter(inputs[following])))
    return list(done)


def _chain(
    source: Name, name: Name, layer_of: Mapping[Name, int], layers: list[list[Name]]
) -> list[Name]:
    """Names along an edge; its bends become members of the layers that it crosses."""
    bends: list[Name] = [
        ("bend", source, name, layer) for layer in range(layer_of[source] + 1, layer_of[name])
    ]
    for bend, layer in zip(bends, layers[layer_of[source] + 1 :], strict=False):
        layer.append(bend)
    return [source, *bends, name]


def _order(
    layers: list[list[Name]],
    above: Mapping[Name, list[Name]],
    below: Mapping[Name, list[Name]],
) -> None:
    """Order each layer by the mean place of its neighbours, down and up in turn."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        steps = pairwise(layers if down else layers[::-1])
        for fixed, free in steps:
            place_of = {name: k for k, name in enumerate(fixed)}
            wish = {
                name: _mean([place_of[each] for each in neighbours.get(name, ())], k)
                for k, name in enumerate(free)
            }
            free.sort(key=wish.__getitem__)


def _mean(values: list[Any], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _positions(
    layers: list[list[Name]],
    above: Mapping[Name, list[Name]],
    below: Mapping[Name, list[Name]],
    widths: Mapping[Any, float],
) -> dict[Name, float]:
    x: dict[Name, float] = {}
    for layer in layers:
        sizes = [widths.get(name, 0.0) for name in layer]
        x |= zip(layer, spread([0.0] * len(layer), sizes), strict=True)
    for sweep in range(SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            wishes = [_mean([x[each] for each in neighbours.get(n, ())], x[n]) for n in layer]
            sizes = [widths.get(name, 0.0) for name in layer]
            x |= zip(layer, spread(wishes, sizes), strict=True)
    return x


def spread(wishes: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Centers nearest to those wished for (least squares) that keep the order and the gaps.

    Subtracting the least distances leaves isotonic regression, solved by pooling adjacent
    violators.

    Examples
    --------
    >>> spread([0.0, 100.0], [10.0, 10.0])
    [0.0, 100.0]
    >>> spread([0.0, 0.0], [10.0, 10.0])
    [-14.0, 14.0]
    """
    offsets = [0.0]
    for one, other in pairwise(widths):
        offsets.append(offsets[-1] + (one + other) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # mean and number of the members
    for wish, offset in zip(wishes, offsets, strict=False):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            previous, members = pools.pop()
            mean = (mean * count + previous * members) / (count + members)
            count += members
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=False)]


def _path(
    chain: Sequence[Name],
    x: Mapping[Name, float],
    y: Mapping[Name, float],
    left: float,
    height: float,
) -> list[Point]:
    """Points of an edge; beside the boxes of a layer that it crosses it runs straight down."""
    half = height / 2
    ends = [(x[name] - left, y[name] + side) for name in chain for side in (-half, half)]
    return ends[1:-1]
