"""Signatures of generalized ufuncs, as ``"(m,n),(n)->(m)"``, and where their axes lie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Signature"]

_NAMES = r"\((?:\w+(?:,\w+)*)?\)"
_LIST = rf"{_NAMES}(?:,{_NAMES})*"
_SIGNATURE = re.compile(rf"(?:{_LIST})?->(?:{_LIST})")

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """Names of the core axes of each input and output.

    Parameters
    ----------
    inputs, outputs : tuple of tuple of str
        A name that is a number stands for that length.
    """

    inputs: tuple[tuple[str, ...], ...]
    outputs: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Read a signature.

        Raises
        ------
        ValueError
            If it is none.

        Examples
        --------
        >>> Signature.parse("(m,n),(n)->(m)")
        Signature(inputs=(('m', 'n'), ('n',)), outputs=(('m',),))
        """
        compact = re.sub(r"\s+", "", text)
        if not _SIGNATURE.fullmatch(compact):
            raise ValueError(f"Not a valid gufunc signature: {text}")
        left, right = compact.split("->")
        return cls(_names(left), _names(right))

    def __str__(self) -> str:
        return "->".join(
            ",".join(f"({','.join(names)})" for names in side)
            for side in (self.inputs, self.outputs)
        )

    def sizes(self, shapes: Sequence[tuple[Any, ...]], given: Mapping[str, int]) -> dict[str, Any]:
        """Length of each core axis from the core shapes of the inputs.

        Raises
        ------
        ValueError
            If lengths of one name differ, or a name of the outputs has none.
        """
        sizes: dict[str, Any] = dict(given)
        for names, shape in zip(self.inputs, shapes, strict=True):
            for name, n in zip(names, shape, strict=True):
                wanted = int(name) if name.isdigit() else sizes.setdefault(name, n)
                if wanted != n:
                    raise ValueError(
                        f"core axis {name!r} of {self} has the lengths {wanted} and {n}"
                    )
        for name in {name for names in self.outputs for name in names}:
            if name.isdigit():
                sizes[name] = int(name)
            elif name not in sizes:
                raise ValueError(f"the length of {name!r} in {self} is unknown; see output_sizes=")
        return sizes

    def places(
        self, axes: Sequence[Any] | None, axis: int | None, keepdims: bool
    ) -> tuple[list[Axes], list[Axes]]:
        """Axes of the inputs that are core, and places of core axes in the outputs.

        Raises
        ------
        ValueError
            If they do not fit the signature.
        """
        if keepdims:
            self._check_keepdims()
        if axis is not None:
            if axes is not None:
                raise ValueError("pass axis= or axes=, not both")
            return self._along(axis, keepdims)
        n_in = len(self.inputs)
        kept = len(self.inputs[0]) if keepdims else 0
        wanted = [len(names) for names in self.inputs]
        results = [kept or len(names) for names in self.outputs]
        if axes is None:
            return [_last(n) for n in wanted], [_last(n) for n in results]
        items = [tuple(a) if isinstance(a, tuple | list) else (a,) for a in axes]
        if len(items) == n_in and (keepdims or not any(results)):
            items += [items[0] if keepdims else () for _ in results]
        if len(items) != n_in + len(results):
            raise ValueError(f"axes has {len(items)} items for {n_in + len(results)} operands")
        for item, n in zip(items, [*wanted, *results], strict=True):
            if len(item) != n:
                raise ValueError(f"axes names {item} for an operand with {n} core axes")
        return items[:n_in], items[n_in:]

    def _along(self, axis: int, keepdims: bool) -> tuple[list[Axes], list[Axes]]:
        names = {each for side in (self.inputs, self.outputs) for each in side}
        if len(names - {()}) != 1 or max(map(len, names)) != 1:
            raise ValueError("axis= needs a signature with a single core axis, shared by operands")
        inputs: list[Axes] = [(axis,) if each else () for each in self.inputs]
        return inputs, [(axis,) if each or keepdims else () for each in self.outputs]

    def _check_keepdims(self) -> None:
        if len({len(names) for names in self.inputs}) != 1 or any(self.outputs):
            raise ValueError(
                "keepdims= needs inputs with as many core axes each, and outputs without any"
            )


def _names(side: str) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(filter(None, group.split(","))) for group in re.findall(r"\(([^)]*)\)", side)
    )


def _last(n: int) -> Axes:
    return tuple(range(-n, 0))
