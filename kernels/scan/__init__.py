"""Running sums, products, minima and maxima along an axis."""
