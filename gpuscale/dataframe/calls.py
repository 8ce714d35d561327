"""Calls on aligned partitions: how methods and operators become nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.base.errors import NotSupportedError
from gpuscale.collection import Collection
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import operands_of
from gpuscale.dataframe.nodes.partwise import Partwise, Rows
from gpuscale.dataframe.undecided import may_vary
from gpuscale.expr.frames import FrameMeta, ScalarMeta
from gpuscale.expr.node import Node

__all__ = ["call", "node_of", "partwise"]


def node_of(operand: Any) -> Any:
    """Return the node of a collection of this package, anything else as it is.

    Raises
    ------
    NotSupportedError
        If it is a collection of another kind, whose blocks are no partitions.
    """
    if not isinstance(operand, Collection):
        return operand
    if not isinstance(operand.expr.meta, FrameMeta | ScalarMeta):
        raise NotSupportedError(
            f"{type(operand).__name__} is no operand of frames; make a frame of it by "
            "from_array, an array of the frame by to_dask_array(), or compute() it if it is small"
        )
    return operand.expr


def call(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    label: str = "function",
    rows: Rows = "same",
    out: Any = None,
    shared: Sequence[Any] = (),
) -> Any:
    """Return the collection of a function of aligned partitions.

    Parameters
    ----------
    function : callable
        Named, or an object that pickles: other processes call it.
    args, kwargs
        Collections stand for their partitions; all else is given as it is.
    label : str
    rows : {"same", "some", "new", "labels"}
        What becomes of the index, see `Partwise`.
    out : object of pandas, optional
        What comes out, without rows; found by calling the function else.
    shared : sequence of collections
        Those among the arguments of which every partition takes the only one that they have; series
        of the labels of columns, as sums of these are, beside tables in any case.
    """
    given = tuple((name, node_of(value)) for name, value in (kwargs or {}).items())
    operands, beside = tuple(map(node_of, args)), list(map(node_of, shared))
    node = partwise(function, operands, given, label, rows, out, beside)
    if isinstance(getattr(node.meta, "frame", None), _ARRAYS):
        rows = "same" if rows == "labels" else rows
        own = (_index_of_rows(operands), *operands)
        node = partwise(Labelled(function), own, given, label, rows, out, beside)
    return wrap(node)


_ARRAYS = (np.ndarray, pd.api.extensions.ExtensionArray)


@dataclass(frozen=True)
class Labelled:
    """A function of an index that gives an array, as comparisons do: here it has labels."""

    function: Callable[..., Any]

    @property
    def may_vary(self) -> bool:
        """Whether the dtype of what comes out depends on the elements."""
        return may_vary(self.function)

    @property
    def name(self) -> str:
        """Name of the function."""
        return getattr(self.function, "name", "")

    def __call__(self, index: Any, *args: Any, **kwargs: Any) -> Any:
        """Call it, and make a series of what it gives."""
        return frame_namespace(index).Series(self.function(*args, **kwargs), index=index)


def _index_of_rows(operands: Sequence[Any]) -> Any:
    """Return the index that the rows have of which an index among operands was made."""
    node = next(each for each in operands if _is_index(each))
    while isinstance(node, Partwise) and node.rows == "labels":
        node = next(each for each in node.args if _is_index(each))
    return node


def _is_index(operand: Any) -> bool:
    return isinstance(operand, Node) and isinstance(getattr(operand.meta, "frame", None), pd.Index)


def partwise(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...] = (),
    label: str = "function",
    rows: Rows = "same",
    out: Any = None,
    shared: Iterable[Node] = (),
) -> Node:
    """Return the node of a function of partitions, aligned where they are not yet."""
    every = operands_of(args, kwargs)
    shared = {*shared, *_for_columns(every, dict(kwargs).get("axis"))}
    operands = [each for each in every if each not in shared]
    found, agree = aligned(operands)
    new = {old.token: each for old, each in zip(operands, found, strict=True)}

    def moved(value: Any) -> Any:
        return new.get(value.token, value) if isinstance(value, Node) else value

    named = tuple((name, moved(value)) for name, value in kwargs)
    if not agree:  # rows are those of all: within the bounds where these are the same
        bounds = {each.meta.divisions for each in found if isinstance(each.meta, FrameMeta)}
        rows = "some" if len(bounds) == 1 else "new"
    return Partwise(function, tuple(map(moved, args)), named, label, rows, out)


def _for_columns(nodes: Sequence[Node], axis: Any) -> list[Node]:
    """Series whose labels are those of columns, where a table is among the operands."""
    frames = [node for node in nodes if isinstance(node.meta, FrameMeta)]
    if axis in (0, "index") or not any(hasattr(node.meta.frame, "columns") for node in frames):
        return []
    labelled = (node for node in frames if node.meta.sample is not None)
    return [node for node in labelled if not hasattr(node.meta.frame, "columns")]
