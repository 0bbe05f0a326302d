"""The solver: from a traced question to a proven optimum with OR-Tools CP-SAT."""
