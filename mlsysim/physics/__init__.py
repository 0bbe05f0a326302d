"""Closed forms: one law per function, with its formula, units and source.

Every function is pure and dimensionally consistent: it takes plain numbers in
base units (byte, flop, s, watt, USD, and counts) and then gives one in base
units, or takes quantities and then gives a quantity.  It branches only through
`mlsysim.expr.functions`, so arrays and traced values pass through as well.
"""
