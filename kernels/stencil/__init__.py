"""Weighted sums of the neighbourhood of each element of a grid."""
