"""The libraries that own frames, by name: pandas, and cuDF beside CuPy on a device."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from gpuscale.backends.creation import backend_names, is_on_device, lie_beside, namespace
from gpuscale.backends.cudf_ops import load_cudf
from gpuscale.backends.seams import backend_name
from gpuscale.backends.transfer import to_device
from gpuscale.base.config import allow, disallow, get
from gpuscale.base.errors import BackendError

__all__ = [
    "array_beside",
    "frame_library",
    "frames_beside",
    "register_frames",
    "resolve_frames",
    "unregister_frames",
    "use",
]


class _Library(NamedTuple):
    load: Callable[[], Any]
    arrays: str


_libraries: dict[str, _Library] = {}


def register_frames(name: str, load: Callable[[], Any], arrays: str) -> None:
    """Make a library of frames known by name.

    Parameters
    ----------
    name : str
        What ``backend=`` and the option ``dataframe.backend`` take; rows for its frames are
        registered with the seams.
    load : callable
        ``load() -> namespace`` with the names of pandas, and ``from_pandas``; called when it is
        first needed, with the device of the arrays in use.
    arrays : str
        The backend of arrays in whose memory the frames lie.
    """
    _libraries[name] = _Library(load, arrays)
    lie_beside(name, arrays)
    allow("dataframe.backend", name)


def unregister_frames(name: str) -> None:
    """Forget a library that `register_frames` made known; its frames stay usable."""
    _libraries.pop(name, None)
    disallow("dataframe.backend", name)


def frame_library(name: str) -> Any:
    """Return the module of a library of frames, imported now.

    Raises
    ------
    BackendError
        If the name is unknown, the library is not installed, or there is no device.

    Examples
    --------
    >>> frame_library("pandas").Series([1, 2]).sum()
    np.int64(3)
    """
    library = _libraries[_checked(name)]
    namespace(library.arrays)  # which sets up the pool of a device before anybody takes of it
    return library.load()


def resolve_frames(backend: Any = None) -> str:
    """Return the name of the library that new frames shall belong to; nothing is imported.

    Parameters
    ----------
    backend : str, optional
        By default the option ``dataframe.backend`` decides.

    Raises
    ------
    BackendError
        If no library of frames goes by that name.

    Examples
    --------
    >>> resolve_frames()
    'pandas'
    >>> resolve_frames("cudff")
    Traceback (most recent call last):
    gpuscale.base.errors.BackendError: there are no frames of 'cudff'; did you mean 'cudf'? ...
    """
    return _checked(get("dataframe.backend") if backend is None else backend)


def use(name: str) -> None:
    """Load what frames or arrays of a backend need, and have its device in use.

    Examples
    --------
    >>> use("numpy")
    """
    is_of_frames = name in _libraries and name not in backend_names()
    if is_of_frames and is_on_device(name):
        frame_library(name)
    elif name in backend_names():
        namespace(name)


def frames_beside(arrays: str) -> str:
    """Return the library whose frames lie where a backend's arrays do.

    Examples
    --------
    >>> frames_beside("cupy")
    'cudf'
    """
    return next(name for name, each in _libraries.items() if each.arrays == arrays)


def array_beside(frame: Any, data: Any) -> Any:
    """Return an array of the host where the columns of a frame are.

    Examples
    --------
    >>> import numpy, pandas
    >>> array_beside(pandas.Series([1]), numpy.arange(3))
    array([0, 1, 2])
    """
    return to_device(data, _libraries[backend_name(frame)].arrays)


def _checked(name: Any) -> str:
    if isinstance(name, str) and name in _libraries:
        return name
    if not isinstance(name, str):
        raise BackendError(f"backend= takes a name, not {name!r}; there are {_list()}")
    from difflib import get_close_matches  # of use only for this message

    close = get_close_matches(name.lower(), _libraries, n=1)
    hint = f"did you mean {close[0]!r}? there are" if close else "there are"
    raise BackendError(f"there are no frames of {name!r}; {hint} {_list()}")


def _list() -> str:
    return ", ".join(map(repr, sorted(_libraries)))


register_frames("pandas", lambda: import_module("pandas"), "numpy")
register_frames("cudf", load_cudf, "cupy")
