"""Rows of a table by their numbers: taken out, and put in place."""
