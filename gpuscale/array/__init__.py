"""Chunked arrays with NumPy's interface: lazy, fused, out of core, on CPU and GPU alike.

May import everything below; nothing below imports it. `collection` is the class users hold,
``api`` the public functions by chapter, ``nodes`` what they mean, ``lower`` and ``rules`` how that
becomes physical nodes. Namespaces, and what runs expressions, are loaded at their first use.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gpuscale.array import lower as lower
from gpuscale.array import overlap as overlap
from gpuscale.array import rules as rules
from gpuscale.array.api import display as display
from gpuscale.array.api import indexing as indexing
from gpuscale.array.api import operators as operators
from gpuscale.array.api import protocols as protocols
from gpuscale.array.api.asarray import *
from gpuscale.array.api.assigning import *
from gpuscale.array.api.averages import *
from gpuscale.array.api.bisecting import *
from gpuscale.array.api.bits import *
from gpuscale.array.api.blockwise import *
from gpuscale.array.api.casting import *
from gpuscale.array.api.comparing import *
from gpuscale.array.api.constants import *
from gpuscale.array.api.convolving import *
from gpuscale.array.api.counting import *
from gpuscale.array.api.creation import *
from gpuscale.array.api.delaying import *
from gpuscale.array.api.distinct import *
from gpuscale.array.api.einsum import *
from gpuscale.array.api.elementwise import *
from gpuscale.array.api.functional import *
from gpuscale.array.api.gradients import *
from gpuscale.array.api.grids import *
from gpuscale.array.api.gufunc import *
from gpuscale.array.api.histograms import *
from gpuscale.array.api.index_arrays import *
from gpuscale.array.api.joining import *
from gpuscale.array.api.manipulation import *
from gpuscale.array.api.matrices import *
from gpuscale.array.api.moving import *
from gpuscale.array.api.nanreductions import *
from gpuscale.array.api.overlap import *
from gpuscale.array.api.padding import *
from gpuscale.array.api.polynomials import *
from gpuscale.array.api.positions import *
from gpuscale.array.api.products import *
from gpuscale.array.api.pyfunctions import *
from gpuscale.array.api.quantiles import *
from gpuscale.array.api.reading import *
from gpuscale.array.api.reduction import *
from gpuscale.array.api.reductions import *
from gpuscale.array.api.reshaping import *
from gpuscale.array.api.sampling import *
from gpuscale.array.api.scanning import *
from gpuscale.array.api.searching import *
from gpuscale.array.api.selecting import *
from gpuscale.array.api.sets import *
from gpuscale.array.api.sliding import *
from gpuscale.array.api.sorting import *
from gpuscale.array.api.statistics import *
from gpuscale.array.api.storing import *
from gpuscale.array.api.taking import *
from gpuscale.array.api.tiling import *
from gpuscale.array.api.viewing import *
from gpuscale.array.api.windows import *
from gpuscale.array.api.writing import *
from gpuscale.array.collection import Array as Array

if TYPE_CHECKING:
    from gpuscale.array import fft as fft
    from gpuscale.array import lib as lib
    from gpuscale.array import linalg as linalg
    from gpuscale.array import ma as ma
    from gpuscale.array import random as random
    from gpuscale.array import stats as stats
    from gpuscale.run import compute as compute
    from gpuscale.run import optimize as optimize

_NAMESPACES = ("fft", "lib", "linalg", "ma", "random", "stats")
_RUNNERS = ("compute", "optimize")


def __getattr__(name: str) -> Any:
    if name in _NAMESPACES:
        return importlib.import_module(f"{__name__}.{name}")  # which makes it an attribute
    if name in _RUNNERS:
        value = globals()[name] = getattr(importlib.import_module("gpuscale.run"), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What users may say: neither the modules that it comes from, nor what this one needs."""
    here = {name for name, value in globals().items() if not isinstance(value, ModuleType)}
    own = {name for name in here if not name.startswith("_")}
    own -= {"Any", "ModuleType", "TYPE_CHECKING"}
    return sorted({*own, *_NAMESPACES, *_RUNNERS, "overlap"})
