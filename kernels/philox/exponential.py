"""Standard exponential draws by inversion: -log of the open uniform, so never 0 nor infinite."""

from typing import Any

import numpy as np

from ..elementary.fractions import unit53
from ..elementary.logarithm import log
from ..portable import as_float32
from .rounds import words
from .uniform import ONE, ZERO, open_uniform, open_uniform_pair, word_at

TO_BITS53 = np.uint64(20)


def exponential_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the elements 2 * block and 2 * block + 1 of the float64 exponentials.

    Examples
    --------
    >>> import numpy as np
    >>> exponential_pair(0, 0, np.zeros(1, np.uint64))[0].round(4)
    array([0.9187])
    """
    even, odd = open_uniform_pair(key0, key1, block)
    return -log(even), -log(odd)


def exponential(key0: Any, key1: Any, index: Any) -> Any:
    """Return the standard exponential float64 that belongs to element `index`.

    Examples
    --------
    >>> import numpy as np
    >>> exponential(0, 0, np.arange(3)).round(4)
    array([0.9187, 0.3069, 0.0282])
    """
    return -log(open_uniform(key0, key1, index))


def of_word(word: Any) -> Any:
    """Return the float32 exponential of one 32-bit word, the midpoint of its 2**32 steps.

    Examples
    --------
    >>> import numpy as np
    >>> of_word(np.array([2**31], np.uint64))
    array([0.6931472], dtype=float32)
    """
    return as_float32(-log(unit53(((word << ONE) | ONE) << TO_BITS53)))


def exponential_quad_float32(key0: Any, key1: Any, block: Any) -> tuple[Any, Any, Any, Any]:
    """Return the elements 4 * block ... 4 * block + 3 of the float32 exponentials.

    Examples
    --------
    >>> import numpy as np
    >>> len(exponential_quad_float32(0, 0, np.zeros(1, np.uint64)))
    4
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    return of_word(w0), of_word(w1), of_word(w2), of_word(w3)


def exponential_float32(key0: Any, key1: Any, index: Any) -> Any:
    """Return the standard exponential float32 that belongs to element `index`.

    Examples
    --------
    >>> import numpy as np
    >>> exponential_float32(0, 0, np.arange(2)).round(4)
    array([0.9187, 0.1272], dtype=float32)
    """
    return of_word(word_at(key0, key1, index))
