"""A minimisation over boxes of designs: bounds, rows, and what cannot hold."""
