"""Arrays that a CUDA kernel reads across: square by square, through shared memory.

In ``x + x.T`` neighbouring columns of the second array lie a row apart in memory. A block of
threads reads a square of it along its own rows and leaves it in shared memory, from where each
thread takes what it needs; one more element in each row of the square keeps threads off each
other's banks.
"""

from __future__ import annotations

from gpuscale.codegen.body_cuda import BodyText
from gpuscale.codegen.emit import memory_type

__all__ = ["AREA", "SIDE", "TurnedText"]

SIDE = 32  # rows and columns of a square
AREA = SIDE * (SIDE + 1)  # its elements in shared memory


class TurnedText(BodyText):
    """Writes the parts of a text that reads the arrays ``spec.turned`` so, and others directly."""

    def open_squares(self) -> None:
        """Shared memory for a square of each array."""
        for k in self.spec.turned:
            kind = memory_type(self.spec.load_dtypes[k])
            self.put(f"tile{k} = cuda.shared.array({AREA}, {kind})")

    def fetch(self, row: str, column: str) -> None:
        """Bring the current element of each array to a place in its square."""
        for k in self.spec.turned:
            self.put(f"tile{k}[{row} * {SIDE + 1} + {column}] = l{k}[{self.at(f'l{k}')}]")

    def read_all(self, row: str, column: str) -> None:
        """Read all operands of an element, those of the arrays from a place in their squares."""
        for value in self.leaves:
            instr = self.instrs[value]
            if instr.op == "load" and instr.imm[0] in self.spec.turned:
                self.put_read(value, f"tile{instr.imm[0]}[{row} * {SIDE + 1} + {column}]")
            else:
                self.read(value)
