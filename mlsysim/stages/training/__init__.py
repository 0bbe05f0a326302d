"""Models of training runs."""
