"""The row of the nearest class wins; what has no row says so."""

import collections
import decimal
import fractions

import pytest

from gpuscale.base.dispatch import Dispatch
from gpuscale.base.errors import NotSupportedError


def test_the_nearest_class_in_the_mro_wins():
    kind = Dispatch("kind")
    kind.register(object)(lambda data: "object")
    kind.register(dict)(lambda data: "dict")
    assert kind({}) == kind(collections.OrderedDict()) == "dict"
    assert kind(1) == "object"


def test_a_row_registered_later_is_seen_by_types_asked_before():
    kind = Dispatch("kind")
    kind.register(int)(lambda data: "int")
    assert kind(True) == "int"
    kind.register(bool)(lambda data: "bool")
    assert kind(True) == "bool"


def test_arguments_are_passed_on():
    scale = Dispatch("scale")
    scale.register(list)(lambda data, factor, *, plus: [x * factor + plus for x in data])
    assert scale([1, 2], 3, plus=1) == [4, 7]


def test_a_lazy_library_is_loaded_once_and_only_for_its_own_objects():
    loaded = []
    show = Dispatch("show")
    show.register(int)(str)

    @show.register_lazy("decimal")
    def load():
        loaded.append("decimal")
        show.register(decimal.Decimal)(lambda data: f"D{data}")

    assert show(1) == "1"
    assert loaded == []
    assert show(decimal.Decimal(2)) == show(decimal.Decimal(2)) == "D2"
    assert loaded == ["decimal"]


def test_a_loader_that_fails_fails_again():
    show = Dispatch("show")

    @show.register_lazy("fractions")
    def load():
        raise ImportError("half installed")

    for _ in range(2):
        with pytest.raises(ImportError, match="half installed"):
            show(fractions.Fraction(1, 2))


def test_a_missing_row_names_the_function_the_library_and_the_way_out():
    class Series:
        pass

    Series.__module__ = "cudf.core.series"
    sort = Dispatch("mask_sort")
    sort.register_lazy("numpy")(lambda: None)
    with pytest.raises(NotSupportedError, match=r"mask_sort is not supported on cuDF \(.*Series\)"):
        sort(Series())
    with pytest.raises(NotImplementedError, match="use NumPy data"):
        sort(Series())
    advised = Dispatch("mask_sort", instead="to_host() first")
    with pytest.raises(NotSupportedError, match=r"use to_host\(\) first"):
        advised(Series())
