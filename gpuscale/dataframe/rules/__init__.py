"""Rewrites of expressions of frames, one file per topic, all in the stage ``simplify``.

They are passes over all roots, since who else reads a file decides what is read of it; this is the
table of them, in their order. What memory decides comes before all else. Rows are chosen before
columns are, so that columns which a file compares by itself need not leave it; what is shuffled is
known after both, and then who reads texts. Operators are told apart by all of these, and put
together in the end.
"""

from gpuscale.dataframe.rules.arithmetic import compute_together
from gpuscale.dataframe.rules.by_memory import plan_by_memory
from gpuscale.dataframe.rules.filters import filter_below
from gpuscale.dataframe.rules.joined import merge_wanted
from gpuscale.dataframe.rules.orders import drop_sorts
from gpuscale.dataframe.rules.places import stay_in_place
from gpuscale.dataframe.rules.predicates import filter_early
from gpuscale.dataframe.rules.projection import project_early
from gpuscale.dataframe.rules.ranges import merge_in_order
from gpuscale.dataframe.rules.repeats import group_distinct_in_order
from gpuscale.dataframe.rules.semijoins import shuffle_known_keys
from gpuscale.dataframe.rules.texts import encode_keys
from gpuscale.expr.stages import simplify_rules

__all__ = ["PASSES"]

PASSES = (
    plan_by_memory,
    drop_sorts,
    filter_below,
    filter_early,
    project_early,
    merge_in_order,
    group_distinct_in_order,
    shuffle_known_keys,
    stay_in_place,
    merge_wanted,
    encode_keys,
    compute_together,
)

for each in PASSES:
    simplify_rules.first(each)
