"""What goes between the host and the fake device, counted by the name of the call that asks."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

__all__ = ["TRANSFERS", "Transfer", "Transfers"]

# Code that stands between whoever asks and the transfer: this package, NumPy, calls by type.
_BETWEEN = (__name__.rpartition(".")[0], "numpy", "gpuscale.base.dispatch")


@dataclass(frozen=True)
class Transfer:
    """One kind of transfer.

    Attributes
    ----------
    name : str
        The call: "asarray" and "set" to the device; "get", "item", "float", "bool", "repr" back.
    site : str
        ``module:line`` of the code outside this package that made the call.
    function : str
        ``module.function`` of that code, which stays true when lines move.
    """

    name: str
    site: str
    function: str


class Transfers:
    """A count of calls and bytes.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp:
    ...     fake_device.TRANSFERS.clear()
    ...     host = xp.asnumpy(xp.arange(4) + 1)
    >>> fake_device.TRANSFERS.calls("get"), fake_device.TRANSFERS.nbytes("get")
    (1, 32)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[Transfer] = Counter()
        self._bytes: Counter[Transfer] = Counter()

    def count(self, name: str, nbytes: int) -> None:
        """Note one transfer."""
        transfer = Transfer(name, *_site())
        with self._lock:
            self._calls[transfer] += 1
            self._bytes[transfer] += nbytes

    def calls(self, *names: str) -> int:
        """Return the number of transfers of these names, of all by default."""
        return sum(n for t, n in self._calls.items() if not names or t.name in names)

    def nbytes(self, *names: str) -> int:
        """Return the bytes that transfers of these names moved, of all by default."""
        return sum(n for t, n in self._bytes.items() if not names or t.name in names)

    def sites(self, *names: str) -> dict[str, int]:
        """Return the number of transfers by the place in the code that asked for them."""
        found: Counter[str] = Counter()
        for transfer, number in list(self._calls.items()):
            if not names or transfer.name in names:
                found[f"{transfer.name} {transfer.site}"] += number
        return dict(found.most_common())

    def kinds(self) -> dict[Transfer, int]:
        """Return the number of transfers of each kind."""
        with self._lock:
            return dict(self._calls)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._calls.clear()
            self._bytes.clear()


def _site() -> tuple[str, str]:
    """Name the line and the function that asked, the first ones that are not between."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(_BETWEEN):
            # Comprehensions are functions of their own in some versions of Python.
            function = re.sub(r"\.<(locals|\w+comp|genexpr)>", "", frame.f_code.co_qualname)
            return f"{name}:{frame.f_lineno}", f"{name}.{function}"
        frame = frame.f_back
    return "?", "?"


TRANSFERS = Transfers()
"""Of this process."""
