"""The text of a map for CUDA that reads some arrays across, as `turned_cuda` does: tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gpuscale.codegen.body_cuda import BodySpec
from gpuscale.codegen.launch_cuda import Kernel
from gpuscale.codegen.turned_cuda import SIDE, TurnedText

__all__ = ["TileSpec", "tile_kernel", "tiles_of"]


@dataclass(frozen=True)
class TileSpec(BodySpec):
    """All that the text of such a map depends on.

    The last outer axis are the rows of tiles, along which the turned arrays are consecutive; the
    one inner axis their columns.
    """


def tiles_of(outer: int, rows: int, columns: int) -> int:
    """Number of tiles in a domain.

    Examples
    --------
    >>> tiles_of(3 * 33, 33, 64)
    12
    """
    return outer // rows * -(-rows // SIDE) * -(-columns // SIDE)


@lru_cache(maxsize=1024)
def tile_kernel(spec: TileSpec) -> Kernel:
    """Write the kernel of a map that reads arrays across."""
    return _TileText(spec).write()


class _TileText(TurnedText):
    spec: TileSpec

    def write(self) -> Kernel:
        arguments = self.arguments(self.program.dtypes)
        rows = f"n{self.spec.outer - 1}"
        with self.block(f"def kernel({', '.join(name for name, _ in arguments)}):"):
            self.open_squares()
            self.open_scalars()
            self.put("x, y = wide(cuda.threadIdx.x), wide(cuda.threadIdx.y)")
            self.put(f"along = (inner + {SIDE - 1}) // {SIDE}")
            self.put(f"down = ({rows} + {SIDE - 1}) // {SIDE}")
            self.put(f"count = outer // {rows} * down * along")
            self.put("t = wide(cuda.blockIdx.x)")
            with self.block("while t < count:"):
                self.put(f"i0, j0 = t // along % down * {SIDE}, t % along * {SIDE}")
                self.put(f"plane = t // along // down * {rows}")
                self._each_row(rows, "i0 + x", "j0 + s", lambda: self.fetch("s", "x"))
                self.put("cuda.syncthreads()")
                self._each_row(rows, "i0 + s", "j0 + x", self._element)
                self.put("cuda.syncthreads()")
                self.put("t += wide(cuda.gridDim.x)")
        return Kernel(self.source, tuple(kind for _, kind in arguments))

    def _each_row(self, rows: str, row: str, column: str, work: Callable[[], None]) -> None:
        """Let the threads of a block share out the rows of a tile."""
        self.put("s = y")
        with self.block(f"while s < {SIDE}:"):
            self.put(f"i, j = {row}, {column}")
            with self.block(f"if (i < {rows}) & (j < inner):"):
                self.open_group("outer", "(plane + i)")
                self.open_group("inner", "j")
                work()
            self.put("s += wide(cuda.blockDim.y)")

    def _element(self) -> None:
        self.read_all("x", "s")
        self.compute()
        self.write_all()
