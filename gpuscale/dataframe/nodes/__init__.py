"""Logical nodes of frames: what users asked for, before it is known how it will run.

Each has a lowering in ``dataframe/lower`` under the same file name. Rules look at `Project`,
`Filter` and `Assign`; all other work on single partitions is `Partwise`.
"""
