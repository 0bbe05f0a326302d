"""Plans as a scheduling problem in whole numbers, and that as a CP-SAT model."""
