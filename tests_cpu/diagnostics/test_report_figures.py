import math
from types import SimpleNamespace

from gpuscale.diagnostics.report_figures import limit_steps


def run(begin, end, budget):
    return SimpleNamespace(begin=begin, end=end, budget=budget)


def segments(runs):
    time, limit = limit_steps([(each, each.budget) for each in runs], 10.0)
    assert len(time) == len(limit) == 3 * (len(time) // 3)
    assert all(math.isnan(gap) for gap in limit[2::3])
    return list(zip(time[::3], time[1::3], limit[::3], limit[1::3], strict=True))


def test_each_run_has_its_own_limit_while_it_lasts():
    runs = [run(10, 11, 5.0), run(12, 14, 7.0)]
    assert segments(runs) == [(0, 1, 5.0, 5.0), (2, 4, 7.0, 7.0)]


def test_runs_at_the_same_time_with_one_limit_share_a_line():
    runs = [run(10, 13, 5.0), run(11, 12, 5.0), run(12, 15, 5.0), run(16, 17, 5.0)]
    assert segments(runs) == [(0, 5, 5.0, 5.0), (6, 7, 5.0, 5.0)]


def test_runs_at_the_same_time_with_other_limits():
    runs = [run(10, 13, 5.0), run(11, 12, 4.0)]
    assert segments(runs) == [(1, 2, 4.0, 4.0), (0, 3, 5.0, 5.0)]


def test_no_runs():
    assert limit_steps([], 0.0) == ([], [])
