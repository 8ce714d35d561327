"""Integers between two bounds, without rejection: low + floor(fraction * (span + 1)).

The fraction has twice as many random bits as the span: 64 bits for spans below 2**32, else 128.
No value's probability is off by more than one part in 2**32 or 2**64, which takes 2**64 draws
to notice, and every element costs the same. `span` is high - low, both included, as uint64.
"""

from typing import Any

from ..portable import as_int64, as_uint64, select
from .rounds import LOW_WORD, WORD_BITS, words
from .uniform import ONE, ZERO


def scaled32(high: Any, low: Any, span: Any) -> Any:
    """Return floor(x * (span + 1) / 2**64) for x = high * 2**32 + low and span < 2**32.

    Examples
    --------
    >>> import numpy as np
    >>> scaled32(np.uint64(2**31), np.uint64(0), np.uint64(9))
    np.uint64(5)
    """
    count = span + ONE
    return (high * count + ((low * count) >> WORD_BITS)) >> WORD_BITS


def product_high(x: Any, y: Any) -> Any:
    """Return the upper 64 bits of the 128-bit product of two uint64.

    Examples
    --------
    >>> import numpy as np
    >>> product_high(np.array([2**63], np.uint64), np.array([6], np.uint64))
    array([3], dtype=uint64)
    """
    x0, x1, y0, y1 = x & LOW_WORD, x >> WORD_BITS, y & LOW_WORD, y >> WORD_BITS
    middle = x1 * y0 + ((x0 * y0) >> WORD_BITS)
    other = x0 * y1 + (middle & LOW_WORD)
    return x1 * y1 + (middle >> WORD_BITS) + (other >> WORD_BITS)


def scaled64(high: Any, low: Any, span: Any) -> Any:
    """Return floor(x * (span + 1) / 2**128) for x = high * 2**64 + low.

    With x * (span + 1) = x * span + x no product exceeds 128 bits, however large the span is.

    Examples
    --------
    >>> import numpy as np
    >>> half, zero = np.array([2**63], np.uint64), np.array([0], np.uint64)
    >>> scaled64(half, zero, np.array([2**64 - 1], np.uint64)) == half
    array([ True])
    """
    low_sum = low * span + low
    carry = product_high(low, span) + select(low_sum < low, ONE, ZERO)
    middle = high * span
    middle_sum = middle + high
    total = middle_sum + carry
    carries = select(middle_sum < middle, ONE, ZERO) + select(total < middle_sum, ONE, ZERO)
    return product_high(high, span) + carries


def integers32_pair(key0: Any, key1: Any, block: Any, low: Any, span: Any) -> tuple[Any, Any]:
    """Return elements 2 * block and 2 * block + 1 for spans below 2**32, as int64.

    Examples
    --------
    >>> import numpy as np
    >>> ten = np.uint64(10)
    >>> integers32_pair(0, 0, np.zeros(1, np.uint64), np.array([0]), ten)
    (array([4]), array([8]))
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    span = as_uint64(span)
    return low + as_int64(scaled32(w0, w1, span)), low + as_int64(scaled32(w2, w3, span))


def integers32(key0: Any, key1: Any, index: Any, low: Any, span: Any) -> Any:
    """Return the int64 in low ... low + span that belongs to element `index`; span < 2**32.

    Examples
    --------
    >>> import numpy as np
    >>> integers32(0, 0, np.arange(3), np.int64(-5), np.uint64(10))
    array([-1,  3,  5])
    """
    index = as_uint64(index)
    even, odd = integers32_pair(key0, key1, index >> ONE, low, span)
    return select(index & ONE == ZERO, even, odd)


def integers64(key0: Any, key1: Any, index: Any, low: Any, span: Any) -> Any:
    """Return the int64 in low ... low + span (modulo 2**64) of element `index`, any span.

    Examples
    --------
    >>> import numpy as np
    >>> integers64(0, 0, np.arange(2), np.int64(0), np.uint64(2**40))
    array([...])
    """
    w0, w1, w2, w3 = words(key0, key1, index, ZERO, ZERO)
    high, low_half = (w0 << WORD_BITS) | w1, (w2 << WORD_BITS) | w3
    return low + as_int64(scaled64(high, low_half, as_uint64(span)))


def bits64_pair(key0: Any, key1: Any, block: Any) -> tuple[Any, Any]:
    """Return the 64 random bits of the elements 2 * block and 2 * block + 1.

    Examples
    --------
    >>> import numpy as np
    >>> hex(bits64_pair(0, 0, np.zeros(1, np.uint64))[0][0])
    '0x6627e8d5e169c58d'
    """
    w0, w1, w2, w3 = words(key0, key1, block, ZERO, ZERO)
    return (w0 << WORD_BITS) | w1, (w2 << WORD_BITS) | w3


def bits64(key0: Any, key1: Any, index: Any) -> Any:
    """Return the 64 random bits of element `index` as uint64: sort keys of permutations, bytes.

    Examples
    --------
    >>> import numpy as np
    >>> hex(bits64(0, 0, np.arange(1))[0])
    '0x6627e8d5e169c58d'
    """
    index = as_uint64(index)
    even, odd = bits64_pair(key0, key1, index >> ONE)
    return select(index & ONE == ZERO, even, odd)
