"""The text of a map for CUDA that reads some arrays across: tile by tile, through shared memory.

In ``x + x.T`` neighbouring columns of the second array lie a row apart in memory. A block of
threads reads a square of it along its own rows and leaves it in shared memory, from where each
thread takes what it needs; one more element in each row of the square keeps threads off each
other's banks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gpuscale.codegen.body_cuda import BodySpec, BodyText
from gpuscale.codegen.emit import memory_type
from gpuscale.codegen.launch_cuda import Kernel

__all__ = ["SIDE", "TileSpec", "tile_kernel", "tiles_of"]

SIDE = 32  # rows and columns of a tile


@dataclass(frozen=True)
class TileSpec(BodySpec):
    """All that the text of such a map depends on.

    The last outer axis are the rows of tiles, the one inner axis their columns.

    Attributes
    ----------
    turned : tuple of int
        Arrays that are read through shared memory: consecutive along the rows.
    """

    turned: tuple[int, ...] = ()


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


class _TileText(BodyText):
    spec: TileSpec

    def write(self) -> Kernel:
        spec = self.spec
        arguments = self.arguments(self.program.dtypes)
        rows = f"n{spec.outer - 1}"
        with self.block(f"def kernel({', '.join(name for name, _ in arguments)}):"):
            for k in spec.turned:
                kind = memory_type(spec.load_dtypes[k])
                self.put(f"tile{k} = cuda.shared.array({SIDE * (SIDE + 1)}, {kind})")
            self.open_scalars()
            self.put("x, y = wide(cuda.threadIdx.x), wide(cuda.threadIdx.y)")
            self.put(f"along = (inner + {SIDE - 1}) // {SIDE}")
            self.put(f"down = ({rows} + {SIDE - 1}) // {SIDE}")
            self.put(f"count = outer // {rows} * down * along")
            self.put("t = wide(cuda.blockIdx.x)")
            with self.block("while t < count:"):
                self.put(f"i0, j0 = t // along % down * {SIDE}, t % along * {SIDE}")
                self.put(f"plane = t // along // down * {rows}")
                self._each_row(rows, "i0 + x", "j0 + s", self._fetch)
                self.put("cuda.syncthreads()")
                self._each_row(rows, "i0 + s", "j0 + x", self._element)
                self.put("cuda.syncthreads()")
                self.put("t += wide(cuda.gridDim.x)")
        return Kernel("\n".join([*self.lines, ""]), tuple(kind for _, kind in arguments))

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

    def _fetch(self) -> None:
        for k in self.spec.turned:
            self.put(f"tile{k}[s * {SIDE + 1} + x] = l{k}[{self.at(f'l{k}')}]")

    def _element(self) -> None:
        for value, instr in enumerate(self.instrs):
            if instr.op == "load" and instr.imm[0] in self.spec.turned:
                test = " != 0" if instr.dtype.kind == "b" else ""
                self.put(f"v{value} = tile{instr.imm[0]}[x * {SIDE + 1} + s]{test}")
            elif instr.op in ("load", "index"):
                self.read(value)
        self.compute()
        for k, value in enumerate(self.program.outputs):
            self.put(f"o{k}[{self.at(f'o{k}')}] = {self.stored(value)}")
