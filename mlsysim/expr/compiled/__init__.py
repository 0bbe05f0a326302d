"""Formulas in machine code, where LLVM is installed (extra ``fast``); NumPy says what is right."""
