"""Rewrites of array expressions, one file per topic, all in the stage ``simplify``.

To add one: a function with ``@simplify_rules.rule(NodeType)`` that returns a replacement or
None, a sentence that says what it rewrites, and a test of its own.
"""

from gpuscale.array.rules import assigning as assigning
from gpuscale.array.rules import contraction as contraction
from gpuscale.array.rules import rechunk as rechunk
from gpuscale.array.rules import views as views
