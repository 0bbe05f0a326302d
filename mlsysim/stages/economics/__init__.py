"""Models of money, energy and carbon."""
