"""The ways to answer: CP-SAT with a proof, every design in arrays, and the reference."""

from mlsysim.search.options import SearchOptions as SearchOptions
