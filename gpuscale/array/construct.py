"""Make nodes from what users hand in: the one place where operands become expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise, common_backend
from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.array.nodes.reduce import Reduce
from gpuscale.array.nodes.view import View
from gpuscale.base.config import get
from gpuscale.base.types import Chunks
from gpuscale.chunks import views
from gpuscale.codegen.functions import boxed
from gpuscale.codegen.ops import loop_dtypes, result_dtype
from gpuscale.codegen.program import ProgramBuilder, ScalarProgram
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node

__all__ = [
    "cast",
    "elementwise",
    "fits",
    "native",
    "on_backend",
    "rechunk",
    "reduce",
    "scalar",
    "split_every_of",
    "together",
    "view",
]

COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
LOGICAL = {"logical_and", "logical_or", "logical_xor"}
PYTHON_SCALARS = (bool, int, float, complex)
_SMALL = 8  # integers up to this stay constants in the program, so that x**2 becomes x*x


def scalar(value: Any, dtype: Any = None) -> Node:
    """Return a number without axes as a node.

    It is a parameter of the program, so that other numbers need no other kernel.
    """
    box = boxed(value, dtype)
    if type(value) in (bool, int) and abs(value) <= _SMALL and box.dtype.kind in "biufc":
        program, params = _constant(int(value), box.dtype), []
    else:
        program, params = _parameter(box.dtype), [box[()]]
    return IndexFunction(program, (), tuple(params), "scalar", ArrayMeta(box.dtype, ()))


@lru_cache(maxsize=256)
def _constant(value: int, dtype: np.dtype[Any]) -> ScalarProgram:
    builder = ProgramBuilder()
    return builder.build(builder.const(value, dtype))


@lru_cache(maxsize=256)
def _parameter(dtype: np.dtype[Any]) -> ScalarProgram:
    builder = ProgramBuilder()
    return builder.build(builder.param(0, dtype))


def elementwise(op: str, *operands: Any, dtype: Any = None) -> Node:
    """Return one operation on nodes and Python scalars, with NumPy 2's promotion.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.
    TypeError
        If the operation is not defined for the dtypes.
    """
    kinds = _kinds(operands)
    out = np.dtype(dtype) if dtype is not None else result_dtype(op, *kinds)
    return Elementwise(op, together(_strong(op, operands, dtype), op), out)


def together(nodes: Sequence[Node], what: str) -> tuple[Node, ...]:
    """Return nodes on the backend that they share; numbers without axes go where the others are.

    Raises
    ------
    BackendError
        If arrays of two backends meet.
    """
    nodes = tuple(nodes)
    backends = {node.meta.backend for node in nodes}
    if len(backends) < 2:
        return nodes
    backend = common_backend(nodes, what)
    return tuple(on_backend(node, backend) for node in nodes)


def on_backend(node: Node, backend: str) -> Node:
    """Return a node on a backend; functions of the index are made there, data is moved."""
    if isinstance(node, IndexFunction):
        return node.rebuilt(*node.operands[:-1], node.meta.with_(backend=backend))
    return moved(node, backend)


def _kinds(operands: Sequence[Any]) -> list[Any]:
    """Dtypes, and the types of Python's scalars, which are weak (NEP 50)."""
    return [x.meta.dtype if isinstance(x, Node) else type(x) for x in operands]


def _strong(op: str, operands: Sequence[Any], dtype: Any) -> tuple[Node, ...]:
    """Give Python scalars the dtype that the arrays beside them imply."""
    kinds = _kinds(operands)
    numeric = [d for d in kinds if isinstance(d, np.dtype) and d.kind in "biufc"]
    nodes = []
    for place, x in enumerate(operands):
        if isinstance(x, Node):
            nodes.append(x)
        elif type(x) not in PYTHON_SCALARS or not numeric:
            nodes.append(scalar(x))
        elif fits(x, natural := np.result_type(*numeric, x)) and op != "ldexp":
            nodes.append(scalar(x, natural))
        elif op in COMPARISONS:  # exact beyond the dtype; beyond 64 bits the sign says it all
            nodes.append(scalar(x if -(2**63) <= x < 2**64 else math.copysign(math.inf, x)))
        elif op == "where":  # NumPy wraps integers around there
            nodes.append(scalar(np.asarray(x).astype(natural)[()], natural))
        else:
            wanted = loop_dtypes(op, *kinds, dtype=dtype)[place]
            nodes.append(scalar(x, np.dtype(np.int64) if op in LOGICAL else _held(x, wanted)))
    return tuple(nodes)


def fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether an integer of Python, if it is one, can be held by a dtype, if it is of integers."""
    if type(value) is not int or dtype.kind not in "iu":
        return True
    info = np.iinfo(dtype)
    return bool(info.min <= value <= info.max)


def _held(value: Any, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype of NumPy's loop for an integer that that of the arrays cannot hold."""
    if not fits(value, dtype):
        raise OverflowError(f"Python integer {value} out of bounds for {dtype}")
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
