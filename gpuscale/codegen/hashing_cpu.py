"""Number texts in the order in which they come, by a table of hashes that grows with them.

A text is bytes between two offsets. Each different one has an entry: its hash, its first and last
words, and its length, which say all of one that is short. Of a long one the bytes between are
compared where it came first, which may be in an array of bytes that came before.

Imports numba: only generated kernels import this module.
"""

# Signatures below are flat lists of pointers: what Numba passes without a detour.
# fmt: off
from __future__ import annotations

from typing import Any

from gpuscale.codegen.intrinsics import in_kernel, word_at

_WORD = 8  # bytes that are looked at together
_BLOCK = 64  # texts that are hashed before they are looked for
_ODD, _OTHER = -7046029254386353131, -4417276706812531889  # 64 bits without a pattern


@in_kernel
def ends_of(data: Any, at: int, end: int, stop: int) -> tuple[int, int]:
    """Return the first word and the last one, which may overlap; or all bytes, where few.

    Of these, too, a word is read, if bytes do not stop before it does.
    """
    if end - at >= _WORD:
        return word_at(data, at), word_at(data, end - _WORD)
    if at + _WORD <= stop:
        return word_at(data, at) & ((1 << 8 * (end - at)) - 1), 0
    found = 0
    while end > at:
        end -= 1
        found = found << 8 | (data[end] & 255)
    return found, 0


@in_kernel
def hash_of(data: Any, at: int, end: int, head: int, tail: int) -> int:
    """Multiply and shift length and words."""
    found = ((end - at) ^ head) * _ODD
    at += _WORD
    while at < end - _WORD:
        found = (found ^ found >> 32 ^ word_at(data, at)) * _ODD
        at += _WORD
    found = (found ^ found >> 32 ^ tail) * _OTHER
    found = (found ^ found >> 32) * _ODD
    return found ^ found >> 32


@in_kernel
def are_same(data: Any, at: int, other: int, length: int) -> bool:
    """Compare texts whose first and last words are the same; the other may lie anywhere."""
    k = _WORD
    while k < length - _WORD:
        if word_at(data, at + k) != word_at(data, other + k):
            return False
        k += _WORD
    return True


@in_kernel
def number_texts(offsets: Any, data: Any, base: int, nulls: Any, has_nulls: int, rows: int,
                 before: int, slots: Any, entries: Any, places: Any, ids: Any, first: Any,
                 ahead: Any, state: Any) -> None:
    """Number texts behind others; all nulls, for which `nulls` has a 1, have one number.

    `base` is the address of the data, and `before` the number of rows that came before, of which
    the state is kept: how many numbers there are, the one of nulls or -1, and the size of the table
    of slots. These are zeros to begin with, a power of two of them; in all there are more than
    twice as many slots as rows. Entries take four words, and `ahead` twice a block.
    """
    groups, null, size = state[0], state[1], state[2]
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        look_ahead(offsets, data, start, stop, rows, slots, size, entries, ahead)
        for i in range(start, stop):
            if has_nulls and nulls[i]:
                if null < 0:
                    null = groups
                    first[groups] = before + i
                    groups += 1
                ids[i] = null
                continue
            at, end = offsets[i], offsets[i + 1]
            code, (head, tail) = ahead[i - start], ends_of(data, at, end, offsets[rows])
            place = code & (size - 1)
            group = slots[place] - 1
            while group >= 0:
                e = 4 * group
                if (
                    entries[e] == code and entries[e + 1] == head and entries[e + 2] == tail
                    and entries[e + 3] == end - at
                    and are_same(data, at, places[group] - base, end - at)
                ):
                    break
                place = (place + 1) & (size - 1)
                group = slots[place] - 1
            if group < 0:
                group, e = groups, 4 * groups
                entries[e], entries[e + 1] = code, head
                entries[e + 2], entries[e + 3] = tail, end - at
                first[group], places[group] = before + i, base + at
                groups += 1
                slots[place] = groups
                if 2 * groups >= size:
                    size = grown(slots, size, entries, groups, null)
            ids[i] = group
    state[0], state[1], state[2] = groups, null, size


@in_kernel
def look_ahead(offsets: Any, data: Any, start: int, stop: int, rows: int, slots: Any, size: int,
               entries: Any, ahead: Any) -> None:
    """Hash some texts, and have the memory that will be looked at come together."""
    for i in range(start, stop):
        at, end = offsets[i], offsets[i + 1]
        head, tail = ends_of(data, at, end, offsets[rows])
        code = hash_of(data, at, end, head, tail)
        ahead[i - start] = code
        ahead[_BLOCK + i - start] = slots[code & (size - 1)]
    for k in range(_BLOCK, _BLOCK + stop - start):
        ahead[k] = entries[4 * max(ahead[k] - 1, 0)]


@in_kernel
def grown(slots: Any, size: int, entries: Any, groups: int, null: int) -> int:
    """Enter all but nulls again, in a table twice as large; return how large it is."""
    size *= 2
    for place in range(size):
        slots[place] = 0
    for group in range(groups):
        if group != null:
            place = entries[4 * group] & (size - 1)
            while slots[place] > 0:
                place = (place + 1) & (size - 1)
            slots[place] = group + 1
    return size
