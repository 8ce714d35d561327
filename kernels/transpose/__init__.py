"""Copies of matrices with rows and columns exchanged."""
