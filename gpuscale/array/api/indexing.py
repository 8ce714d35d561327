"""Indexing: what stands between the brackets of an array, of ``x.vindex`` and ``x.blocks``."""

from gpuscale.array.api.getitem import getitem
from gpuscale.array.api.indexers import BlockIndexer, FlatIndexer, PointIndexer
from gpuscale.array.api.setitem import setitem

__all__ = ["BlockIndexer", "FlatIndexer", "PointIndexer", "getitem", "setitem"]
