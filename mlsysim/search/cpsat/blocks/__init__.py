"""Choices that meet the rest of a question in a few numbers only."""
