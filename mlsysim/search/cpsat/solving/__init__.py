"""The solver itself, and the time that it may take."""
