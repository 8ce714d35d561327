"""Chunk arithmetic: where blocks begin and end, and which block feeds which.

What lives here: pure functions and small frozen dataclasses over ints and tuples, one idea a
file. Nothing here holds data; the same plan serves every backend and engine.

=============== ============================================================================
`normalize`     what a user says about chunks -> sizes per block per axis
`autosize`      the block shape for a budget of bytes
`axes`          axis numbers, checked
`blocks`        offsets, block of a position, walking over a grid, regrouping sizes
`broadcast`     one shape and one grid for operands of several
`views`         affine views: slices, transposes, broadcasts, diagonals; who reads which block
`slicing`       NumPy's basic indices -> a view
`rechunk`       from one grid to another in steps of bounded memory
`reshape`       grids that let every block reshape on its own
`overlap`       halos around blocks
`take`          one integer index array on one axis; `points` several axes at once
`levels`        everything moves between blocks, in few steps that read few results
`sampling`      how dense a sample has to be
=============== ============================================================================

May import: `gpuscale.base`, its own files, and of NumPy the exception types (and arrays where an
index array is the input: `take`).

To add to it: one new file with one idea, numpydoc docstrings with doctests, a property test in
``tests_cpu/chunks`` with NumPy as the oracle.
"""
