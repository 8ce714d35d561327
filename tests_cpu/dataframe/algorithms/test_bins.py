"""Rows of bins whose labels are their bounds are found as pandas counts them."""

import itertools

import numpy as np
import pandas as pd
import pytest

from gpuscale.dataframe.algorithms.bins import Bins

SECONDS = np.array([0, 5, 5, 60, 3600, 3601, 7199, 7200, 90000, 90001])


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_numbers_of_rows_are_those_of_pandas(side, zone):
    start = 1774731600  # the night when clocks of Berlin go forward
    times = pd.to_datetime(SECONDS + start, unit="s", utc=True).tz_convert(zone)
    given = itertools.product(["7s", "1h", "90min"], ["start", "epoch", "start_day"], [None, "17s"])
    for rule, origin, offset in given:
        options = {"closed": side, "label": side, "origin": origin, "offset": offset}
        bins = Bins(rule, tuple(options.items()), times[0], times[-1], times[:0])
        for part in (times, times[2:7]):
            (labels, numbers), (expected, counted) = bins._bounded(part), bins._counted(part)
            pd.testing.assert_index_equal(labels, expected)
            np.testing.assert_array_equal(numbers, counted)


@pytest.mark.parametrize(("rule", "closed"), [("1D", "left"), ("ME", "right"), ("1h", "right")])
def test_other_labels_are_no_bounds(rule, closed):
    times = pd.date_range("2026-01-01", periods=4, freq="h")
    assert Bins(rule, (("closed", closed),), times[0], times[-1], times[:0])._bounded(times) is None
