"""Which gpuscale this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["FROM_SOURCE", "own_version"]

FROM_SOURCE = "(not installed, but run from its source)"


def own_version() -> str | None:
    """Return the version that is installed; None for a clone that is used as it lies there.

    Examples
    --------
    >>> own_version()
    '...'
    """
    try:
        return version("gpuscale")
    except PackageNotFoundError:
        return None
