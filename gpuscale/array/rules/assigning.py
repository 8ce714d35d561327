"""Loops that assign numbers one after the other copy each block once."""

from __future__ import annotations

from collections import Counter

from gpuscale.array.api.regions import Assignment, assign_many, assignment_of
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.stages import simplify_rules
from gpuscale.expr.walk import toposort

__all__: list[str] = []

MANY = 16  # assignments that fill a kernel: they save no pass by being fused with their neighbours


@simplify_rules.first
def assign_at_once(roots: list[Node]) -> list[Node]:
    """Many assignments of numbers in a row are one node; see `MANY`."""
    nodes = list(toposort(roots))
    found = {node.token: each for node in nodes if (each := assignment_of(node)) is not None}
    if len(found) < MANY:
        return roots
    reads = Counter(root.token for root in roots)
    for node in nodes:
        reads.update(child.token for child in node.children)
    runs: dict[str, list[Assignment]] = {}
    for node in nodes:  # a run is handed on from each assignment to the next
        each = found.get(node.token)
        if each is not None:
            goes_on = each.x.token in runs and reads[each.x.token] == 1
            runs[node.token] = runs.pop(each.x.token) if goes_on else []
            runs[node.token].append(each)
    return _rebuilt(roots, {top: run for top, run in runs.items() if len(run) >= MANY})


def _rebuilt(roots: list[Node], runs: dict[str, list[Assignment]]) -> list[Node]:
    inner = {each.x.token for run in runs.values() for each in run[1:]}
    done: dict[str, Node] = {}
    for node in toposort(roots):
        run = runs.get(node.token)
        if run is not None:
            run[0] = run[0]._replace(x=done[run[0].x.token])
            with on_behalf_of(node):
                done[node.token] = assign_many(run)
        elif node.token not in inner:
            done[node.token] = node.map_children(lambda child: done[child.token])
    return [done[root.token] for root in roots]
