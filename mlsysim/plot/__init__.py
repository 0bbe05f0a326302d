"""Pictures of answers, as axes of matplotlib (``pip install 'mlsysim-solver[plot]'``).

What is drawn without axes of the caller's has a figure of its own, outside pyplot: it is shown as
``axes.figure`` in a notebook and written by ``axes.figure.savefig``.  The command line draws with
the same functions.
"""

from mlsysim.plot.fronts import front as front
from mlsysim.plot.plans import plan as plan
from mlsysim.plot.sweeps import sweep as sweep
from mlsysim.plot.validations import outcomes as outcomes
