"""The ways to answer a question: CP-SAT with a proof, and the exhaustive reference."""

from mlsysim.search.options import SearchOptions as SearchOptions
