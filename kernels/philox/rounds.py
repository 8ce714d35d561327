"""Philox4x32-10: four random 32-bit words as a function of a 128-bit counter and a 64-bit key.

Algorithm: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
Each 32-bit word lives in a uint64, so that a product of two words is exact and no step overflows.
"""

from typing import Any

import numpy as np

from ..portable import as_key, as_uint64

MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
KEY_STEP_0 = np.uint64(0x9E3779B9)
KEY_STEP_1 = np.uint64(0xBB67AE85)
LOW_WORD = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)
ROUNDS = 10


def mix(c0: Any, c1: Any, c2: Any, c3: Any, key0: Any, key1: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four words of counter (c0, c1, c2, c3) under key (key0, key1), all uint64 < 2**32.

    Examples
    --------
    >>> zero = np.zeros(1, np.uint64)
    >>> [hex(word[0]) for word in mix(zero, zero, zero, zero, np.uint64(0), np.uint64(0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    for _ in range(ROUNDS):
        product0 = MULTIPLIER_0 * c0
        product1 = MULTIPLIER_1 * c2
        c0 = (product1 >> WORD_BITS) ^ c1 ^ key0
        c1 = product1 & LOW_WORD
        c2 = (product0 >> WORD_BITS) ^ c3 ^ key1
        c3 = product0 & LOW_WORD
        key0 = (key0 + KEY_STEP_0) & LOW_WORD
        key1 = (key1 + KEY_STEP_1) & LOW_WORD
    return c0, c1, c2, c3


def words(key0: Any, key1: Any, block: Any, draw: Any, stage: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four words of one block of the sequence under a key.

    Parameters
    ----------
    key0, key1 : the two 32-bit halves of the key.
    block : uint64 array or scalar, the position in the sequence.
    draw : uint64, 0 for methods that need one block per element; rejection methods count 1, 2, ...
    stage : uint64, keeps apart the parts of a value built from several draws.

    Examples
    --------
    >>> words(0, 0, np.zeros(1, np.uint64), np.uint64(0), np.uint64(0))[0]
    array([1713891541], dtype=uint64)
    """
    block = as_uint64(block)
    return mix(block & LOW_WORD, block >> WORD_BITS, draw, stage, as_key(key0), as_key(key1))
