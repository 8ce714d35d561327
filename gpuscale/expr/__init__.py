"""Expressions: immutable nodes, the six physical nodes, rewriting, lowering and fusion.

May import base, chunks, backends, codegen and memory. Collections add logical nodes on their
own floor and register how each is lowered (`expr.stages.lowers`); nothing here knows them.

To add a rewrite: a function with ``@rules.rule(NodeType)`` in a rules file of the collection.
To add a physical node: think twice; fusion, projection, graph and engines know only these six.
"""
