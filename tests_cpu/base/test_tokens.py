"""Equal tokens exactly for equal meaning, in this process and in any other."""

import copy
import dataclasses
import datetime
import enum
import functools
import gc
import marshal
import subprocess
import sys
import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base import config, identities, tokens
from gpuscale.base.steady import Steady
from gpuscale.base.tokens import tokenize, tokenize_now
from gpuscale.futures.meaning import present


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: object


class Hooked:
    def __init__(self, value):
        self.value = value
        self.lock = threading.Lock()  # does not pickle

    def __gpuscale_tokenize__(self):
        return self.value


class Plain:
    def method(self):
        return 1


Pair = namedtuple("Pair", "a b")

# One of each kind, all of different meaning; several are equal to Python, as 1, 1.0 and True.
DISTINCT = [
    None,
    True,
    False,
    0,
    1,
    2**100,
    0.0,
    -0.0,
    1.0,
    float("nan"),
    float("inf"),
    1 + 0j,
    "",
    "a",
    b"a",
    bytearray(b"a"),
    (),
    (1,),
    (1, 2),
    (2, 1),
    ((1,), 2),
    [],
    [1],
    [1, 2],
    {},
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    OrderedDict(a=1, b=2),
    set(),
    {1, 2},
    frozenset({1, 2}),
    slice(None),
    slice(0, 5),
    slice(0, 5, 1),
    range(5),
    ...,
    (..., "slice", None, None, None),
    (..., "ellipsis"),
    np.dtype("f8"),
    np.dtype(">f8"),
    np.dtype("M8[ns]"),
    np.dtype("M8[s]"),
    np.dtype("U3"),
    np.dtype([("a", "i4"), ("b", "f8")]),
    np.dtype([("a", "i4"), ("c", "f8")]),
    np.dtypes.StringDType(),
    np.float64(1.0),
    np.float32(1.0),
    np.int64(1),
    np.bool_(True),
    np.str_("a"),
    np.datetime64("2020-01-01", "D"),
    np.datetime64("2020-01-01", "s"),
    Colour.RED,
    Colour.BLUE,
    Level.LOW,
    int,
    float,
    Colour,
    Plain,
    len,
    np.mean,
    np.add,
    np.sum,
    tokenize,
    functools.partial(np.sum, axis=0),
    functools.partial(np.sum, axis=1),
    Point(1, 2),
    Point(1, (2, 3)),
    Pair(1, 2),
    Hooked(1),
    Hooked(2),
    datetime.timedelta(days=1),
    datetime.datetime(2020, 1, 1),
    np.zeros(3),
    np.zeros(3, "f4"),
    np.zeros((3, 1)),
    np.zeros((1, 3)),
    np.array([0.0, -0.0, 0.0]),
    np.array([1, "a", None], dtype=object),
    np.array([1, "b", None], dtype=object),
    np.array(["a", "b"], dtype=np.dtypes.StringDType()),
    np.ma.masked_array([0.0, 0.0, 0.0], [True, False, False]),
    np.ma.masked_array([0.0, 0.0, 0.0], [False, False, False]),
]


def test_different_meanings_have_different_tokens():
    names = [tokenize(value) for value in DISTINCT]
    assert all(len(name) == 32 for name in names)
    again = [tokenize(value) for value in DISTINCT]
    assert names == again
    twins = {name: [v for v, n in zip(DISTINCT, names, strict=True) if n == name] for name in names}
    assert [values for values in twins.values() if len(values) > 1] == []


def test_operands_are_told_apart_from_one_tuple_of_them():
    assert tokenize(1, 2) != tokenize((1, 2))


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary()
VALUES = st.recursive(
    ATOMS | st.builds(slice, st.integers(), st.integers()) | st.sampled_from([np.dtype("i4"), len]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_tokens_are_equal_exactly_when_the_values_are_written_the_same(a, b):
    assert tokenize(a) == tokenize(a)
    assert (tokenize(a) == tokenize(b)) == (repr(a) == repr(b))


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers() | st.text(max_size=3), max_size=6), st.randoms())
def test_the_order_in_which_a_set_was_filled_does_not_matter(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert tokenize(set(shuffled)) == tokenize(values)


def fixed(x):
    x = x.copy(order="K")
    x.flags.writeable = False
    return x


class Holder:
    def __init__(self, x):
        self.x = x


CUBE = np.arange(24.0).reshape(2, 3, 4)
ORDERS = [CUBE, np.asfortranarray(CUBE), CUBE.transpose(1, 0, 2).copy().transpose(1, 0, 2)]
LAYOUTS = [
    ORDERS + [fixed(x) for x in ORDERS],
    [Holder(x) for x in ORDERS + [fixed(x) for x in ORDERS]],
    [np.ma.array(x) for x in ORDERS],
    [x.astype(object) for x in ORDERS],
]


@pytest.mark.parametrize("name", [tokenize, tokenize_now, present, Steady({}).token])
@pytest.mark.parametrize("layouts", LAYOUTS)
def test_what_code_can_see_of_a_layout_matters(name, layouts):
    made = [name(x) for x in layouts]
    assert len(set(made)) == len(layouts)
    assert made == [name(x) for x in layouts]
    assert made[:3] == [name(copy.deepcopy(x)) for x in layouts[:3]]


@pytest.mark.parametrize("name", [tokenize, tokenize_now, present])
def test_gaps_and_the_direction_of_steps_matter(name):
    x = np.arange(24).reshape(4, 6)
    for each in (x[::2, ::3], x[:, ::-1], x[:1, ::2], np.broadcast_to(7, (2, 3))):
        assert name(each) != name(each.copy())
        assert name(each) == name(each[...])


def test_metadata_of_a_dtype_matter():
    kinds = [np.dtype("i4"), *(np.dtype("i4", metadata={"unit": each}) for each in "ms")]
    assert len({tokenize(np.arange(3, dtype=kind)) for kind in kinds}) == 3
    assert tokenize(kinds[1]) == tokenize(np.dtype("i4", metadata={"unit": "m"}))


@pytest.mark.parametrize("name", [tokenize, tokenize_now, present])
def test_axes_of_one_element_do_not_matter(name):
    x = np.arange(24).reshape(4, 6)
    assert name(x[::-1][::-1]) == name(x)
    assert name(x[:1]) == name(x[:1].copy()) == name(x[:1].copy("F"))
    assert name(np.empty((0, 2))) == name(np.empty((0, 2), order="F"))
    y = x.copy()
    y[1, 1] = -1
    assert name(x) != name(y)


def test_a_large_array_is_known_by_identity_for_as_long_as_it_lives():
    gc.collect()
    large = np.zeros(tokens.ARRAY_CONTENT_LIMIT + 1, "u1")
    first = tokenize(large)
    assert tokenize(large) == first
    assert tokenize(large.copy()) != first
    before = len(identities._identities)
    del large
    gc.collect()
    assert len(identities._identities) == before - 1


@pytest.mark.parametrize("n_bytes", [2**20 + 1, 2**22, 2**22 + 1, 2**25 + 3])
def test_a_token_of_now_reads_arrays_of_any_size(n_bytes):
    large = np.zeros(n_bytes, "u1")
    first = tokenize_now(large)
    assert tokenize_now(large.copy()) == tokenize_now([large][0]) == first
    assert tokenize_now(large[:-1]) != first
    for place in (0, n_bytes // 2, -1):
        large[place] = 1
        assert tokenize_now(large) != first
        large[place] = 0
    assert tokenize_now(large) == first
    large[2**20], large[0] = 0, 1
    moved = tokenize_now(large)
    large[2**20], large[0] = 1, 0
    assert tokenize_now(large) != moved


def test_a_token_of_now_does_not_depend_on_the_number_of_threads():
    large = np.arange(2**23)
    with config.set(num_workers=1):
        one = tokenize_now(large)
    with config.set(num_workers=3):
        assert tokenize_now(large) == one


def test_what_cannot_be_told_from_others_is_new_now():
    lock = threading.Lock()
    assert tokenize(lock) == tokenize(lock)
    assert len({tokenize_now(lock), tokenize_now(lock), tokenize(lock)}) == 3


def test_what_is_known_by_identity_is_told():
    large = np.zeros(tokens.ARRAY_CONTENT_LIMIT + 1, "u1")
    assert tokens.is_by_identity(1, {"x": [large]})
    assert tokens.is_by_identity(functools.partial(len, threading.Lock()))
    assert not tokens.is_by_identity(1, large[:-1], [len], {"x": Point})


def test_what_is_written_to_a_map_is_seen_now(tmp_path):
    mapped = np.memmap(tmp_path / "x", "u1", "w+", shape=2**21)
    before = tokenize_now(mapped)
    assert tokenize_now(mapped) == before
    mapped[7] = 1
    assert tokenize_now(mapped) != before


def test_what_neither_pickles_nor_can_be_watched_is_never_taken_for_another():
    class Slotted:
        __slots__ = ()

        def __reduce__(self):
            raise TypeError("no")

    thing = Slotted()
    before = len(identities._identities)
    first = tokenize(thing)
    assert tokenize(thing) != first
    assert len(identities._identities) == before
    lock = threading.Lock()
    assert tokenize(lock) == tokenize(lock) != tokenize(threading.Lock())


def test_functions_of_modules_by_name_others_by_content():
    def make(n):
        return lambda x: x + n

    assert tokenize(make(1)) == tokenize(make(1)) != tokenize(make(2))
    assert tokenize(lambda x: x + 1) != tokenize(lambda x: x + 2)
    one = Plain()
    assert tokenize(one.method) == tokenize(one.method) != tokenize(Plain.method)


def test_cached_functions_by_what_they_call(monkeypatch):
    def make(n):
        return functools.lru_cache(lambda x: x + n)

    assert tokenize(make(1)) == tokenize(make(1)) != tokenize(make(2))
    found = []
    for k in (1, 2):
        names = {"__name__": "__main__"}
        exec(f"import functools\n@functools.cache\ndef f(x): return x + {k}", names)
        monkeypatch.setattr(sys.modules["__main__"], "f", names["f"], raising=False)
        found.append({tokenize(names["f"]), tokenize(lambda x, f=names["f"]: f(x))})
    assert not found[0] & found[1]


def test_attributes_of_arrays_count():
    class Noted(np.ndarray):
        pass

    noted = np.ones(3).view(Noted)
    noted.note = 1
    before = tokenize(noted)
    assert tokenize(noted) == before
    noted.note = 2
    assert tokenize(noted) != before


def test_memory_maps_by_file_place_and_time(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(4096.0))
    x = np.load(path, mmap_mode="r")
    again = np.load(path, mmap_mode="r")
    assert tokenize(x) == tokenize(again)
    assert tokenize(x[10:20]) == tokenize(again[5:][5:15])
    assert tokenize(x[10:20]) != tokenize(x[11:21])
    assert tokenize(x[10:20]) != tokenize(x[10:20:1][::-1])
    assert tokenize(x + 0) != tokenize(x)
    before = tokenize(x)
    np.save(path, np.arange(4097.0))
    assert tokenize(np.load(path, mmap_mode="r")[:4096]) != before


def test_private_memory_maps_are_known_by_their_content(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(8))
    x = np.load(path, mmap_mode="c")
    before = tokenize(x)
    x[0] = 1
    assert tokenize(x) != before


SCRIPT = """
import enum, numpy as np
from gpuscale.base.tokens import tokenize
print(tokenize(
    (1, "a", -0.0, float("nan"), None), {"x": {"p", "q", "r"}, "y": slice(3)}, np.dtype("f4"),
    np.arange(5), np.float32(2), np.mean, len, lambda x: x + 1, ..., {1.5, 2.5},
))
"""


@pytest.mark.parametrize("seeds", [("0", "1")])
def test_the_same_in_every_process(seeds, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    seen = {
        subprocess.run(
            [sys.executable, str(script)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in seeds
    }
    assert len(seen) == 1


def test_a_library_can_add_its_row():
    class Table:
        pass

    tokens.normalize_token.register(Table)(lambda value: "table")
    assert tokenize(Table()) == tokenize("table")


def test_sets_are_equal_in_any_order_and_apart_from_all_others():
    texts, numbers = [f"text {k}" for k in range(100)], range(0, 10_000, 97)
    assert tokenize(set(texts)) == tokenize({*texts[50:], *texts[:50]})
    assert tokenize(set(numbers)) == tokenize({*numbers[50:], *numbers[:50]})
    written = {marshal.dumps(1, 2), marshal.dumps("2", 2)}
    apart = [
        {1, 2}, frozenset({1, 2}), {1.0, 2.0}, {"1", "2"}, {b"1", b"2"}, {1, "2"}, {True, 2}, {1},
        {True}, {1.0}, {"1"}, {b"1"}, {(1,)}, set(), frozenset(), [1, 2], written,
        {-1, 2}, {10, 2}, {"a", "b"}, {"ab"},
    ]  # fmt: skip
    assert len({tokenize(each) for each in apart}) == len(apart)
