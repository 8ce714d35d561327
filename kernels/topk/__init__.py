"""The largest or smallest elements of rows, and where they are."""
