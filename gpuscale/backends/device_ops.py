"""Rows of the seams that are the same for each library of a device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from gpuscale.backends import seams
from gpuscale.backends.folding import fold_pairwise, reduceat_pairwise
from gpuscale.backends.shared_ops import device_token, order_by_turns, strided_nbytes
from gpuscale.backends.updating import update_in_turn
from gpuscale.base.dispatch import Dispatch
from gpuscale.base.tokens import normalize_token

__all__ = ["ROWS", "register_device_rows"]

ROWS: dict[Dispatch[Any], Callable[[Any, str], Callable[..., Any]]] = {
    seams.array_namespace: lambda xp, name: lambda data: xp,
    seams.backend_name: lambda xp, name: lambda data: name,
    seams.fold: lambda xp, name: partial(fold_pairwise, xp),
    seams.lexicographic_order: lambda xp, name: partial(order_by_turns, xp),
    seams.nbytes: lambda xp, name: strided_nbytes,
    seams.on_device: lambda xp, name: lambda data: True,
    seams.reduceat: lambda xp, name: partial(reduceat_pairwise, xp),
    seams.update: lambda xp, name: partial(update_in_turn, xp),
    normalize_token: lambda xp, name: device_token,
}
"""Seam -> what makes its row, of the namespace and the name of the backend."""


def register_device_rows(kind: type, xp: Any, name: str) -> None:
    """Register these rows for the arrays of a library.

    Parameters
    ----------
    kind : type
        Of its arrays.
    xp : module
        Its namespace.
    name : str
        Name of the backend.
    """
    for seam, make in ROWS.items():
        seam.register(kind)(make(xp, name))
