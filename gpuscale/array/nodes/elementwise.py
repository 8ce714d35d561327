"""One operation on each element of broadcast inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.caller import called_as
from gpuscale.backends.creation import check_dtype
from gpuscale.base.errors import BackendError
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.codegen.ops import OPS
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["Elementwise", "common_backend"]


class Elementwise(Node):
    """A row of `codegen.ops.OPS` over inputs that broadcast.

    Parameters
    ----------
    op : str
    inputs : tuple of Node
    dtype : numpy.dtype
    """

    op: str
    inputs: tuple[Node, ...]
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        return self.op

    def _infer(self) -> ArrayMeta:
        if self.op not in OPS:
            raise KeyError(f"no elementwise operation {self.op!r}")
        chunks = unify_chunks(*((x.meta.chunks, x.meta.shape) for x in self.inputs))
        return ArrayMeta(np.dtype(self.dtype), chunks, common_backend(self.inputs, self.op))


def common_backend(nodes: tuple[Node, ...], what: str) -> str:
    """Backend that the inputs share; numbers without axes go where the others are.

    Raises
    ------
    BackendError
        If arrays of two backends meet; it names the function that the user called, ``what`` else.
    NotSupportedError
        If they do, and one cannot go to the device, having a dtype that no device has.
    """
    names = list(dict.fromkeys(x.meta.backend for x in nodes if x.meta.ndim))
    if not names:  # a device rather than the host
        names = sorted({x.meta.backend for x in nodes}, key=lambda name: name == "numpy")[:1]
    if len(names) > 1:
        names.sort(key=lambda name: name == "numpy")  # a device is where the data should go
        for each in nodes:
            check_dtype(each.meta.dtype, names[0])
        raise BackendError(
            f"{called_as(what)} got arrays of the backends {' and '.join(names)}; "
            f"move those of {names[1]} first, by ga.asarray(x, like={names[0]!r}), or those of "
            f"{names[0]}, by like={names[1]!r}"
        )
    return names[0]
