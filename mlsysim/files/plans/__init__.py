"""Question files about plans over time: which of several jobs runs when, and where."""
