"""Halos around blocks: ``ga.overlap.overlap`` and what belongs to it."""

from gpuscale.array.api.overlap import map_overlap, overlap, trim_internal, trim_overlap

__all__ = ["map_overlap", "overlap", "trim_internal", "trim_overlap"]
