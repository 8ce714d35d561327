"""How other libraries meet our arrays: NumPy's protocols, the Array API standard, DLPack."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from gpuscale.array.api.elementwise import divmod as _divmod
from gpuscale.array.api.elementwise import frexp, modf
from gpuscale.array.api.folding import accumulate, reduce, reduceat
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.updating import update
from gpuscale.array.arithmetic import answers_itself
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.ufunc import Ufunc, beside_out, into
from gpuscale.backends.devices import IN_USE
from gpuscale.backends.seams import on_device
from gpuscale.io.memory import KeptChunks

__all__: list[str] = []

_SEVERAL: dict[str, Callable[..., Any]] = {"divmod": _divmod, "frexp": frexp, "modf": modf}

_METHODS: dict[str, Callable[..., Any]] = {
    "accumulate": accumulate,
    "at": update,
    "reduce": reduce,
    "reduceat": reduceat,
}

# Functions of NumPy that take like= and exist here.
_MAKERS = frozenset(
    ("arange", "array", "asanyarray", "asarray", "empty", "eye", "fromfunction", "full")
    + ("identity", "ones", "tri", "zeros")
)

_ELSE = "call it on x.compute(), or on each chunk with gpuscale.array.map_blocks"
_WRITE = (
    "x.to_npy(path) writes one .npy file chunk by chunk, as x.to_npy_stack and x.to_zarr write "
    "folders of chunks; what fits in memory is written as x.compute()"
)
_INSTEAD = {
    "real_if_close": "its dtype would depend on the data; take x.real where "
    "(abs(x.imag) < tolerance).all()",
    **dict.fromkeys(("save", "savez", "savez_compressed", "savetxt"), _WRITE),
}


def _namespace() -> Any:
    return import_module("gpuscale.array")


def array_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer NumPy's ufuncs; those of other libraries run chunk by chunk."""
    if any(_foreign(x) for x in inputs):
        return NotImplemented
    name = ufunc.__name__
    ours = getattr(_namespace(), name, None) if _is_numpys(ufunc) else None
    inputs = tuple(beside_out(inputs, kwargs.get("out")))
    if method == "__call__":
        if name in _SEVERAL and _is_numpys(ufunc):
            return _several(name, inputs, **kwargs)
        if isinstance(ours, Ufunc) or name in ("matmul", "vecdot") and ours is not None:
            return ours(*inputs, **kwargs)
        return _chunkwise(ufunc, inputs, kwargs)
    if method == "outer" and isinstance(ours, Ufunc):
        return ours.outer(*inputs, **kwargs)
    if method in _METHODS and isinstance(ours, Ufunc):
        return _METHODS[method](ours.op, *inputs, **kwargs)
    raise TypeError(
        f"{name}.{method} is not implemented for gpuscale arrays; call it on x.compute(), or "
        "use gpuscale.array.reduction with functions of yours"
    )


def _several(
    name: str, inputs: Any, out: Any = None, casting: Any = "same_kind", **options: Any
) -> Any:
    """Call a function of several results, each of which may go into an array."""
    if extra := sorted(options.keys() - {"order", "subok"}):  # which change nothing
        raise TypeError(f"{name} of gpuscale arrays takes no {' and '.join(extra)}")
    results = _SEVERAL[name](*inputs)
    outs = (None,) * len(results) if out is None else out
    return tuple(into(each, x, casting) for each, x in zip(outs, results, strict=True))


def _is_numpys(ufunc: Any) -> bool:
    return getattr(np, ufunc.__name__, None) is ufunc or ufunc.__name__ in ("divide", "remainder")


def _foreign(value: Any) -> bool:
    """Whether another library's array would rather answer itself; those of a backend would not."""
    if isinstance(value, np.ndarray):
        return answers_itself(value)
    if on_device(value):
        return False
    return hasattr(value, "__array_ufunc__") and not isinstance(value, Array | np.generic)


def _chunkwise(ufunc: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out = kwargs.pop("out", None)
    if ufunc.signature is not None or ufunc.nout != 1:
        return NotImplemented
    blocks = [as_array(x) if isinstance(x, np.ndarray) else x for x in inputs]
    return into(out, map_blocks(ufunc, *blocks, **kwargs))


def array_function(x: Array, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Answer NumPy's functions with ours of the same name, in the same submodule.

    Those that make arrays are asked only as ``like=x``.

    Raises
    ------
    TypeError
        If there is none: the array is never converted behind the user's back.
    """
    module = _namespace()
    for part in function.__module__.split(".")[1:]:
        module = getattr(module, part, None)
    ours = getattr(module, function.__name__, None)
    if ours is None or ours is function:
        advice = _INSTEAD.get(function.__name__, _ELSE)
        raise TypeError(
            f"{function.__module__}.{function.__name__} is not implemented for gpuscale arrays; "
            f"{advice}"
        )
    if function.__name__ in _MAKERS:
        return _made_like(x, ours, args, kwargs)
    return ours(*args, **kwargs)


def _made_like(x: Array, maker: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of creation, to which NumPy hands also what was not said."""
    if kwargs.pop("order", None) not in (None, "K", "A", "C", "F"):
        raise ValueError("order must be one of 'C', 'F', 'A', or 'K'")
    columns = (kwargs.pop("M"),) if "M" in kwargs else ()  # of eye and tri
    return maker(*args, *columns, **kwargs, like=x)


def array_namespace(api_version: str | None) -> Any:
    """Return `gpuscale.array`, which follows the Array API standard.

    Raises
    ------
    ValueError
        If a version is asked for that is not supported.
    """
    versions = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
    if api_version is not None and api_version not in versions:
        raise ValueError(f"Array API version {api_version!r} is not one of {', '.join(versions)}")
    return _namespace()


def dlpack(x: Array, kwargs: dict[str, Any]) -> Any:
    """Compute and export through DLPack."""
    if x.backend == "numpy":
        return np.asarray(x.compute()).__dlpack__(**kwargs)
    return _chunk_of(x).__dlpack__(**kwargs)


def cuda_array_interface(x: Array) -> dict[str, Any]:
    """Compute, and say where on the device the result lies.

    The handle keeps the result from then on: whoever reads the memory holds the handle alone.
    """
    found: dict[str, Any] = _chunk_of(x).__cuda_array_interface__
    return found


def _chunk_of(x: Array) -> Any:
    """Compute an array into one chunk, which stays on its device, and let the handle keep it."""
    node: Any = x.compute_chunk_sizes().expr
    kept = isinstance(getattr(node, "reader", None), KeptChunks)
    if not kept or max(x.numblocks, default=1) > 1:
        node = x._expr = x.rechunk(-1).persist().expr
    chunk = node.reader.read(tuple(map(slice, x.shape)))
    if node.reader.cost != "view":  # it was away, and stays now for those who look at its memory
        reader = KeptChunks({(0,) * x.ndim: chunk}, node.meta)
        x._expr = node.rebuilt(reader, node.meta)
    return chunk


def dlpack_device(x: Array) -> tuple[int, int]:
    """Kind and number of the device on which `dlpack` exports."""
    if x.backend == "numpy":
        return 1, 0
    device = IN_USE.get(x.backend)
    return 2, 0 if device is None else device.index
