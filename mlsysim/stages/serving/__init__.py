"""Models of serving engines."""
