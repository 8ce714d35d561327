"""`Dispatch`: a function chosen by the type of its data, from rows registered when first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from gpuscale.base.errors import NotSupportedError

__all__ = ["Dispatch"]

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

# How people write the names of the libraries that own the data.
_SPELLING = {"builtins": "Python", "cudf": "cuDF", "cupy": "CuPy", "numpy": "NumPy"}


class Dispatch(Generic[R]):
    """A function whose rows are found by the type of the first argument.

    The row of the nearest class in the method resolution order wins. A library that nobody has
    imported yet is registered by its top-level module name, and its rows are loaded when the first
    object of that library arrives. A type without a row gets a clear `NotSupportedError`.

    Parameters
    ----------
    name : str
        Name of the function, as errors should call it.
    instead : str, optional
        What to use where a row is missing; by default the libraries that have one are named.
    doc : str, optional
        What the function does; shown by `help`.

    Examples
    --------
    >>> size = Dispatch("size")
    >>> @size.register(list, tuple)
    ... def size_of_sequence(data):
    ...     return len(data)
    >>> size([1, 2, 3])
    3
    >>> size({1})
    Traceback (most recent call last):
    gpuscale.base.errors.NotSupportedError: size is not supported on Python (set); use Python ...
    """

    def __init__(self, name: str, *, instead: str | None = None, doc: str | None = None) -> None:
        self.name = name
        self.instead = instead
        self.__doc__ = doc or type(self).__doc__
        self._rows: dict[type, Callable[..., R]] = {}
        self._lazy: dict[str, Callable[[], Any]] = {}
        self._found: dict[type, Callable[..., R]] = {}
        self._lock = threading.RLock()

    def __call__(self, data: Any, /, *args: Any, **kwargs: Any) -> R:
        """Call the row for ``type(data)``."""
        kind = type(data)
        function = self._found.get(kind)
        if function is None:
            function = self.dispatch(kind)
        return function(data, *args, **kwargs)

    def register(self, *types: type) -> Callable[[F], F]:
        """Register the decorated function as the row for these types.

        Examples
        --------
        >>> double = Dispatch("double")
        >>> _ = double.register(int)(lambda data: data * 2)
        >>> double(True), double(4)
        (2, 8)
        """

        def decorate(function: F) -> F:
            with self._lock:
                self._rows.update(dict.fromkeys(types, function))
                self._found.clear()
            return function

        return decorate

    def register_lazy(self, toplevel: str) -> Callable[[F], F]:
        """Register a loader, called once when an object of a library first arrives.

        Parameters
        ----------
        toplevel : str
            Top-level module of the library, as ``"cupy"``. The decorated function takes no
            argument, imports what it needs and calls `register`.

        Examples
        --------
        >>> sign = Dispatch("sign")
        >>> @sign.register_lazy("decimal")
        ... def load():
        ...     import decimal
        ...     sign.register(decimal.Decimal)(lambda data: -1 if data.is_signed() else 1)
        >>> import decimal
        >>> sign(decimal.Decimal(-3))
        -1
        """

        def decorate(loader: F) -> F:
            with self._lock:
                self._lazy[toplevel] = loader
                self._found.clear()
            return loader

        return decorate

    def dispatch(self, kind: type) -> Callable[..., R]:
        """Return the row for a type.

        Raises
        ------
        NotSupportedError
            If neither the type nor a class that it derives from has a row.
        """
        with self._lock:
            for base in kind.__mro__:
                self._load(base)
                if base in self._rows:
                    return self._found.setdefault(kind, self._rows[base])
        raise NotSupportedError(self._refusal(kind))

    def _load(self, kind: type) -> None:
        toplevel = kind.__module__.partition(".")[0]
        loader = self._lazy.pop(toplevel, None)
        if loader is None:
            return
        try:
            loader()
        except BaseException:
            # A loader that failed to import must fail again, not leave a silent gap.
            self._lazy[toplevel] = loader
            raise

    def _refusal(self, kind: type) -> str:
        owners = {row.__module__.partition(".")[0] for row in self._rows} | set(self._lazy)
        names = sorted(_SPELLING.get(owner, owner) for owner in owners)
        instead = self.instead or f"{' or '.join(names) or 'another backend'} data"
        owner = kind.__module__.partition(".")[0]
        return (
            f"{self.name} is not supported on {_SPELLING.get(owner, owner)} ({kind.__qualname__}); "
            f"use {instead}"
        )

    def __repr__(self) -> str:
        return f"<Dispatch {self.name}: {len(self._rows)} rows>"
