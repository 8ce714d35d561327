"""Logical nodes of arrays: what users asked for, before it is known how it will run.

There are few: elementwise work, functions of the index, affine views, reductions and rechunking.
Everything else builds physical nodes directly, since nothing could be rewritten about it.
Each has a lowering in ``array/lower`` under the same file name.
"""
