"""The user's own function, ready to be called on blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from inspect import Parameter, signature
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.infer import infer_dtype
from gpuscale.backends.seams import backend_name, on_device
from gpuscale.backends.transfer import to_device
from gpuscale.base.errors import BackendError
from gpuscale.base.types import Chunks, Unknown
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.expr.kernels import Block
from gpuscale.expr.node import Node
from gpuscale.graph.lazy_values import lazy_in

__all__ = ["UserCall", "align", "as_promised", "check_place", "dtype_of", "name_of", "span_grid"]


# In which the user says what the function makes of blocks; others are made of these.
_SAY_SHAPE = {
    **dict.fromkeys(
        ("blockwise", "map_blocks", "map_overlap"),
        "pass chunks=, drop_axis= or new_axis= to say what it returns (nan is a size that depends "
        "on data)",
    ),
    "fft_wrap": "pass kind=, the name of NumPy's transform that returns such a shape",
}


class _Slot(Enum):
    """What stands where a block goes; an enum stays itself when it is pickled."""

    BLOCK = "block"


class UserCall:
    """A function with all its arguments but the blocks filled in.

    Called as ``call(block, *chunks)``: the chunks of the arrays among ``args``, then those of the
    arrays among ``kwargs``, which are whole.

    Parameters
    ----------
    func : callable
    args, kwargs
        As the user gave them.
    operation : str
        What the user called, for error messages.
    """

    def __init__(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], operation: str
    ) -> None:
        if not callable(func):
            raise TypeError(f"the first argument of {operation} must be callable, got {func!r}")
        self.func, self.operation = func, operation
        _check_not_lazy((*enumerate(args), *kwargs.items()), operation)
        self.args = tuple(_Slot.BLOCK if isinstance(a, Array) else a for a in args)
        self.kwargs = {k: _Slot.BLOCK if isinstance(v, Array) else v for k, v in kwargs.items()}
        self.block_id = _wants(func, "block_id", kwargs)
        self.block_info = _wants(func, "block_info", kwargs)
        self.chunks: tuple[Chunks, ...] = ()
        self.dtype: np.dtype[Any] | None = None
        self.unknown: tuple[int, ...] = ()

    def __gpuscale_tokenize__(self) -> tuple[Any, ...]:
        chunks = self.chunks if self.block_info else ()
        wants = (self.block_id, self.block_info)
        return (self.func, self.args, self.kwargs, wants, chunks, self.dtype, self.unknown)

    def promise(self, dtype: Any, out_chunks: Chunks, in_chunks: Sequence[Chunks]) -> UserCall:
        """Say what the function returns, so that each call can be checked; return the call."""
        self.dtype = np.dtype(dtype)
        self.chunks = tuple(in_chunks)
        self.unknown = tuple(
            axis
            for axis, sizes in enumerate(out_chunks)
            if any(isinstance(size, Unknown) for size in sizes)
        )
        return self

    def trial(self, *chunks: Any) -> Any:
        """Call the function somewhere, unchecked, to see what it returns."""
        shapes = [np.shape(chunk) for chunk in chunks]
        ndim = max(map(len, shapes), default=0)
        origin = Block((0,) * ndim, (0,) * ndim, (1,) * ndim, "numpy")
        self.chunks = tuple(tuple((n,) for n in shape) for shape in shapes)
        return self._apply(origin, chunks)

    def __call__(self, block: Block, *chunks: Any) -> Any:
        """Call the function on the chunks of one block, and check what it returns."""
        return self._checked(self._apply(block, chunks), block)

    def _apply(self, block: Block, chunks: Sequence[Any]) -> Any:
        rest = iter(chunks)
        args = [next(rest) if arg is _Slot.BLOCK else arg for arg in self.args]
        kwargs = {k: next(rest) if v is _Slot.BLOCK else v for k, v in self.kwargs.items()}
        if self.block_id:
            kwargs["block_id"] = block.index
        if self.block_info:
            kwargs["block_info"] = self._info(block, chunks)
        return self.func(*args, **kwargs)

    def _checked(self, result: Any, block: Block) -> Any:
        """Return the result as promised: later steps are planned, even compiled, for that."""
        if result is None:
            raise TypeError(
                f"{name_of(self.func)}{_place_of(self.func)} returned None, not a block; is there "
                "no return?"
            )
        shape = np.shape(result)
        fits = len(shape) == len(block.shape) and all(
            n == m or axis in self.unknown
            for axis, (n, m) in enumerate(zip(shape, block.shape, strict=True))
        )
        if not fits:
            raise ValueError(self._misfit(shape, block))
        if not self.takes_blocks:
            result = _made(result, block.backend, self.func)
        return as_promised(result, self.dtype, block.backend, self.func)

    @property
    def takes_blocks(self) -> bool:
        """Whether there are blocks of arrays, which say where the results lie."""
        return _Slot.BLOCK in (*self.args, *self.kwargs.values())

    def _misfit(self, shape: tuple[int, ...], block: Block) -> str:
        if self.operation not in _SAY_SHAPE:
            return (
                f"block {block.index} of {self.operation} has come out in shape {shape}, not "
                f"{block.shape}: a function that it was given returns what it is not asked for"
            )
        return (
            f"{name_of(self.func)} returned a block of shape {shape} where {self.operation} "
            f"expects {block.shape} for block {block.index}; {_SAY_SHAPE[self.operation]}"
        )

    def _info(self, block: Block, chunks: Sequence[Any]) -> dict[Any, Any]:
        info: dict[Any, Any] = {
            None: {
                "shape": block.shape,
                "chunk-location": block.index,
                "array-location": [
                    (a, a + n) for a, n in zip(block.start, block.shape, strict=True)
                ],
                "dtype": self.dtype,
            }
        }
        places = [place for place, arg in enumerate(self.args) if arg is _Slot.BLOCK]
        for place, chunk, sizes in zip(places, chunks, self.chunks, strict=False):
            own = block.index[max(0, len(block.index) - len(sizes)) :]
            index = tuple(i if len(c) > 1 else 0 for i, c in zip(own, sizes, strict=False))
            starts = [sum(c[:i]) for c, i in zip(sizes, index, strict=False)]
            info[place] = {
                "shape": tuple(map(sum, sizes)),
                "num-chunks": tuple(map(len, sizes)),
                "chunk-location": index,
                "array-location": [(a, a + n) for a, n in zip(starts, chunk.shape, strict=False)],
                "dtype": chunk.dtype,
            }
        return info


def as_promised(result: Any, dtype: Any, backend: str, func: Callable[..., Any]) -> Any:
    """Return the result of a user's function of chunks as an array of the dtype and the backend.

    Numbers and lists go where the chunks are; arrays must be there.

    Raises
    ------
    BackendError
        If an array is not.
    """
    if isinstance(result, np.generic) or not hasattr(result, "dtype"):
        return to_device(np.asarray(result, dtype), backend)
    check_place(result, backend, func)
    return result if result.dtype == dtype else result.astype(dtype)


def _made(result: Any, backend: str, func: Callable[..., Any]) -> Any:
    """Return what a function made of nothing: from the host it goes to where it was promised."""
    if not on_device(result):
        return to_device(result, backend) if isinstance(result, np.ndarray) else result
    found = backend_name(result)
    if found != backend:
        raise BackendError(
            f"{name_of(func)}{_place_of(func)} returned an array on {found}, where chunks on "
            f"{backend} are to be made; pass like={found!r}, or set the option array.backend"
        )
    return result


def check_place(result: Any, backend: str, func: Callable[..., Any]) -> None:
    """Refuse arrays, also in containers, that a user's function made elsewhere than its chunks are.

    Raises
    ------
    BackendError
    """
    if isinstance(result, dict | tuple | list):
        for each in result.values() if isinstance(result, dict) else result:
            check_place(each, backend, func)
        return
    if isinstance(result, np.generic) or not hasattr(result, "dtype"):
        return
    found = backend_name(result) if on_device(result) else "numpy"
    if found != backend:
        kind = type(result)
        raise BackendError(
            f"{name_of(func)}{_place_of(func)} returned a {kind.__module__}.{kind.__qualname__}, "
            f"which is on {found}, for a chunk that is on {backend}; let it compute with the "
            f"functions of {backend}, or let it have chunks of {found}: give ga.asarray(x, "
            f"like={found!r}) instead of the array x"
        )


def _place_of(func: Callable[..., Any]) -> str:
    """File and line of a function of Python, in brackets."""
    code = getattr(getattr(func, "func", func), "__code__", None)
    return "" if code is None else f" ({code.co_filename}:{code.co_firstlineno})"


def name_of(func: Callable[..., Any]) -> str:
    """Name of a function for people; that of what a partial calls.

    Examples
    --------
    >>> from functools import partial
    >>> name_of(partial(max, 1))
    'max'
    """
    inner = getattr(func, "func", func)
    return getattr(inner, "__name__", type(inner).__name__)


def _check_not_lazy(named: Iterable[tuple[Any, Any]], operation: str) -> None:
    for name, value in named:
        lazy = lazy_in(value)
        if lazy:
            raise TypeError(
                f"argument {name} of {operation} is lazy: {lazy[0]!r}. Blocks get arrays and "
                "values that are there: compute it first, or make an array of it by "
                "from_delayed(value, shape, dtype)"
            )


def _wants(func: Callable[..., Any], name: str, given: dict[str, Any]) -> bool:
    """Whether a function has a parameter of that name which the user did not fill."""
    try:
        parameter = signature(func).parameters.get(name)
    except (TypeError, ValueError):
        return False
    kinds = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return parameter is not None and parameter.kind in kinds and name not in given


def align(nodes: Sequence[Node]) -> list[Node]:
    """Cut nodes alike along the axes that they share, the last one with the last one."""
    if len({node.meta.chunks for node in nodes}) <= 1:
        return list(nodes)
    common = span_grid(nodes)
    return [rechunk(node, _fit(node, common)) for node in nodes]


def span_grid(nodes: Sequence[Node]) -> Chunks:
    """Chunks of the block grid that all nodes span together."""
    return unify_chunks(*((n.meta.chunks, n.meta.shape) for n in nodes)) if nodes else ()


def _fit(node: Node, common: Chunks) -> Chunks:
    own = common[len(common) - node.meta.ndim :]
    return tuple(
        sizes if length == 1 and target != (1,) else target
        for sizes, length, target in zip(node.meta.chunks, node.meta.shape, own, strict=True)
    )


def dtype_of(dtype: Any, meta: Any, call: UserCall, trial: Callable[..., Any], nodes: Any) -> Any:
    """Dtype of what a function returns: as said, as in an example, or as a trial shows."""
    if dtype is not None:
        return np.dtype(dtype)
    if meta is not None:
        return np.dtype(meta.dtype)
    return infer_dtype(trial, [node.meta for node in nodes], name_of(call.func))
