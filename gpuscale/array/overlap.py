"""Halos around blocks: ``ga.overlap.overlap`` and what belongs to it."""

from gpuscale.array.api.overlap import map_overlap, overlap, trim_internal, trim_overlap
from gpuscale.array.api.sliding import sliding_window_view

__all__ = ["map_overlap", "overlap", "sliding_window_view", "trim_internal", "trim_overlap"]
