"""Frames in memory and pieces of datasets are sources."""

from __future__ import annotations

from gpuscale.dataframe.algorithms.columns import selected
from gpuscale.dataframe.nodes.source import FromFrame, PartitionValues, ReadPieces
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.stages import lowers
from gpuscale.io.frame_readers import FrameInMemory, PiecesReader, Values

__all__ = ["lower_from_frame", "lower_read_pieces", "lower_values"]


@lowers(FromFrame)
def lower_from_frame(node: FromFrame) -> Node:
    """Slice what is in memory."""
    data = node.data if node.columns is None else selected(node.data, node.columns)
    return Source(FrameInMemory(data, node.starts), node.meta)


@lowers(ReadPieces)
def lower_read_pieces(node: ReadPieces) -> Node:
    """Read a piece for each partition."""
    return Source(PiecesReader(node.pieces, node.columns, node.predicate), node.meta)


@lowers(PartitionValues)
def lower_values(node: PartitionValues) -> Node:
    """Hand out the values."""
    return Source(Values(node.values), node.meta)
