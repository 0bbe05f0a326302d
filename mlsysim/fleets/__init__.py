"""Planning fleets that mix accelerators: replica designs, and how many of which."""
