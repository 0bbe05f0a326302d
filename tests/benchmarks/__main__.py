"""The benchmark ladder.

From the root of the repository::

    pip install -e '.[bench]'
    python -m tests.benchmarks            # everything; an hour or two on two cores
    python -m tests.benchmarks --quick    # small sizes, one repeat; a few minutes
    python -m tests.benchmarks --sizes 1e8,1e10 --only throughput --repeats 5
    python -m tests.benchmarks --only joint,counting --contenders engine
    python -m tests.benchmarks --only startup
    python -m tests.benchmarks --only real --page docs/speed.md

It prints tables and writes ``build/benchmarks.json``. Every contender answers
every question in a process of its own, warmed up, and its time is the median of
the repeats. The training question has 1e2 to 1e12 designs, three objectives
(throughput under a step time and a budget; dollars per token under a deadline;
one that no design meets) and two variants (even splits only; uneven splits
priced). It is asked of

- the engine (CP-SAT) and the vectorised reference of `mlsysim`;
- brute force in compiled loops (numba);
- SCIP, as a mixed-integer nonlinear program;
- Optuna, for as long as the engine took: how far its best falls short;
- a search written by hand for this one question: the limit.

Walking every design is measured up to ``--walk`` and extrapolated beyond, which
the table marks. Then come joint questions (jobs that share accelerators),
counting questions (six large counts), questions of the real stages, up to four
and eight real jobs (against the reference where it can finish, and Optuna), and
what starting costs. Wherever two contenders prove something, their answers are
compared: status and the five best objectives to 1e-9 (SCIP: the best, to its own
tolerance). The status of the command is 1 if any differ or the engine proves
nothing. ``--page docs/speed.md`` writes the table of the real stages there.
"""

import sys
from pathlib import Path

# The folder of the tests is where the tests import from, too.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], __doc__))
