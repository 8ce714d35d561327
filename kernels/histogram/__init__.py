"""Counts of values in bins, and sums of weights in bins."""
