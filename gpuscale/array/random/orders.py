"""Choices of items and random orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.sorting import argsort
from gpuscale.array.api.taking import take_along_axis
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, placed
from gpuscale.array.random.distributions import Distributions
from gpuscale.array.random.draw import Place, sampled, size_of
from gpuscale.chunks.axes import at_axis, normalize_axis
from gpuscale.kernels.philox.distributions.bounds import check_integers
from gpuscale.kernels.philox.distributions.choice import cumulative

__all__ = ["Orders"]


class Orders(Distributions):
    """Draws of items, and arrays in random order."""

    def choice(
        self,
        a: Any,
        size: Any = None,
        replace: bool = True,
        p: Any = None,
        axis: int = 0,
        shuffle: bool = True,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw items of an array, or integers below a number.

        Parameters
        ----------
        a : int or array
        size : int or tuple of int, optional
        replace : bool
            Whether an item can be drawn twice.
        p : sequence of float, optional
            Probability of each item.
        axis : int
            Of the items.
        shuffle : bool
            Accepted for NumPy's sake: items drawn without replacement are always in random order.
        chunks, like, backend
            As for `random`.

        Raises
        ------
        ValueError
            If there are too few items, or the probabilities are wrong.
        """
        items = None if np.ndim(a) == 0 and not isinstance(a, Array) else as_array(a)
        n = int(a) if items is None else items.shape[normalize_axis(axis, items.ndim)]
        if n <= 0 and np.prod(size_of(() if size is None else size)) != 0:
            raise ValueError("a must be a positive integer unless no samples are taken")
        place = Place.of(() if size is None else size, chunks, like, backend)
        if replace:
            at = self._with_replacement(n, p, place)
        else:
            at = self._without_replacement(n, p, place)
        if items is None:
            return at
        where = at.compute()
        result = items[at_axis(normalize_axis(axis, items.ndim), where)]
        return result

    def _with_replacement(self, n: int, p: Any, place: Place) -> Array:
        if p is None:
            first, span = check_integers(0, n, np.int64, endpoint=False)
            return sampled("integers", self._key(), place, (first, span), np.dtype(np.int64))
        return sampled("choice", self._key(), place, (cumulative(p, n),))

    def _without_replacement(self, n: int, p: Any, place: Place) -> Array:
        count = int(np.prod(place.shape, dtype=np.int64))
        if count > n:
            raise ValueError("Cannot take a larger sample than population when replace is False")
        if p is None:
            order = self.permutation(n, backend=place.backend)
        else:
            cumulative(p, n)  # checks them
            chances = np.asarray(p, float)
            if np.count_nonzero(chances) < count:
                raise ValueError("Fewer non-zero entries in p than size")
            # Efraimidis and Spirakis 2006: the first arrivals of clocks that tick at rates p.
            clocks = self.exponential(1.0, size=n, backend=place.backend)
            order = argsort(clocks / placed(np.where(chances > 0, chances, 5e-324), clocks))
        return order[:count].reshape(place.shape)

    def permutation(
        self,
        x: Any,
        axis: int = 0,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Return a random order of integers below a number, or of the items of an array.

        The order is that of random 64-bit keys, so it does not depend on chunks. Chunks and backend
        are those of the integers; items stay where they are.
        """
        if isinstance(x, int | np.integer):
            keys = sampled("bits64", self._key(), Place.of(int(x), chunks, like, backend), ())
            return argsort(keys)
        if like is not None or backend is not None:
            raise TypeError(
                "permutation got an array and like= or backend=: the result is where the array is; "
                "move it first, by x.to_backend(name)"
            )
        x = as_array(x)
        axis = normalize_axis(axis, x.ndim)
        order = self.permutation(x.shape[axis]).compute()
        return x[at_axis(axis, order)]

    def shuffle(self, x: Array, axis: int = 0) -> None:
        """Put the items of an array into a random order, in place.

        Raises
        ------
        TypeError
            If ``x`` is not a gpuscale array.
        """
        if not isinstance(x, Array):
            raise TypeError("shuffle works in place on gpuscale arrays; use permutation instead")
        x._expr = self.permutation(x, axis).expr

    def permuted(self, x: Any, *, axis: int | None = None) -> Array:
        """Shuffle each line along an axis on its own; all elements where no axis is given."""
        x = as_array(x)
        if axis is None:
            return self.permutation(x.ravel()).reshape(x.shape)
        axis = normalize_axis(axis, x.ndim)
        keys = sampled("bits64", self._key(), Place(x.shape, x.chunks, x.backend), ())
        return take_along_axis(x, argsort(keys, axis), axis)
