"""Functions of tasks on their way to other processes, without the expressions below them.

A task needs the metadata of what it reads and nothing else of it: the values come from other
tasks. As long as everything is one process, a node may hold all that it is made of; a pickle of
each of a thousand nodes would hold all nodes below it, and the data of their sources.
"""

from __future__ import annotations

import io
from itertools import chain, groupby, repeat
from typing import Any

import cloudpickle

from gpuscale.base.types import Chunks
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Physical, Source

__all__ = ["Elsewhere", "dumps"]


class Elsewhere(Physical):
    """A node of which only its metadata is here.

    Parameters
    ----------
    what : str
        Token of that node.
    out : ArrayMeta
    """

    what: str
    out: ArrayMeta

    @property
    def name(self) -> str:
        """Short human name of the operation."""
        return "elsewhere"


def dumps(function: Any) -> bytes:
    """Pickle what a task calls, with `Elsewhere` in the place of what other tasks compute.

    Raises
    ------
    Exception
        Whatever pickle says of an object that cannot be pickled.

    Examples
    --------
    >>> import pickle
    >>> import numpy as np
    >>> from gpuscale.expr.kernels import FunctionKernel
    >>> from gpuscale.io.array_like import ArrayLikeReader
    >>> x = ArrayLikeReader(np.zeros(1_000_000))
    >>> meta = ArrayMeta(x.dtype, ((1_000_000,),))
    >>> read = BlockInput(Source(x, meta), axes=(0,))
    >>> node = Blockwise(FunctionKernel(np.negative), (read,), meta.chunks, meta)
    >>> text = dumps(node.run)
    >>> len(text) < 10_000, pickle.loads(text)(np.ones(1), (0,))
    (True, array([-1.]))
    """
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(function)
    return file.getvalue()


class _Pickler(cloudpickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if hasattr(type(value), "is_local") and value.is_local:
            raise TypeError(
                "it would write into a copy of what only this process can write; write now, as "
                "store() does with compute=True, or into Zarr or .npy files"
            )
        if isinstance(value, BlockInput) and not value.inline:
            return BlockInput, (_elsewhere(value.node), value.view, value.axes, False)
        if isinstance(value, ArrayMeta):
            return _meta, (value.dtype, _packed(value.chunks), value.backend)
        if isinstance(value, Blockwise):
            kernel, inputs, domain, out = value.operands
            return _blockwise, (kernel, inputs, _packed(domain), out, value.origin)
        if isinstance(value, Physical) and not isinstance(value, Source | Elsewhere):
            return value.map_children(_elsewhere).__reduce__()
        return super().reducer_override(value)


def _elsewhere(node: Node) -> Node:
    return node if isinstance(node, Elsewhere) else Elsewhere(node.token, node.meta)


def _meta(dtype: Any, chunks: Chunks, backend: str) -> ArrayMeta:
    return ArrayMeta(dtype, _unpacked(chunks), backend)


def _blockwise(
    kernel: Any,
    inputs: tuple[BlockInput, ...],
    domain: Chunks,
    out: ArrayMeta,
    origin: tuple[str, int] | None,
) -> Node:
    node = Blockwise(kernel, inputs, _unpacked(domain), out)
    if origin is not None:
        node.__dict__["origin"] = origin
    return node


# Each task carries the chunks of its node: of a hundred thousand, nearly all of the same size.
def _packed(chunks: Chunks) -> tuple[Any, ...]:
    """Sizes along each axis as pairs of a size and how often it follows on itself.

    Examples
    --------
    >>> _packed(((5, 5, 5, 2), (7,)))
    (((5, 3), (2, 1)), ((7, 1),))
    """
    return tuple(
        tuple((size, sum(1 for _ in same)) for size, same in groupby(sizes)) for sizes in chunks
    )


def _unpacked(packed: tuple[Any, ...]) -> Chunks:
    return tuple(
        tuple(chain.from_iterable(repeat(size, count) for size, count in runs)) for runs in packed
    )
