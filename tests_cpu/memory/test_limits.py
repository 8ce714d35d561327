import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.memory import limits
from gpuscale.memory.limits import (
    cgroup_limit,
    chunk_bytes,
    memory_limit,
    parse_bytes,
    total_memory,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [
        (0, 0),
        (123, 123),
        (1e9, 10**9),
        ("123", 123),
        ("1e9", 10**9),
        ("5 B", 5),
        ("1kB", 1000),
        ("1 KiB", 1024),
        ("500MB", 500 * 10**6),
        ("500 m", 500 * 10**6),
        ("1GiB", GIB),
        (" 1.5 gib ", 3 * GIB // 2),
        ("2Ti", 2048 * GIB),
        ("0.5 KB", 500),
        ("1", 1),
        (1, 1),
    ],
)
def test_sizes(text, nbytes):
    assert parse_bytes(text) == nbytes


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [("auto", 800), ("0.8", 800), (0.25, 250), (1.0, 1000), ("1.0", 1000), ("50 %", 500)],
)
def test_fractions_of_the_memory(text, nbytes, monkeypatch):
    assert parse_bytes(text, total=1000) == nbytes
    monkeypatch.setattr(limits, "total_memory", lambda: 2000)
    assert parse_bytes(text) == 2 * nbytes


@given(st.integers(0, 10**15))
def test_any_number_of_bytes_is_itself(n):
    assert parse_bytes(n) == parse_bytes(str(n)) == parse_bytes(f"{n} B") == n


@pytest.mark.parametrize("text", ["", "GiB", "1 XB", "1 2", "-1 GiB", "1.2.3", "1..2 MB", "x %"])
def test_texts_that_are_no_size(text):
    with pytest.raises(ValueError, match="cannot read .* as a size"):
        parse_bytes(text)


@pytest.mark.parametrize("number", [-1, -0.5, float("inf"), float("nan")])
def test_numbers_that_are_no_size(number):
    with pytest.raises(ValueError, match="cannot be"):
        parse_bytes(number)


@pytest.mark.parametrize("number", [1.5, "1.5", 1000.25, "2.5e0"])
def test_bytes_are_whole(number):
    with pytest.raises(ValueError, match=r"not a whole number of bytes.*at most 1"):
        parse_bytes(number)


def test_the_limit_is_an_option():
    with config.set({"memory-limit": "3 GiB"}):
        assert memory_limit() == 3 * GIB
    with config.set({"memory-limit": "auto"}):
        assert memory_limit() == int(0.8 * total_memory())


def test_total_memory_is_at_most_the_machines():
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < total_memory() <= machine


def groups(tmp_path, lines, **limits):
    """A process in the groups of `lines`, and the files that limit them."""
    (tmp_path / "cgroup").write_text("\n".join(lines) + "\n")
    for name, text in limits.items():
        file = tmp_path / "fs" / name.replace("__", "/").replace("_D_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return cgroup_limit(str(tmp_path / "cgroup"), str(tmp_path / "fs"))


def test_version_2(tmp_path):
    assert groups(tmp_path, ["0::/a/b"], a__b__memory_D_max="4096\n") == 4096


def test_version_2_takes_the_smallest_on_the_way_up(tmp_path):
    found = groups(tmp_path, ["0::/a/b"], a__b__memory_D_max="max\n", a__memory_D_max="100\n",
                   memory_D_max="200\n")  # fmt: skip
    assert found == 100


def test_version_1(tmp_path):
    lines = ["5:cpu,cpuacct:/x", "4:memory:/a"]
    assert groups(tmp_path, lines, memory__a__memory_D_limit_in_bytes="777\n") == 777


def test_a_container_sees_its_own_group_as_the_root(tmp_path):
    lines = ["4:memory:/docker/0123"]
    assert groups(tmp_path, lines, memory__memory_D_limit_in_bytes="777\n") == 777


def test_no_limit(tmp_path):
    unlimited = "9223372036854771712\n"
    lines = ["4:memory:/", "0::/"]
    assert groups(tmp_path, lines, memory__memory_D_limit_in_bytes=unlimited) is None
    assert cgroup_limit(str(tmp_path / "nothing"), str(tmp_path)) is None
    assert groups(tmp_path, ["0::/"], memory_D_max="max\n") is None


@pytest.mark.parametrize("key", ["memory-limit", "array.chunk-size"])
def test_what_cannot_be_read_is_an_error_of_the_option(key):
    with config.set({key: "plenty"}), pytest.raises(ConfigError, match=f"option {key}.*plenty"):
        chunk_bytes()
