"""Expressions: immutable nodes, the six physical nodes, rewriting, lowering and fusion.

========== =================================================================================
`node`     the immutable, interned node; `meta` is what is known of its result
`stages`   the stages of optimization, in order; `check` says what may exist after each
`rules`    rewrite rules, and the loop that applies them; `walk` and `reads` look at expressions
`physical` the six physical nodes; `kernels` are what a `Blockwise` does with its chunks, `plans`
           how an `Exchange` moves elements
`halving`  runs a kernel over parts of a block, where a device has no memory for all of it
`fuse`     merges what one task can do: `merge` programs, `coarsen` small blocks, `joins` joins;
           `regrid` moves rechunks
`moving`   brings blocks to another backend
`arrange`  the local part of a view, applied to a chunk; `locator` finds the chunks
`inside`   what the tasks of a node do, in the user's words
`detached` functions of tasks on their way to other processes
========== =================================================================================

May import base, chunks, backends, codegen and memory. Collections add logical nodes on their
own floor and register how each is lowered (`expr.stages.lowers`); nothing here knows them.

To add a rewrite: a function with ``@rules.rule(NodeType)`` in a rules file of the collection.
To add a physical node: think twice; fusion, projection, graph and engines know only these six.
"""
