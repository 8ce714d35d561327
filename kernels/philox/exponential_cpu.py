"""Exponential draws inside compiled loops, and whole rows: `fill(out, key0, key1, start)`."""

from . import exponential
from .rows_cpu import fill_by_pairs, fill_by_quads

fill_exponential = fill_by_pairs(exponential.exponential_pair, exponential.exponential)
fill_exponential_float32 = fill_by_quads(
    exponential.exponential_quad_float32, exponential.exponential_float32
)
