"""The result that is needed latest is found, whatever changes meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from gpuscale.engines.latest import Latest

NUMBERS = st.integers(0, 8)
TURNS = st.none() | st.integers(-5, 5) | st.just(float("inf"))


@given(st.lists(st.tuples(NUMBERS, TURNS, st.sets(NUMBERS)), max_size=60))
def test_it_finds_what_a_look_at_all_finds(changes):
    turns = {0: 3, 1: None}
    latest = Latest(turns)
    for number, turn, spared in changes:
        before = turns.get(number)
        turns[number] = turn
        if turn is not None and (before is None or turn > before):
            latest.changed.add(number)  # nobody need tell of the others
        found = [(t, n) for n, t in turns.items() if t is not None and n not in spared]
        assert latest.find(turns.get, spared) == max(found, default=(0.0, None))
        if latest.is_empty(turns.get):
            assert all(t is None for t in turns.values())


def test_old_entries_do_not_pile_up():
    turns = dict.fromkeys(range(10), 0)
    latest = Latest(turns)
    for turn in range(1_000):
        for number in turns:
            turns[number] = turn
        latest.changed.update(turns)
        assert latest.find(turns.get) == (turn, 9)
    assert len(latest._heap) < 200
