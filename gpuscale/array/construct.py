"""Make nodes from what users hand in: the one place where operands become expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.array.nodes.reduce import Reduce
from gpuscale.array.nodes.view import View
from gpuscale.base.config import get
from gpuscale.base.types import Chunks
from gpuscale.chunks import views
from gpuscale.codegen.ops import result_dtype
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["cast", "elementwise", "native", "rechunk", "reduce", "scalar", "split_every_of", "view"]

COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
PYTHON_SCALARS = (bool, int, float, complex)
_SMALL = 8  # integers up to this stay constants in the program, so that x**2 becomes x*x


def scalar(value: Any, dtype: Any = None) -> Node:
    """Return a number without axes as a node.

    It is a parameter of the program, so that other numbers need no other kernel.
    """
    builder = ProgramBuilder()
    if type(value) in (bool, int) and abs(value) <= _SMALL:
        constant = np.asarray(value, dtype)[()]
        program = builder.build(builder.const(constant, constant.dtype))
        params: tuple[Any, ...] = ()
    else:
        constant = np.asarray(value, dtype)[()]
        program = builder.build(builder.param(0, np.asarray(constant).dtype))
        params = (constant,)
    meta = ArrayMeta(np.asarray(constant).dtype, ())
    return IndexFunction(program, (), params, "scalar", meta)


def elementwise(op: str, *operands: Any, dtype: Any = None) -> Node:
    """Return one operation on nodes and Python scalars, with NumPy 2's promotion.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.
    TypeError
        If the operation is not defined for the dtypes.
    """
    kinds = [x.meta.dtype if isinstance(x, Node) else type(x) for x in operands]
    out = np.dtype(dtype) if dtype is not None else result_dtype(op, *kinds)
    nodes = _strong(op, operands)
    return Elementwise(op, nodes, out)


def _strong(op: str, operands: Sequence[Any]) -> tuple[Node, ...]:
    """Give Python scalars the dtype that the arrays beside them imply."""
    weak = [x for x in operands if not isinstance(x, Node)]
    if not weak:
        return tuple(operands)
    dtypes = [x.meta.dtype for x in operands if isinstance(x, Node)]
    return tuple(
        x if isinstance(x, Node) else scalar(x, _weak_dtype(op, x, dtypes)) for x in operands
    )


def _weak_dtype(op: str, value: Any, dtypes: list[np.dtype[Any]]) -> np.dtype[Any] | None:
    numeric = [d for d in dtypes if d.kind in "biufc"]
    if type(value) not in PYTHON_SCALARS or not numeric:
        return None
    dtype = np.result_type(*numeric, value)
    if type(value) is int and dtype.kind in "iu":
        info = np.iinfo(dtype)
        if not info.min <= value <= info.max:
            if op not in COMPARISONS:
                raise OverflowError(f"Python integer {value} out of bounds for {dtype}")
            return None  # comparisons are exact beyond the dtype
    return dtype


def cast(node: Node, dtype: Any) -> Node:
    """Return the elements as another dtype."""
    dtype = np.dtype(dtype)
    if node.meta.dtype == dtype:
        return node
    return Elementwise("cast", (node,), dtype)


def native(node: Node) -> Node:
    """Return the elements in the byte order of the machine, in which NumPy gives results."""
    return cast(node, node.meta.dtype.newbyteorder("="))


def view(node: Node, affine: views.View, new_axis_chunks: Any = None) -> Node:
    """Return an affine view; the node itself where nothing changes."""
    if views.is_identity(affine, node.meta.shape):
        return node
    return View(node, affine, views.view_chunks(affine, node.meta.chunks, new_axis_chunks))


def rechunk(node: Node, chunks: Chunks) -> Node:
    """Return the node in other chunks; itself where they are equal."""
    return node if node.meta.chunks == chunks else Rechunk(node, chunks)


def split_every_of(split_every: Any, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Blocks that one task combines along each axis.

    Raises
    ------
    ValueError
        If a number is less than 2.
    """
    if split_every is None:
        split_every = int(get("array.split-every"))
    if isinstance(split_every, dict):
        spans = tuple(int(split_every.get(axis, 4)) for axis in axes)
    else:
        count = max(len(axes), 1)
        spans = (max(2, round(int(split_every) ** (1 / count))),) * len(axes)
        if int(split_every) < 2:
            spans = (int(split_every),) * len(axes)
    if any(n < 2 for n in spans):
        raise ValueError(f"split_every must be at least 2, got {split_every}")
    return spans


def reduce(
    inputs: tuple[Node, ...],
    reductions: tuple[str, ...],
    finalize: Callable[..., Any],
    axes: tuple[int, ...],
    *,
    keepdims: bool,
    dtype: Any,
    label: str,
    split_every: Any = None,
) -> Node:
    """Return a reduction of inputs with one shape; they share one pass."""
    first = inputs[0].meta.chunks
    inputs = tuple(native(rechunk(x, first)) for x in inputs)
    spans = split_every_of(split_every, axes)
    dtype = np.dtype(dtype).newbyteorder("=")
    return Reduce(inputs, reductions, finalize, axes, keepdims, spans, label, dtype)
