"""Rewrites of expressions of frames, one file per topic, all in the stage ``simplify``.

They are passes over all roots, since who else reads a file decides what is read of it. Rows are
chosen before columns are, so that columns which a file compares by itself need not leave it; what
is shuffled is known after both, and then who reads texts.
"""

from gpuscale.dataframe.rules import predicates as predicates
from gpuscale.dataframe.rules import projection as projection
from gpuscale.dataframe.rules import ranges as ranges
from gpuscale.dataframe.rules import repeats as repeats
from gpuscale.dataframe.rules import semijoins as semijoins
from gpuscale.dataframe.rules import texts as texts
