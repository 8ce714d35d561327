"""What NumPy keeps in `numpy.lib`: here it is `stride_tricks` alone."""

from gpuscale.array.lib import stride_tricks as stride_tricks
