"""Fifty computations of all kinds leave nothing behind; `benchmarks.soak` does a thousand."""

import sys
from dataclasses import replace

import pytest

from benchmarks.soak import KINDS, Left, leaks, soak, watched
from gpuscale.base import config


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_nothing_is_left_behind():
    kinds = [kind for kind in KINDS if kind is not watched]  # which takes long
    with config.set({"codegen.enabled": False}):
        soak(2 * len(kinds), kinds)  # fills the caches
        before, after, seconds = soak(50, kinds)
    assert leaks(before, after) == []
    assert all(seconds.values())


def test_leaks_are_told():
    before = Left(1, 5, 0, 1000, 10**6)
    after = replace(before, files=6, objects=1500)
    assert leaks(before, after) == ["files: 5 -> 6"]
