"""Windows that slide over an array, under NumPy's name for them."""

from gpuscale.array.api.sliding import sliding_window_view

__all__ = ["sliding_window_view"]
