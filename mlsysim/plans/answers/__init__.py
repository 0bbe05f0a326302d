"""Find plans, explain why there are none, and tell them to people."""
