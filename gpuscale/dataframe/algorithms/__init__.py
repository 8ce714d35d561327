"""How results are made: pure functions on objects of pandas, tested without any engine."""
