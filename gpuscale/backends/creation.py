"""The backend of data that does not exist yet: from ``like=``, a name, or the configuration."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from gpuscale.backends.cupy_device import CupyDevice
from gpuscale.backends.cupy_ops import load_cupy
from gpuscale.backends.devices import IN_USE, Device
from gpuscale.backends.driver.memory import visible_memory
from gpuscale.backends.seams import backend_name
from gpuscale.base.config import allow, disallow, get
from gpuscale.base.errors import BackendError, NotSupportedError

__all__ = [
    "OF_DEVICES",
    "backend_names",
    "check_dtype",
    "device_memory",
    "holds",
    "is_on_device",
    "lie_beside",
    "namespace",
    "parcel",
    "register_backend",
    "resolve_backend",
    "unregister_backend",
    "when_loaded",
]

OF_DEVICES = frozenset("?bhilqBHILQefdFD")
"""Characters of the dtypes that arrays of devices may have, where the byte order is native."""

_PARCEL = ("parcel of arrays",)  # names of the fields

_loaders: dict[str, Callable[[], Any]] = {"numpy": lambda: np, "cupy": load_cupy}
_loaded: dict[str, Any] = {}
_devices: dict[str, Callable[[Any], Device]] = {"cupy": CupyDevice}
_memories: dict[str, Callable[[], int | None]] = {"cupy": visible_memory}
_beside: dict[str, str] = {}  # libraries of frames, and whose arrays lie in the same memory
_loading = threading.RLock()
_first: dict[str, list[Callable[[Any], object]]] = {}  # what is called before the first use


def register_backend(
    name: str,
    load: Callable[[], Any],
    device: Callable[[Any], Device] | None = None,
    memory: Callable[[], int | None] | None = None,
) -> None:
    """Make a backend known by name.

    Parameters
    ----------
    name : str
        What ``backend=`` and the option ``array.backend`` take; rows for its arrays are
        registered with the seams.
    load : callable
        ``load() -> namespace`` with NumPy's names; called when a chunk is first made.
        Raises `BackendError`, saying what to do, where the backend cannot work.
    device : callable, optional
        ``device(namespace) -> Device``, of a backend with memory of its own.
    memory : callable, optional
        Says how many bytes that has, None if it has no limit, before the backend is loaded: what is
        planned until then keeps to it.
    """
    _forget(name)
    _loaders[name] = load
    if device is not None:
        _devices[name] = device
    if memory is not None:
        _memories[name] = memory
    allow("array.backend", name)


def unregister_backend(name: str) -> None:
    """Forget a backend that `register_backend` made known; its arrays stay usable."""
    _loaders.pop(name, None)
    _forget(name)
    disallow("array.backend", name)


def _forget(name: str) -> None:
    _loaded.pop(name, None)
    _devices.pop(name, None)
    _memories.pop(name, None)
    IN_USE.pop(name, None)


def lie_beside(name: str, arrays: str) -> None:
    """Say that what a library has lies in the memory of a backend's arrays."""
    _beside[name] = arrays


def when_loaded(name: str, call: Callable[[Any], object]) -> None:
    """Have a function called before a process first uses a backend.

    Parameters
    ----------
    name : str
    call : callable
        ``call(namespace)``, once in a process; what it raises, `namespace` raises, and the next
        one who asks for the backend calls it again.
    """
    _first.setdefault(name, []).append(call)


def backend_names() -> tuple[str, ...]:
    """Return the names of all backends, whether or not they can work here.

    Examples
    --------
    >>> {"numpy", "cupy"} <= set(backend_names())
    True
    """
    return tuple(_loaders)


def is_on_device(name: str) -> bool:
    """Say whether chunks of a backend lie in the memory of a device, not of the host.

    Examples
    --------
    >>> is_on_device("cupy"), is_on_device("numpy")
    (True, False)
    """
    return _beside.get(name, name) in _devices


def device_memory(backend: str | None = None) -> int | None:
    """Return the bytes of the device that is in use, or that of a backend would have.

    Parameters
    ----------
    backend : str, optional
        Its device counts before it is in use, as far as that can be known without loading it.

    Returns
    -------
    int or None
        None where there is no device, or one without a limit.
    """
    found = [device.figures() for device in tuple(IN_USE.values())]
    sizes = [size for each in found for size in (each.limit, each.total)]
    backend = None if backend is None else _beside.get(backend, backend)
    if backend in _memories and backend not in IN_USE:
        sizes.append(_memories[backend]())
    return min((size for size in sizes if size is not None), default=None)


def check_dtype(dtype: np.dtype[Any], backend: str) -> None:
    """Refuse a dtype of which a device has no arrays.

    Raises
    ------
    NotSupportedError
        Names the dtype and the backend, and says what to do.

    Examples
    --------
    >>> check_dtype(np.dtype("f2"), "cupy")
    >>> check_dtype(np.dtype(object), "cupy")
    Traceback (most recent call last):
    gpuscale.base.errors.NotSupportedError: arrays of dtype object on cupy: a device has none ...
    """
    if dtype.names != _PARCEL and not holds(backend, dtype):
        raise NotSupportedError(
            f"arrays of dtype {dtype} on {backend}: a device has none but those of truth values, "
            "integers, floating-point and complex numbers in the byte order of the machine; leave "
            "it on the host (ga.asarray(x, like='numpy')), or convert it there first, by x.astype"
        )


def parcel(nbytes: int) -> np.dtype[Any]:
    """Return the dtype of what stands for several arrays that go together, by its bytes alone.

    Chunks that have it are no arrays, so unlike records they may lie on a device.

    Examples
    --------
    >>> parcel(24).itemsize
    24
    """
    return np.dtype([(_PARCEL[0], np.uint8, (nbytes,))])


def namespace(name: str) -> Any:
    """Return the module of a backend, imported now.

    Raises
    ------
    BackendError
        If the name is unknown, the library is not installed, or there is no device.
    ConfigError
        If the options of the device's memory cannot be met (`gpuscale.memory.pool`).

    Examples
    --------
    >>> namespace("numpy").zeros(2)
    array([0., 0.])
    """
    found = _loaded.get(name)
    return _load(_checked(name)) if found is None else found


def _load(name: str) -> Any:
    with _loading:  # of several threads that begin, one sets the device up
        if name not in _loaded:
            found = _loaders[name]()
            for call in _first.get(name, ()):
                call(found)
            if name in _devices:
                IN_USE[name] = _devices[name](found)
            _loaded[name] = found
    return _loaded[name]


def holds(backend: str, dtype: Any) -> bool:
    """Whether a backend has arrays of a dtype.

    Examples
    --------
    >>> holds("cupy", "f4"), holds("cupy", "U3"), holds("numpy", "U3"), holds("cupy", ">f4")
    (True, False, True, False)
    """
    dtype = np.dtype(dtype)
    return backend not in _devices or dtype.char in OF_DEVICES and dtype.isnative


def resolve_backend(like: Any = None, backend: str | None = None, dtype: Any = None) -> str:
    """Return the name of the backend that new data shall belong to; nothing is imported.

    Parameters
    ----------
    like : module, array, gpuscale object or str, optional
        ``like=cupy``, ``like=x`` or ``like="cupy"``.
    backend : str, optional
        The name itself. Without both the option ``array.backend`` decides.
    dtype : dtype, optional
        Of the data. What the backend of the option has no arrays of belongs to the host.

    Raises
    ------
    BackendError
        If no backend goes by that name, `like` is nothing of the above, or the two disagree.

    Examples
    --------
    >>> import numpy
    >>> resolve_backend(like=numpy), resolve_backend(like=numpy.ones(3))
    ('numpy', 'numpy')
    >>> resolve_backend("cupi")
    Traceback (most recent call last):
    gpuscale.base.errors.BackendError: there is no backend 'cupi'; did you mean 'cupy'? ...
    """
    if backend is not None and not isinstance(backend, str):
        raise BackendError(f"backend= takes a name, not {backend!r}; pass modules as like=")
    if like is None and backend is None:
        preferred = _checked(get("array.backend"))
        return preferred if dtype is None or holds(preferred, dtype) else "numpy"
    found = _checked(str(backend)) if like is None else _name_of(like)
    if backend is not None and found != backend:
        raise BackendError(
            f"like= asks for {found!r} but backend= (or device=) for {backend!r}; pass one"
        )
    return found


def _name_of(like: Any) -> str:
    if isinstance(like, str):
        return _checked(like)
    if isinstance(like, ModuleType):
        # The last part first: array_api_compat.cupy makes CuPy's arrays.
        parts = reversed(like.__name__.split("."))
        known = next((part for part in parts if part in _loaders), None)
        return _checked(known or like.__name__)
    own_name = getattr(like, "backend", None)
    if isinstance(own_name, str):
        return _checked(own_name)
    try:
        return backend_name(like)
    except NotSupportedError:
        raise BackendError(
            f"like= takes a module, an array or a name, not {type(like).__name__}; "
            f"the backends are {_list()}"
        ) from None


def _checked(name: str) -> str:
    if name in _loaders:
        return name
    from difflib import get_close_matches  # of use only for this message

    library, colon, index = name.rpartition(":")
    if colon and index.isdigit() and library in (*_devices, "cuda"):
        raise BackendError(
            f"there is no backend {name!r}: a process computes on one device; choose it by "
            f"CUDA_VISIBLE_DEVICES={index} before the program starts, and ask for "
            f"{'cupy' if library == 'cuda' else library!r}"
        )
    close = get_close_matches(name.lower(), _loaders, n=1)
    hint = f"did you mean {close[0]!r}? there are" if close else "there are"
    raise BackendError(f"there is no backend {name!r}; {hint} {_list()}")


def _list() -> str:
    return ", ".join(map(repr, sorted(_loaders)))
