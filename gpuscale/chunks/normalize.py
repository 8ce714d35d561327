"""What users say about chunks, turned into sizes per block per axis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import lcm, prod
from operator import index as as_int
from reprlib import Repr
from typing import Any, NoReturn

from gpuscale.base.errors import ChunkError, UnknownSizeError
from gpuscale.base.types import Chunks, Shape, Size, Unknown, is_known
from gpuscale.chunks.autosize import fit_block
from gpuscale.chunks.blocks import check_count, known_sizes, uniform_sizes

__all__ = ["normalize_chunks"]


def normalize_chunks(
    chunks: Any,
    shape: Shape,
    itemsize: int,
    limit_bytes: int,
    previous: Chunks | None = None,
    unit_multiple: int | Sequence[int] | None = None,
) -> Chunks:
    """Return the sizes of all blocks along each axis.

    Parameters
    ----------
    chunks : str, int, None, tuple, or dict
        One specification for all axes, a tuple with one per axis, or a dictionary from axis to
        specification, where an axis left out counts as None. A specification is ``"auto"``; the
        bytes of one block such as ``"1 GiB"`` (the axes that say so share them); the size of a
        block; -1 for the whole axis; None for the previous sizes, or the whole axis where there
        are none; or all sizes of the axis in a tuple. For one axis, ``(3, 3, 2)`` are its sizes.
    shape : Shape
        Shape of the array; an axis of `Unknown` length keeps its previous sizes.
    itemsize : int
        Bytes per element.
    limit_bytes : int
        Bytes of one block for ``"auto"``.
    previous : Chunks, optional
        Blocks that exist, in memory or in a file. Automatic blocks are whole multiples of them
        with the same aspect, or equal parts where one exceeds the limit. Without them automatic
        blocks are as square as the shape allows.
    unit_multiple : int or sequence of int, optional
        Automatic blocks are multiples of this many elements along each axis, whatever the limit
        says: the grid of a file in which no two tasks may write the same stored chunk.

    Returns
    -------
    Chunks
        All blocks along an axis have one size but the last; an empty axis has one empty block.

    Raises
    ------
    ChunkError
        If the chunks cannot cut this shape, or would cut it into more blocks than the option
        ``array.max-blocks``.
    UnknownSizeError
        If an axis of unknown length would have to be cut.

    Examples
    --------
    >>> normalize_chunks((4, -1), (10, 6), 8, 2**27)
    ((4, 4, 2), (6,))
    >>> normalize_chunks("auto", (1000, 1000), 8, 2_000_000)
    ((500, 500), (500, 500))
    >>> normalize_chunks({0: "1 MiB"}, (1000, 1000), 8, 2**27)
    ((125, 125, 125, 125, 125, 125, 125, 125), (1000,))
    >>> normalize_chunks((3, 3, 2), (8,), 8, 2**27)
    ((3, 3, 2),)
    """
    specs = _specs_per_axis(chunks, shape)
    known: list[tuple[Size, ...] | None] = []
    budgets: set[int] = set()
    for axis, (spec, length) in enumerate(zip(specs, shape, strict=True)):
        if isinstance(spec, str):
            budgets.add(limit_bytes if spec == "auto" else _bytes(spec, chunks, shape))
            known.append(None)
        else:
            before = previous[axis] if previous is not None else None
            known.append(_axis_sizes(spec, length, before, axis, chunks, shape))
    if len(budgets) > 1:
        _refuse(chunks, shape, "they ask for blocks of two different sizes in bytes")
    if budgets:
        budget = budgets.pop() / max(itemsize, 1)
        cut = _fill_automatic(known, shape, budget, previous, unit_multiple)
    else:
        cut = tuple(sizes for sizes in known if sizes is not None)
    check_count(prod(map(len, cut)), f"chunks {_short(chunks)} of shape {shape}")
    return cut


def _specs_per_axis(chunks: Any, shape: Shape) -> tuple[Any, ...]:
    """Return one specification per axis."""
    ndim = len(shape)
    if isinstance(chunks, Mapping):
        return _specs_of_mapping(chunks, shape)
    if chunks is None or isinstance(chunks, str) or not isinstance(chunks, Iterable):
        return (chunks,) * ndim
    specs = tuple(chunks)
    if ndim == 1 and len(specs) != 1 and not any(_is_spec_of_axis(spec) for spec in specs):
        return (specs,)
    if len(specs) != ndim:
        _refuse(chunks, shape, f"there are {len(specs)} of them for {ndim} axes")
    return specs


def _is_spec_of_axis(spec: Any) -> bool:
    """Whether an item can only be meant for a whole axis, not for one block of it."""
    return spec is None or isinstance(spec, str | Iterable)


def _specs_of_mapping(chunks: Mapping[Any, Any], shape: Shape) -> tuple[Any, ...]:
    ndim = len(shape)
    specs: dict[int, Any] = {}
    for key, spec in chunks.items():
        axis = _integer(key, "an axis", chunks, shape)
        if not -ndim <= axis < ndim:
            _refuse(chunks, shape, f"there is no axis {axis}")
        if axis % ndim in specs:
            _refuse(chunks, shape, f"axis {axis % ndim} is named twice")
        specs[axis % ndim] = spec
    return tuple(specs.get(axis) for axis in range(ndim))


def _axis_sizes(
    spec: Any, length: Size, before: tuple[Size, ...] | None, axis: int, chunks: Any, shape: Shape
) -> tuple[Size, ...]:
    """Return the sizes along one axis whose specification is not automatic."""
    if spec is None and before is not None:
        return before
    if isinstance(spec, Iterable):
        return _explicit_sizes(tuple(spec), length, axis, chunks, shape)
    size = -1 if spec is None else _integer(spec, f"axis {axis}", chunks, shape)
    if isinstance(length, Unknown):
        if size == -1 and before is not None and len(before) == 1:
            return before
        raise UnknownSizeError(
            f"axis {axis} of shape {shape} has a length that depends on data, so chunks "
            f"{_short(chunks)} cannot cut it; call x.compute_chunk_sizes() first"
        )
    if size < -1 or (size == 0 and length > 0):
        _refuse(chunks, shape, f"axis {axis} has a block size of {size}; use -1 for one block")
    return uniform_sizes(length, max(1, length if size == -1 else min(size, length)))


def _explicit_sizes(
    sizes: tuple[Any, ...], length: Size, axis: int, chunks: Any, shape: Shape
) -> tuple[Size, ...]:
    if not is_known(sizes):
        return sizes
    if isinstance(length, Unknown):
        raise UnknownSizeError(
            f"axis {axis} of shape {shape} has a length that depends on data, so the sizes "
            f"{_short(sizes)} cannot be checked; call x.compute_chunk_sizes() first"
        )
    whole = tuple(_integer(size, f"axis {axis}", chunks, shape) for size in sizes)
    if any(size < 0 for size in whole):
        _refuse(chunks, shape, f"axis {axis} has a negative size")
    if sum(whole) != length:
        _refuse(chunks, shape, f"the sizes along axis {axis} sum to {sum(whole)}, not {length}")
    return whole or (0,)


def _fill_automatic(
    known: Sequence[tuple[Size, ...] | None],
    shape: Shape,
    budget: float,
    previous: Chunks | None,
    unit_multiple: int | Sequence[int] | None,
) -> Chunks:
    """Choose the sizes of the axes left open (None) so that one block fits the budget."""
    fixed = [sizes for sizes in known if sizes is not None]
    if not (is_known(shape) and all(map(is_known, fixed))):
        return _keep_previous(known, shape, previous)
    open_axes = [axis for axis, sizes in enumerate(known) if sizes is None and shape[axis] > 0]
    room = budget / prod(max(1, *known_sizes(sizes)) for sizes in fixed)
    multiple = _per_axis(unit_multiple, len(shape))
    unit = [1 if previous is None else max(1, *known_sizes(previous[axis])) for axis in open_axes]
    hard = [multiple[axis] for axis in open_axes]
    both = [lcm(a, b) for a, b in zip(unit, hard, strict=True)]
    # Stored chunks are a wish, the multiple is a duty: where both do not fit, the wish yields.
    units = both if unit_multiple is None or prod(both) <= room else hard
    lengths = [shape[axis] for axis in open_axes]
    block = fit_block(lengths, room, units, hard=unit_multiple is not None)
    size_of = dict(zip(open_axes, block, strict=True))
    return tuple(
        uniform_sizes(shape[axis], size_of.get(axis, 1)) if sizes is None else sizes
        for axis, sizes in enumerate(known)
    )


def _keep_previous(
    known: Sequence[tuple[Size, ...] | None], shape: Shape, previous: Chunks | None
) -> Chunks:
    """Leave the open axes as they are: no size can be chosen beside an unknown one."""
    if previous is None:
        raise UnknownSizeError(
            f"shape {shape} has a length that depends on data, so no block size can be chosen; "
            "call x.compute_chunk_sizes() first"
        )
    return tuple(previous[axis] if sizes is None else sizes for axis, sizes in enumerate(known))


def _per_axis(multiple: int | Sequence[int] | None, ndim: int) -> Sequence[int]:
    if multiple is None:
        return (1,) * ndim
    return (multiple,) * ndim if isinstance(multiple, int) else multiple


def _integer(value: Any, what: str, chunks: Any, shape: Shape) -> int:
    """Return an integer, or refuse floats, booleans and everything else that is none."""
    if isinstance(value, bool):
        _refuse(chunks, shape, f"{value!r} for {what} is not an integer")
    try:
        return as_int(value)
    except TypeError:
        _refuse(chunks, shape, f"{value!r} for {what} is not an integer")


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15}
_UNITS |= {f"{letter}i": 2 ** (10 * power) for power, letter in enumerate("kmgtp", 1)}


def _bytes(spec: str, chunks: Any, shape: Shape) -> int:
    """Return the number of bytes that a text such as ``"1 GiB"`` stands for."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kmgtp]?i?)b?\s*", spec.lower())
    if match is None or match[2] not in _UNITS:
        _refuse(chunks, shape, f'{spec!r} is neither "auto" nor a size such as "128 MiB"')
    return max(1, int(float(match[1]) * _UNITS[match[2]]))


_SHORT = Repr()
_SHORT.maxstring = 60
_short = _SHORT.repr


def _refuse(chunks: Any, shape: Shape, reason: str) -> NoReturn:
    raise ChunkError(f"chunks {_short(chunks)} do not fit shape {shape}: {reason}")
