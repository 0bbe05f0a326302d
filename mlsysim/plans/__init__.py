"""Plans over time: which job runs when, on how many nodes, in which layout.

``records`` says what is planned, ``time`` where a job fits and how time is cut into slots,
``model`` turns that into CP-SAT, ``answers`` finds, explains and phrases plans.  `checking`
replays a plan on exact times, `enumeration` is the reference for small ones; neither
knows the model.  All times are whole seconds from the begin of the plan.
"""
