"""What each framework can run: one record of rules for verdicts, refusals and cures.

A rule is written in the language of constraints, over the arguments and metrics
of the model that prices a design.  The same text is the check that makes a
design infeasible where a question is for a framework, the refusal of its
emitter, and the constraint that a planner adds instead.
"""
