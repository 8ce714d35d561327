"""Normal draws by the method of Box and Muller (1958).

Elements 2k and 2k + 1 are the cosine and the sine leg of the two uniforms of block k: the first
sets the radius, the second the angle. The radius takes 1 - u, so the logarithm's argument is in
(0, 1] and the largest radius is 8.57.
"""

from typing import Any

import numpy as np

from ..elementary.circle import cosine_sine
from ..elementary.fractions import unit53
from ..elementary.logarithm import log
from ..portable import as_float32, as_uint64, select
from .rounds import words
from .uniform import ONE, TWO, ZERO, bits53_pair

TO_BITS53 = np.uint64(21)


def legs(radius_bits: Any, angle_bits: Any) -> tuple[Any, Any]:
    """Return two independent standard normals made of two 53-bit integers.

    Examples
    --------
    >>> legs(np.array([2**52], np.uint64), np.array([2**50], np.uint64))
    (array([0.83255461]), array([0.83255461]))
    """
    radius = np.sqrt(-2.0 * log(1.0 - unit53(radius_bits)))
    cosine, sine = cosine_sine(angle_bits)
    return radius * cosine, radius * sine


def normal_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the elements 2 * block and 2 * block + 1 of the float64 normals.

    Examples
    --------
    >>> normal_pair(0, 0, np.zeros(1, np.uint64))
    (array([-0.09047305]), array([-1.00513182]))
    """
    radius_bits, angle_bits = bits53_pair(key0, key1, block)
    return legs(radius_bits, angle_bits)


def normal(key0: Any, key1: Any, index: Any) -> Any:
    """Return the standard normal float64 that belongs to element `index`.

    Examples
    --------
    >>> normal(0, 0, np.arange(3)).round(4)
    array([-0.0905, -1.0051, -0.9238])
    """
    index = as_uint64(index)
    cosine_leg, sine_leg = normal_pair(key0, key1, index >> ONE)
    return select(index & ONE == ZERO, cosine_leg, sine_leg)


def normal_quad_float32(key0: Any, key1: Any, block: Any) -> tuple[Any, Any, Any, Any]:
    """Return the elements 4 * block ... 4 * block + 3 of the float32 normals.

    Each word is one 32-bit uniform; the legs are computed in float64 and rounded once.

    Examples
    --------
    >>> len(normal_quad_float32(0, 0, np.zeros(1, np.uint64)))
    4
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    first, second = legs(w0 << TO_BITS53, w1 << TO_BITS53)
    third, fourth = legs(w2 << TO_BITS53, w3 << TO_BITS53)
    return as_float32(first), as_float32(second), as_float32(third), as_float32(fourth)


def normal_float32(key0: Any, key1: Any, index: Any) -> Any:
    """Return the standard normal float32 that belongs to element `index`.

    Examples
    --------
    >>> normal_float32(0, 0, np.arange(3)).dtype
    dtype('float32')
    """
    index = as_uint64(index)
    w0, w1, w2, w3 = words(key0, key1, index >> TWO, ZERO, ZERO)
    first_half = index & TWO == ZERO
    radius_bits, angle_bits = select(first_half, w0, w2), select(first_half, w1, w3)
    cosine_leg, sine_leg = legs(radius_bits << TO_BITS53, angle_bits << TO_BITS53)
    return as_float32(select(index & ONE == ZERO, cosine_leg, sine_leg))
