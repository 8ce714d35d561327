"""``fake_frames``: the module that stands for ``cudf``."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd

from gpuscale.backends.frame_ops import register_device_frames
from gpuscale.backends.seams import to_host
from gpuscale.testing.fake_device import frames
from gpuscale.testing.fake_device.frame_files import READERS
from gpuscale.testing.fake_device.frames import Frame, given, nbytes_of, taken
from gpuscale.testing.fake_device.transfers import TRANSFERS

__all__ = ["fake_frames", "register_rows"]

_FUNCTIONS = (
    *("concat", "crosstab", "cut", "date_range", "factorize", "get_dummies", "interval_range"),
    *("melt", "merge", "pivot", "pivot_table", "to_datetime", "to_numeric", "unique"),
)
"""Functions that cuDF has of those of pandas."""


def from_pandas(data: Any) -> Any:
    """Copy an object of pandas to the device."""
    TRANSFERS.count("from_pandas", nbytes_of(data))
    return given(data.copy())


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return given(function(*map(taken, args), **taken(kwargs)))

    call.__name__ = function.__name__
    return call


def concat(objs: Any, **options: Any) -> Any:
    """Put frames, series, or indexes together."""
    first, *rest = (taken(each) for each in objs)
    if isinstance(first, pd.Index):
        return given(first.append(rest))
    return given(pd.concat([first, *rest], **options))


def register_rows(name: str) -> None:
    """Register the rows of the seams, the same as those of cuDF."""
    register_device_frames((Frame,), fake_frames, name)
    to_host.register(Frame)(lambda data: data.to_pandas())


fake_frames = SimpleNamespace(
    **{name: _lifted(getattr(pd, name)) for name in _FUNCTIONS if name != "concat"},
    **READERS,
    concat=concat,
    from_pandas=from_pandas,
    CategoricalDtype=pd.CategoricalDtype,
    DataFrame=frames.DataFrame,
    Index=frames.Index,
    MultiIndex=frames.MultiIndex,
    NA=pd.NA,
    NaT=pd.NaT,
    RangeIndex=frames.RangeIndex,
    Series=frames.Series,
    __name__="gpuscale.testing.fake_device.frame_namespace",
)
"""What cuDF has, as far as gpuscale asks for it."""
