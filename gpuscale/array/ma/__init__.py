"""Masked arrays: elements that are there but do not count, as in `numpy.ma`.

`array` is the class, a pair of lazy arrays so that all work on it fuses; the other modules have the
functions by what they do. May import what ``gpuscale.array.api`` may, and that. To add a function:
write it in terms of ``data`` and ``mask``; a method hands over to the function of its name.
"""

from gpuscale.array.ma.array import MaskedArray as MaskedArray
from gpuscale.array.ma.asking import *
from gpuscale.array.ma.elementwise import *
from gpuscale.array.ma.functions import *
from gpuscale.array.ma.moving import *
from gpuscale.array.ma.reducing import *
