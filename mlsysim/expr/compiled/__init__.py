"""Formulas in machine code, where LLVM is installed (`mlsysim[fast]`); NumPy says what is right."""
