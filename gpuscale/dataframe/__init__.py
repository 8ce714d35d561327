"""Frames of partitions with the interface of pandas: lazy, fused, out of core.

May import everything below; nothing below imports it. `frame`, `series`, `index` and `scalar` are
the classes users hold, ``api`` the public functions by chapter, ``nodes`` what they mean, ``lower``
and ``rules`` how that becomes physical nodes, ``algorithms`` pure functions on objects of pandas.
"""

from typing import Any

# What a frame's methods are given, and the elements that frames have, are those of pandas.
from pandas import NA as NA
from pandas import ArrowDtype as ArrowDtype
from pandas import Categorical as Categorical
from pandas import CategoricalDtype as CategoricalDtype
from pandas import DateOffset as DateOffset
from pandas import DatetimeTZDtype as DatetimeTZDtype
from pandas import Grouper as Grouper
from pandas import IndexSlice as IndexSlice
from pandas import Interval as Interval
from pandas import NamedAgg as NamedAgg
from pandas import NaT as NaT
from pandas import Period as Period
from pandas import StringDtype as StringDtype
from pandas import Timedelta as Timedelta
from pandas import Timestamp as Timestamp
from pandas import date_range as date_range
from pandas import offsets as offsets
from pandas import period_range as period_range
from pandas import timedelta_range as timedelta_range

from gpuscale.dataframe import lower as lower
from gpuscale.dataframe import rules as rules
from gpuscale.dataframe.accessors import CategoricalAccessor as CategoricalAccessor
from gpuscale.dataframe.accessors import DatetimeAccessor as DatetimeAccessor
from gpuscale.dataframe.accessors import StringAccessor as StringAccessor
from gpuscale.dataframe.algorithms.aggregation import Aggregation as Aggregation
from gpuscale.dataframe.api.binning import *
from gpuscale.dataframe.api.bridges import *
from gpuscale.dataframe.api.converting import *
from gpuscale.dataframe.api.creating import *
from gpuscale.dataframe.api.crossing import *
from gpuscale.dataframe.api.databases import *
from gpuscale.dataframe.api.hdf import *
from gpuscale.dataframe.api.joining import *
from gpuscale.dataframe.api.making import *
from gpuscale.dataframe.api.merging import *
from gpuscale.dataframe.api.neighbours import *
from gpuscale.dataframe.api.partitions import *
from gpuscale.dataframe.api.pivoting import *
from gpuscale.dataframe.api.reading import *
from gpuscale.dataframe.api.repartition import *
from gpuscale.dataframe.api.writing import *
from gpuscale.dataframe.frame import DataFrame as DataFrame
from gpuscale.dataframe.groupby import DataFrameGroupBy as DataFrameGroupBy
from gpuscale.dataframe.groupby import SeriesGroupBy as SeriesGroupBy
from gpuscale.dataframe.growing import Expanding as Expanding
from gpuscale.dataframe.growing import ExponentialMovingWindow as ExponentialMovingWindow
from gpuscale.dataframe.index import Index as Index
from gpuscale.dataframe.resampling import Resampler as Resampler
from gpuscale.dataframe.rolling import Rolling as Rolling
from gpuscale.dataframe.scalar import Scalar as Scalar
from gpuscale.dataframe.series import Series as Series
from gpuscale.memory import freed as _freed
from gpuscale.run import compute as compute

_freed.keep_freed_columns()  # here: whoever has tasks of frames has imported this, a worker as well


def __getattr__(name: str) -> Any:
    from gpuscale.dataframe.elsewhere import advice_of_functions

    functions = [own for own, each in globals().items() if callable(each)]
    hint = advice_of_functions(name, functions)
    raise AttributeError(f"module 'gpuscale.dataframe' has no attribute {name!r}{hint}")
