"""What tests of gpuscale and of its plugins stand on; shipped, but never imported by the library.

`equality` compares results with NumPy's, `strategies` draws arrays and chunks for Hypothesis,
`masks` masked arrays, `indices` what may stand between brackets, `refusing` is an engine that
raises when anything computes, which proves laziness, `memory` compares tasks with what they were
projected to take.
"""

from gpuscale.testing.equality import assert_eq
from gpuscale.testing.refusing import RefusingEngine, nothing_computes

__all__ = ["RefusingEngine", "assert_eq", "nothing_computes"]
