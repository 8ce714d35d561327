"""Uniform draws inside compiled loops, and whole rows of them: `fill(out, key0, key1, start)`."""

from . import uniform
from .rows_cpu import fill_by_pairs, fill_by_quads

fill_uniform = fill_by_pairs(uniform.uniform_pair, uniform.uniform)
fill_open_uniform = fill_by_pairs(uniform.open_uniform_pair, uniform.open_uniform)
fill_uniform_float32 = fill_by_quads(uniform.uniform_quad_float32, uniform.uniform_float32)
