"""Labels of columns that do not exist, and those that were meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gpuscale.base.nearest import meant

__all__ = ["check_labels"]


def check_labels(labels: Iterable[Any], known: Collection[Any], where: str) -> None:
    """Refuse labels that are not known.

    Raises
    ------
    KeyError
        With the label that is nearest.

    Examples
    --------
    >>> check_labels(["prize"], ["price", "count"], "x.parquet")
    Traceback (most recent call last):
    ...
    KeyError: "x.parquet has no column 'prize'; did you mean 'price'?"
    """
    for label in labels:
        if label in known:
            continue
        few = ", ".join(map(repr, list(known)[:20])) + (", ..." if len(known) > 20 else "")
        hint = meant(label, known) or f"; it has {few}"
        raise KeyError(f"{where} has no column {label!r}{hint}")
