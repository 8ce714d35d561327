"""TPC-H: its 22 queries in the way of pandas, their SQL, and the data."""
