"""Containers of numbers and texts, of which there may be millions: told at a glance."""

from __future__ import annotations

from typing import Any

from gpuscale.base.tokens import ATOMS

__all__ = ["holds_atoms_alone"]

_SEQUENCES = frozenset({list, tuple, set, frozenset})


def holds_atoms_alone(value: Any) -> bool:
    """Say whether a list, tuple, set or dictionary holds nothing but numbers, strings and bytes.

    Examples
    --------
    >>> holds_atoms_alone([1, "two"]), holds_atoms_alone({1: []}), holds_atoms_alone(1)
    (True, False, False)
    """
    kind = type(value)
    if kind is dict:
        return ATOMS.issuperset(map(type, value)) and ATOMS.issuperset(map(type, value.values()))
    return kind in _SEQUENCES and ATOMS.issuperset(map(type, value))
