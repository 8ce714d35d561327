"""Masked arrays: elements that are there but do not count, as in `numpy.ma`.

`array` is the class, a pair of lazy arrays so that all work on it fuses; `functions` makes and
asks. May import what ``gpuscale.array.api`` may, and that. To add a function: write it in terms of
``data`` and ``mask``.
"""

from gpuscale.array.ma.array import MaskedArray as MaskedArray
from gpuscale.array.ma.functions import *  # noqa: F403 - a chapter with an __all__ of its own
