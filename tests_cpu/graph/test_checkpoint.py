"""Layout of checkpoints: what is kept is read, and nothing behind it has a task."""

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.run import graph_of


def test_tasks_behind_kept_blocks_are_gone(tmp_path):
    x = gs.checkpoint(ga.arange(8, chunks=2).cumsum(), tmp_path)
    before = graph_of(x)
    x[:4].compute()
    after = graph_of(x)
    assert len(before) > len(after)
    assert sum(not task.deps for task in after.values()) >= 2
    x.compute()
    assert all(not task.deps for task in graph_of(x).values()) and len(graph_of(x)) == 4
