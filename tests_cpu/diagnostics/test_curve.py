import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.diagnostics.curve import Curve, add_curves, memory_curve

TASK = st.tuples(*(st.integers(0, 20),) * 3, *(st.integers(0, 100),) * 2)


def level(curve, column, when):
    """What a curve says about a moment."""
    place = np.searchsorted(curve.time, when, side="right") - 1
    return int(getattr(curve, column)[place]) if place >= 0 else 0


@given(st.lists(TASK, min_size=1, max_size=20))
def test_a_curve_is_the_sum_over_tasks_at_every_moment(tasks):
    start, running, held, nbytes, needs = (np.array(c) for c in zip(*tasks, strict=True))
    stop = start + running
    freed = (stop + held).astype(float)
    rows = {"start": start.astype(float), "stop": stop.astype(float), "nbytes": nbytes}
    curve = memory_curve(rows, needs, freed)
    for when in np.arange(0, 62, 0.5):
        alive = nbytes[(stop <= when) & (when < freed)].sum()
        reserved = needs[(start <= when) & (when < stop)].sum()
        assert level(curve, "alive", when) == alive
        assert level(curve, "reserved", when) == reserved
    assert curve.used[-1] == 0


def test_thinning_keeps_the_ends_and_the_highest():
    time = np.linspace(0.0, 9.0, 100_000)
    alive = np.random.default_rng(0).integers(0, 1000, 100_000)
    alive[54_321] = 5000
    curve = Curve(time, alive, 0 * alive).thinned(300)
    assert len(curve.time) <= 303
    assert curve.time[0] == 0.0 and curve.time[-1] == 9.0
    assert curve.alive.max() == 5000
    assert (np.diff(curve.time) > 0).all()


def test_nothing():
    assert len(add_curves([]).time) == 0
    none, no_bytes = np.zeros(0), np.zeros(0, dtype=int)
    rows = {"start": none, "stop": none, "nbytes": no_bytes}
    curve = memory_curve(rows, no_bytes, none)
    assert len(curve.used) == 0
