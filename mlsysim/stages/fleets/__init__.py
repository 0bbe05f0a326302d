"""Models of fleets that mix accelerators."""
