"""Where a job fits into a calendar, and how time is cut into slots."""
