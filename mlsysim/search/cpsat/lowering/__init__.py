"""Formulas as constraints of CP-SAT."""
