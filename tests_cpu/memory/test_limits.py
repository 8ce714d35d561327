import os

import pytest

from gpuscale.base import config
from gpuscale.base.errors import ConfigError
from gpuscale.memory import limits
from gpuscale.memory.limits import (
    cgroup_limit,
    memory_limit,
    parse_bytes,
    total_memory,
)

GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "nbytes"),
    [("auto", 800), ("0.8", 800), (0.25, 250), (1.0, 1000), ("1.0", 1000), ("50 %", 500)],
)
def test_fractions_of_the_memory(text, nbytes, monkeypatch):
    assert parse_bytes(text, total=1000) == nbytes
    monkeypatch.setattr(limits, "total_memory", lambda: 2000)
    assert parse_bytes(text) == 2 * nbytes


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
    with pytest.raises(ConfigError, match=f"option {key}.*plenty"):
        config.set({key: "plenty"})


def test_chunks_fit_where_they_lie():
    limits_ = {"memory-limit": 3200, "device-memory-limit": 1600, "array.chunk-size": 1000}
    with config.set(limits_):
        assert limits.chunk_bytes("numpy") == 200
        assert limits.chunk_bytes("cupy") == 100
        with config.set({"device-memory-limit": 6400}):
            assert limits.chunk_bytes("cupy") == 200, "what leaves the device goes to the host"
        with config.set({"device-memory-limit": 0.5}):
            assert limits.chunk_bytes("cupy") == 200  # no device is in use: half of what?


def test_chunks_for_workers_are_for_the_share_of_a_thread():
    with config.set({"array.chunk-size": 1000}), limits.within_workers(3200, n_threads=4):
        assert limits.chunk_bytes("numpy") == 50
        assert limits.thread_share() == 800
