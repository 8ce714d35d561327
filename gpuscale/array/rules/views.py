"""Views meet what they look at."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.reduce import Reduce
from gpuscale.array.nodes.view import View
from gpuscale.array.rules.free import is_free
from gpuscale.base.types import is_known
from gpuscale.chunks import views
from gpuscale.expr.merge import move_index
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import ConcatenatePlan
from gpuscale.expr.stages import simplify_rules

__all__: list[str] = []


@simplify_rules.rule(View)
def compose_views(node: View) -> Node | None:
    """A view of a view is one view."""
    x = node.x
    if not isinstance(x, View):
        return None
    return View(x.x, views.compose(node.view, x.view), node.chunks)


@simplify_rules.rule(View)
def drop_identity(node: View) -> Node | None:
    """A view that changes nothing is its source."""
    same = views.is_identity(node.view, node.x.meta.shape)
    return node.x if same and node.chunks == node.x.meta.chunks else None


@simplify_rules.rule(View)
def view_of_piece(node: View) -> Node | None:
    """A view of one piece of what is joined is a view of that piece."""
    x, view = node.x, node.view
    while (found := _piece_in_view(x, view)) is not None:  # a loop: rules may not go deep
        x, view = found
    return None if x is node.x else View(x, view, node.chunks)


def _piece_in_view(x: Node, view: views.View) -> tuple[Node, views.View] | None:
    if not (isinstance(x, Exchange) and isinstance(x.plan, ConcatenatePlan)):
        return None
    axis = x.plan.axis
    lengths = [each.meta.shape[axis] for each in x.inputs]
    out, start, step = view.axes[axis]
    count = 1 if out is None else view.shape[out]
    if not is_known((count, *lengths)) or count == 0:
        return None
    low, high = sorted((start, start + step * (count - 1)))
    starts = list(accumulate(lengths, initial=0))
    number = bisect_right(starts, low) - 1
    if high >= starts[number + 1]:
        return None
    axes = list(view.axes)
    axes[axis] = (out, start - starts[number], step)
    return x.inputs[number], views.make_view(axes, view.shape)


@simplify_rules.rule(View)
def view_of_index_function(node: View) -> Node | None:
    """A view of an index function is an index function of other coefficients."""
    x = node.x
    if not isinstance(x, IndexFunction):
        return None
    indices = tuple(move_index(index, node.view) for index in x.indices)
    return IndexFunction(x.program, indices, x.params, x.label, node.meta)


@simplify_rules.rule(View)
def view_of_free_elementwise(node: View) -> Node | None:
    """A view of work on free inputs is work on views, so that it can take any chunks."""
    x = node.x
    if not (isinstance(x, Elementwise) and is_free(x) and x.meta.known):
        return None
    inputs = []
    for each in x.inputs:
        view = views.compose(node.view, views.broadcast_to(each.meta.shape, x.meta.shape))
        inputs.append(View(each, view, node.chunks))
    return Elementwise(x.op, tuple(inputs), x.dtype)


@simplify_rules.rule(View)
def slice_before_reduce(node: View) -> Node | None:
    """A slice of what a reduction keeps is taken before it reduces."""
    x = node.x
    if not isinstance(x, Reduce) or x.keepdims or not x.inputs[0].meta.known:
        return None
    plain = all(axis == k and step == 1 for k, (axis, _, step) in enumerate(node.view.axes))
    if not plain or len(node.view.shape) != x.meta.ndim:
        return None
    shape, chunks = list(x.inputs[0].meta.shape), list(x.inputs[0].meta.chunks)
    axes: list[tuple[int | None, int, int]] = [(k, 0, 1) for k in range(len(shape))]
    kept = [axis for axis in range(len(shape)) if axis not in x.axes]
    for out, axis in enumerate(kept):
        shape[axis], chunks[axis] = node.view.shape[out], node.chunks[out]
        axes[axis] = (axis, node.view.axes[out][1], 1)
    view = views.make_view(axes, tuple(shape))
    inputs = tuple(View(each, view, tuple(chunks)) for each in x.inputs)
    operands = (inputs, *x.operands[1:])
    return Reduce(*operands)
