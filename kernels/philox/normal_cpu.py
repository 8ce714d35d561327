"""Normal draws inside compiled loops, and whole rows of them: `fill(out, key0, key1, start)`."""

from . import normal
from .rows_cpu import fill_by_pairs, fill_by_quads

fill_normal = fill_by_pairs(normal.normal_pair, normal.normal)
fill_normal_float32 = fill_by_quads(normal.normal_quad_float32, normal.normal_float32)
