"""Sets of cores: a bit mask, as the driver has them, and ranges, as people write them."""

from __future__ import annotations

__all__ = ["cores_in", "cores_of"]


def cores_of(words: list[int]) -> str:
    """Write a bit mask of cores, 64 in a word, as ranges.

    Examples
    --------
    >>> cores_of([0b1111, 0b11]), cores_of([0b101]), cores_of([0])
    ('0-3,64-65', '0,2', 'none')
    """
    cores = [
        64 * place + bit for place, word in enumerate(words) for bit in range(64) if word >> bit & 1
    ]
    ranges: list[list[int]] = []
    for core in cores:
        if ranges and core == ranges[-1][1] + 1:
            ranges[-1][1] = core
        else:
            ranges.append([core, core])
    return ",".join(f"{a}-{b}" if a != b else str(a) for a, b in ranges) or "none"


def cores_in(text: str) -> frozenset[int]:
    """Read the ranges that `cores_of` writes.

    Raises
    ------
    ValueError
        The text is no list of ranges.

    Examples
    --------
    >>> sorted(cores_in("0-3,64-65")), sorted(cores_in("none"))
    ([0, 1, 2, 3, 64, 65], [])
    """
    if text == "none":
        return frozenset()
    ends = [entry.partition("-") for entry in text.split(",")]
    return frozenset(
        core for low, _, high in ends for core in range(int(low), int(high or low) + 1)
    )
