"""Uniform draws: element `index` of the endless sequence under a key.

A block of four words holds two float64 or four float32 elements. A float64 takes 53 bits (27 of
one word, 26 of the next), a float32 the upper 24 bits of one word: every value is a multiple of
2**-53 or 2**-24 and 1.0 never occurs.
"""

from typing import Any

import numpy as np

from ..elementary.fractions import unit53
from ..portable import as_float32, as_int32, as_uint64, select
from .rounds import words

ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
FIVE, SIX, EIGHT, SHIFT26 = np.uint64(5), np.uint64(6), np.uint64(8), np.uint64(26)
UNIT24 = np.float32(2.0**-24)


def bits53(high: Any, low: Any) -> Any:
    """Return the 53-bit integer made of the upper 27 and 26 bits of two words.

    Examples
    --------
    >>> bits53(np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFF)) == 2**53 - 1
    np.True_
    """
    return ((high >> FIVE) << SHIFT26) | (low >> SIX)


def bits53_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the 53-bit integers of the elements 2 * block and 2 * block + 1.

    Examples
    --------
    >>> bits53_pair(0, 0, np.zeros(1, np.uint64))[0] >> np.uint64(51)
    array([1], dtype=uint64)
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    return bits53(w0, w1), bits53(w2, w3)


def bits53_at(key0: Any, key1: Any, index: Any) -> Any:
    """Return the 53-bit integer of element `index`.

    Examples
    --------
    >>> bits53_at(0, 0, np.zeros(1, np.uint64)) >> np.uint64(51)
    array([1], dtype=uint64)
    """
    index = as_uint64(index)
    even, odd = bits53_pair(key0, key1, index >> ONE)
    return select(index & ONE == ZERO, even, odd)


def uniform_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the elements 2 * block and 2 * block + 1 of the float64 uniforms.

    Examples
    --------
    >>> uniform_pair(0, 0, np.zeros(1, np.uint64))[1].round(4)
    array([0.7357])
    """
    even, odd = bits53_pair(key0, key1, block)
    return unit53(even), unit53(odd)


def uniform(key0: Any, key1: Any, index: Any) -> Any:
    """Return the float64 in [0, 1) that belongs to element `index`.

    Parameters
    ----------
    key0, key1 : the two 32-bit halves of the key.
    index : integer array (or scalar in compiled code), not negative.

    Examples
    --------
    >>> uniform(0, 0, np.arange(3)).round(4)
    array([0.399 , 0.7357, 0.9722])
    """
    return unit53(bits53_at(key0, key1, index))


def open_unit(bits: Any) -> Any:
    """Return the float64 in (0, 1), both ends excluded, of a 53-bit integer.

    Its last bit is set: the value is never 0, 1/2 or 1, and symmetric about 1/2, as inverse
    distribution functions with an infinity at either end need it.

    Examples
    --------
    >>> open_unit(np.zeros(1, np.uint64))
    array([1.11022302e-16])
    """
    return unit53(bits | ONE)


def open_uniform_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the elements 2 * block and 2 * block + 1 of the uniforms in (0, 1).

    Examples
    --------
    >>> open_uniform_pair(0, 0, np.zeros(1, np.uint64))[1].round(4)
    array([0.7357])
    """
    even, odd = bits53_pair(key0, key1, block)
    return open_unit(even), open_unit(odd)


def open_uniform(key0: Any, key1: Any, index: Any) -> Any:
    """Return the float64 in (0, 1), both ends excluded, that belongs to element `index`.

    Examples
    --------
    >>> open_uniform(0, 0, np.arange(3)).round(4)
    array([0.399 , 0.7357, 0.9722])
    """
    return open_unit(bits53_at(key0, key1, index))


def uniform_quad_float32(key0: Any, key1: Any, block: Any) -> tuple[Any, Any, Any, Any]:
    """Return the elements 4 * block ... 4 * block + 3 of the float32 uniforms.

    Examples
    --------
    >>> uniform_quad_float32(0, 0, np.zeros(1, np.uint64))[1].round(4)
    array([0.8805], dtype=float32)
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    return unit24(w0), unit24(w1), unit24(w2), unit24(w3)


def unit24(word: Any) -> Any:
    """Return the float32 in [0, 1) of the upper 24 bits of a word.

    Examples
    --------
    >>> unit24(np.array([2**31], np.uint64))
    array([0.5], dtype=float32)
    """
    return as_float32(as_int32(word >> EIGHT)) * UNIT24


def word_at(key0: Any, key1: Any, index: Any) -> Any:
    """Return the 32-bit word of element `index` where a block holds four elements.

    Examples
    --------
    >>> hex(word_at(0, 0, np.arange(4))[3])
    '0x9b00dbd8'
    """
    index = as_uint64(index)
    w0, w1, w2, w3 = words(key0, key1, index >> TWO, ZERO, ZERO)
    first = index & ONE == ZERO
    return select(index & TWO == ZERO, select(first, w0, w1), select(first, w2, w3))


def uniform_float32(key0: Any, key1: Any, index: Any) -> Any:
    """Return the float32 in [0, 1) of element `index`: the upper 24 bits of word index % 4.

    Examples
    --------
    >>> uniform_float32(0, 0, np.arange(3)).round(4)
    array([0.399 , 0.8805, 0.7357], dtype=float32)
    """
    return unit24(word_at(key0, key1, index))
