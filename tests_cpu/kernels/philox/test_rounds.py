"""Philox4x32-10 against the known answers published with Random123."""

import numpy as np
import pytest

from gpuscale.kernels.philox import rounds

FULL = 0xFFFFFFFF
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL,) * 4, (FULL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_known_answers_of_random123(counter, key, expected):
    drawn = rounds.mix(*(np.array([word], np.uint64) for word in counter), *map(np.uint64, key))
    assert tuple(int(word[0]) for word in drawn) == expected


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_counter_is_block_low_block_high_draw_stage(counter, key, expected):
    block = np.array([counter[0] | counter[1] << 32], np.uint64)
    drawn = rounds.words(*key, block, np.uint64(counter[2]), np.uint64(counter[3]))
    assert tuple(int(word[0]) for word in drawn) == expected


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_known_answers_in_compiled_code(counter, key, expected):
    from numba import njit

    from gpuscale.kernels.philox import uniform_cpu  # noqa: F401  makes `mix` compilable

    mix = rounds.mix

    @njit
    def compiled(c0, c1, c2, c3, key0, key1):
        return mix(c0, c1, c2, c3, key0, key1)

    assert compiled(*map(np.uint64, counter), *map(np.uint64, key)) == expected
