"""Elementwise work becomes a program of one operation over broadcast loads."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.chunks.views import broadcast_to
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.kernels import ProgramKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.stages import lowers

__all__ = ["lower_elementwise"]


@lowers(Elementwise)
def lower_elementwise(node: Elementwise) -> Node:
    """Load every input, apply the operation."""
    kernel = _kernel(node.op, tuple(x.meta.dtype for x in node.inputs), node.dtype)
    inputs = tuple(
        BlockInput(x, view=broadcast_to(x.meta.shape, node.meta.shape)) for x in node.inputs
    )
    return Blockwise(kernel, inputs, node.meta.chunks, node.meta)


@lru_cache(maxsize=1024)
def _kernel(op: str, given: tuple[np.dtype[Any], ...], wanted: np.dtype[Any]) -> ProgramKernel:
    """Programs of one operation are few, and used again and again."""
    builder = ProgramBuilder()
    values = [builder.load(k, dtype) for k, dtype in enumerate(given)]
    program = builder.build(builder.apply(op, *values, dtype=wanted))
    return ProgramKernel(program, label=op)
