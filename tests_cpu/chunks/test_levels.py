from hypothesis import given
from hypothesis import strategies as st

from gpuscale.chunks.levels import plan_levels

MANY = st.integers(1, 400)


@given(MANY, MANY, st.integers(2, 20))
def test_each_level_holds_every_run_and_every_part_once(runs, parts, most):
    levels = plan_levels(runs, parts, most)
    for level in range(levels.depth + 1):
        groups = [levels.members(level, k) for k in range(levels.groups(level))]
        assert sorted(run for group in groups for run in group) == list(range(runs))
        branches = range(-(-parts // levels.width(level)))
        leaves = [part for k in branches for part in levels.leaves(level, k)]
        assert leaves == list(range(parts))
    assert (levels.groups(0), levels.groups(levels.depth)) == (runs, 1)
    assert levels.width(0) >= parts and levels.width(levels.depth) == 1


@given(MANY, MANY, st.integers(2, 20))
def test_groups_grow_out_of_few_groups(runs, parts, most):
    levels = plan_levels(runs, parts, most)
    for level in range(1, levels.depth + 1):
        for group in range(levels.groups(level)):
            merged = levels.merged(level, group)
            assert 1 <= len(merged) <= most
            found = sorted(run for each in merged for run in levels.members(level - 1, each))
            assert found == list(levels.members(level, group))
    assert levels.fan_out <= most
