"""Integer draws inside compiled loops, and whole rows: `fill(out, key0, key1, start, low, span)`.

`low` is int64 and `span` is uint64; `out` may have any integer dtype that holds the range.
"""

from ..portable_cpu import make_compilable
from . import integers
from .rows_cpu import fill_by_pairs

fill_integers32 = fill_by_pairs(integers.integers32_pair, integers.integers32)
fill_bits64 = fill_by_pairs(integers.bits64_pair, integers.bits64)
make_compilable(integers.integers64)
