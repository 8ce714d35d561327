"""The text of reductions for CUDA: a block reduces a slice of the inner axes for a few positions.

A block has ``parts`` of threads for each of ``lanes`` positions of the outer axes. Each thread
takes elements of the inner axes into a state of its own; the states of a position are joined in
shared memory by halves. Where several blocks share a position, what they leave is joined by a
second kernel. Which thread takes what follows from shapes alone: results repeat to the bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.accumulate_cuda import State, state_of
from gpuscale.codegen.body_cuda import BodySpec, Steps
from gpuscale.codegen.emit import constant, memory_type
from gpuscale.codegen.launch_cuda import Kernel, pointer_to
from gpuscale.codegen.program import Instr, ScalarProgram
from gpuscale.codegen.text import Text
from gpuscale.codegen.turned_cuda import SIDE, TurnedText

__all__ = ["ReduceSpec", "join_kernel", "reduce_kernel", "states_of"]

DType = np.dtype[Any]
States = tuple[State, ...]


def states_of(program: ScalarProgram, reductions: tuple[str, ...]) -> States | None:
    """How each output is reduced; None where one cannot be."""
    pairs = zip(reductions, program.dtypes, strict=True)
    found = tuple(state_of(*pair) for pair in pairs)
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


@dataclass(frozen=True)
class ReduceSpec(BodySpec):
    """All that the text of a reduction depends on; the inner axes are reduced.

    Turned arrays are consecutive along the inner axes, while neighbouring threads take neighbours
    of the outer ones, `SIDE` at a time.

    Attributes
    ----------
    reductions : tuple of str
        One for each output.
    flat : Steps
        Of the position in the reduced extent; empty where nobody wants it.
    threads : int
        Of a block.
    across : bool
        Whether neighbouring threads take neighbours of the inner axes, or of the outer ones.
    whole : bool
        Whether one block takes all of a position: then it leaves results, otherwise states.
    """

    reductions: tuple[str, ...] = ()
    flat: Steps = ()
    threads: int = 256
    across: bool = True
    whole: bool = True

    @cached_property
    def states(self) -> States:
        """How each output is reduced."""
        found = states_of(self.program, self.reductions)
        assert found is not None
        return found

    @property
    def beside(self) -> dict[str, Steps]:
        """Steps of the position, where somebody wants it."""
        return {"flat": self.flat} if self.flat else {}


@lru_cache(maxsize=1024)
def reduce_kernel(spec: ReduceSpec) -> Kernel:
    """Write the kernel that reduces a program."""
    return _ReduceText(spec).write()


@lru_cache(maxsize=1024)
def join_kernel(states: States, threads: int) -> Kernel:
    """Write the kernel that joins the states which several blocks left of each position."""
    text = Text()
    frame = _Frame(text, states, threads)
    arguments = [(f"i{k}", pointer_to(d)) for k, d in enumerate(frame.part_dtypes)]
    arguments += [(f"o{k}", pointer_to(d)) for k, d in enumerate(frame.result_dtypes)]
    arguments += [(name, "int64") for name in ("outer", "inner", "lanes", "parts")]

    frame.open([name for name, _ in arguments], False)
    with text.block("while q < inner:"):
        number = 0
        for r, state in enumerate(states):
            for k in range(len(state.starts)):
                text.put(f"b{r}_{k} = i{number}[q * outer + k]")
                number += 1
            frame.put_lines(r, state.join)
        text.put("q += parts * wide(cuda.gridDim.y)")
    frame.close(True)
    return Kernel(text.source, tuple(kind for _, kind in arguments))


class _ReduceText(TurnedText):
    """What is taken into the states: elements of a program."""

    spec: ReduceSpec

    def write(self) -> Kernel:
        spec = self.spec
        self.frame = frame = _Frame(self, spec.states, spec.threads)
        written = frame.result_dtypes if spec.whole else frame.part_dtypes
        arguments = [*self.arguments(written), ("lanes", "int64"), ("parts", "int64")]
        frame.open([name for name, _ in arguments], spec.across, self._open)
        if spec.turned:
            self._take_tiles()
        else:
            self.open_group("outer", "k")
            with self.block("while q < inner:"):
                self._take()
                self.put("q += parts * wide(cuda.gridDim.y)")
        frame.close(spec.whole)
        return Kernel(self.source, tuple(kind for _, kind in arguments))

    def _open(self) -> None:
        """What stands before all positions."""
        self.open_squares()
        self.open_scalars()

    def _take(self) -> None:
        """Take element q into the states."""
        spec = self.spec
        self.open_group("inner", "q")
        self.read_all("lane", "s")
        self.compute()
        if any(state.wants_position for state in spec.states):
            place = "flat_outer + flat_inner" if spec.flat else "0"  # the only one
            self.put(f"position = int64({place})")
        for r, output in enumerate(self.program.outputs):
            self.frame.put_lines(r, spec.states[r].take, self.stored(output))

    def _take_tiles(self) -> None:
        """Bring squares of the turned arrays to shared memory, and take from there."""
        self.put(f"q0 = wide(cuda.blockIdx.y) * {SIDE}")
        with self.block("while q0 < inner:"):
            self.put("s = part")
            with self.block(f"while s < {SIDE}:"):
                with self.block("if (first + s < outer) & (q0 + lane < inner):"):
                    self.open_group("outer", "(first + s)")
                    self.open_group("inner", "(q0 + lane)")
                    self.fetch("s", "lane")
                self.put("s += parts")
            self.put("cuda.syncthreads()")
            self.open_group("outer", "k")
            self.put("s = part")
            with self.block(f"while s < {SIDE}:"):
                self.put("q = q0 + s")
                with self.block("if (k < outer) & (q < inner):"):
                    self._take()
                self.put("s += parts")
            self.put("cuda.syncthreads()")
            self.put(f"q0 += wide(cuda.gridDim.y) * {SIDE}")


class _Frame:
    """The frame of both kernels: states begin, take what comes, and are joined in a block."""

    def __init__(self, text: Text, states: States, threads: int) -> None:
        self.text = text
        self.states = states
        self.threads = threads
        self.parts = [
            (r, k, *part) for r, s in enumerate(states) for k, part in enumerate(s.starts)
        ]

    @property
    def part_dtypes(self) -> list[DType]:
        """Dtypes of all parts of all states."""
        return [dtype for _, _, dtype, _ in self.parts]

    @property
    def result_dtypes(self) -> list[DType]:
        """Dtypes of all results."""
        return [dtype for state in self.states for dtype, _ in state.results]

    def put_lines(self, r: int, lines: tuple[str, ...], value: str = "") -> None:
        """Put lines of a state, with the names of its parts."""
        names = {f"a{k}": f"a{r}_{k}" for k in range(len(self.states[r].starts))}
        names |= {f"b{k}": f"b{r}_{k}" for k in range(len(self.states[r].starts))}
        for line in lines:
            self.text.put(line.format(**names, v=value, position="position"))

    def open(
        self, arguments: list[str], across: bool, before: Callable[[], None] | None = None
    ) -> None:
        """Begin a kernel, up to where a thread takes the elements q of its position k."""
        self.text.put(f"def kernel({', '.join(arguments)}):")
        self.text.depth += 1
        for r, k, dtype, _ in self.parts:
            self.text.put(f"s{r}_{k} = cuda.shared.array({self.threads}, {memory_type(dtype)})")
        if before is not None:
            before()
        self.text.put("thread = wide(cuda.threadIdx.x)")
        fast, slow = ("part", "lane") if across else ("lane", "part")
        size = "parts" if across else "lanes"
        self.text.put(f"{fast}, {slow} = thread % {size}, thread // {size}")
        self.text.put("place = part * lanes + lane")
        self.text.put("first = wide(cuda.blockIdx.x) * lanes")
        self.text.put("while first < outer:")
        self.text.depth += 1
        self.text.put("k = first + lane")
        for r, k, dtype, start in self.parts:
            self.text.put(f"a{r}_{k} = {constant(Instr('const', (), dtype, (start,)))}")
        self.text.put("q = wide(cuda.blockIdx.y) * parts + part if k < outer else inner")

    def close(self, whole: bool) -> None:
        """End a kernel: join the states of a block, and leave results or states."""
        self._join_block()
        with self.text.block("if (part == 0) & (k < outer):"):
            self._leave(whole)
        self.text.put("cuda.syncthreads()")
        self.text.put("first += wide(cuda.gridDim.x) * lanes")

    def _join_block(self) -> None:
        for r, k, _, _ in self.parts:
            self.text.put(f"s{r}_{k}[place] = a{r}_{k}")
        self.text.put("cuda.syncthreads()")
        self.text.put("half = parts // 2")
        with self.text.block("while half > 0:"):
            with self.text.block("if part < half:"):
                self.text.put("other = place + half * lanes")
                for r, k, _, _ in self.parts:
                    self.text.put(f"b{r}_{k} = s{r}_{k}[other]")
                for r, state in enumerate(self.states):
                    self.put_lines(r, state.join)
                for r, k, _, _ in self.parts:
                    self.text.put(f"s{r}_{k}[place] = a{r}_{k}")
            self.text.put("cuda.syncthreads()")
            self.text.put("half = half // 2")

    def _leave(self, whole: bool) -> None:
        if not whole:
            for number, (r, k, _, _) in enumerate(self.parts):
                self.text.put(f"o{number}[wide(cuda.blockIdx.y) * outer + k] = a{r}_{k}")
            return
        number = 0
        for r, state in enumerate(self.states):
            names = {f"a{k}": f"a{r}_{k}" for k in range(len(state.starts))}
            for _, expression in state.results:
                self.text.put(f"o{number}[k] = {expression.format(**names)}")
                number += 1
