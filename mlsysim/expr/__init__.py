"""The language: expressions over choices, how they are traced, and how they are read.

An evaluator that is called on traced values leaves behind a graph of
operations.  That graph can be read over arrays (`evaluate`), over boxes
(`intervals`) and as text (`text`).  Nothing here knows of ML or of a solver.
"""
