"""How often nodes are looked at while programs are merged."""

import numpy as np

import gpuscale.array as ga
from gpuscale.expr import merge
from gpuscale.expr.physical import Blockwise
from gpuscale.expr.walk import toposort
from gpuscale.run import optimize


def test_what_did_not_change_is_not_looked_at_again(monkeypatch):
    looked_at = []
    original = merge._source

    def noted(node, each, source):
        looked_at.append(node)
        return original(node, each, source)

    a = b = ga.from_array(np.arange(10.0), chunks=5)
    for _ in range(300):  # each is read by the two that follow, until these are one kernel
        a, b = b, (a + b) * 0.5
    monkeypatch.setattr(merge, "_source", noted)
    (y,) = optimize(b)
    kernels = [n for n in toposort([y.expr]) if isinstance(n, Blockwise)]
    assert max(len(n.kernel.program.instrs) for n in kernels) > 100
    assert len(looked_at) < 10 * 2 * 300  # of two operations each, with two inputs


def test_program_that_one_reader_takes_over_is_not_written_anew(monkeypatch):
    written = []
    original = merge._Program._copy

    def noted(self, program, *rest):
        written.extend(program.instrs)
        return original(self, program, *rest)

    x = ga.from_array(np.arange(10.0), chunks=5)
    for k in range(500):
        x = x + k * 0.5
    monkeypatch.setattr(merge._Program, "_copy", noted)
    optimize(x)
    assert len(written) < 6 * 500
