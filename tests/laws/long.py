"""Every law over thousands of designs, each drawn once for all laws that are about such.

``PYTHONPATH=tests python -m laws.long --designs 5000 --stage Serving`` prints how many designs each
law was held against, and every design that broke one.  Drawing takes most of the time of the
tests of the laws, which draw anew for each; the statements are the same.  ``--about`` chooses laws
of single designs, of spaces of choices (arrays, tracing), or of questions about such (optima, and
that all methods give one answer), of which all designs count.
"""

import argparse
import functools
import itertools
import math
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption
from laws.arguments import Values, base_name, values_of
from laws.designs import SERVING, STAGES, Complete, Design, Space, designs, together
from laws.inert import Change
from laws.test_knobs import FEATURES, knobs, without_effect
from laws.test_launchable import PAIRS, unlike_verdicts
from laws.test_monotone import (
    CLUSTERED,
    COMPUTING,
    improvements,
    not_doubled,
    waits,
    waits_for_pools,
    waits_under_no_load,
    worse_with_more,
    worse_with_more_nodes,
)
from laws.test_optimum import worse_on_better_accelerators, worse_with_looser_limits
from laws.test_parts_add_up import LONGEST, gaps, longer_than_the_longest, unseen
from laws.test_same_thing_said_twice import (
    DESIGNS,
    INTEGERS,
    changed_by_arrays,
    changed_by_numpy,
    changed_by_tracing,
    spaces,
)
from laws.test_subspaces import Question, disagreements, questions
from laws.test_verdict_and_metrics_agree import misfits, odd_numbers, wrong_concurrency
from laws.test_whole_things import divided_microbatches, divided_sequences

from mlsysim.core.solver import (
    ContinuousBatchingModel,
    DisaggregatedModel,
    DistributedModel,
    ServingModel,
)
from mlsysim.errors import ParameterError
from mlsysim.stages.stage import ForwardModel

Stage = type[ForwardModel]
Statement = Callable[[Design], Iterator[str]]
_CHUNK = 50
_SHOWN = 5
_STEPS = 10
"""Of so many designs all but one differ from the one before in a few arguments only."""


_Any = TypeVar("_Any")


def _one(choices: Sequence[_Any], design: Design) -> _Any:
    """Choose one, as good as at random: each design is held against one of several statements."""
    return choices[zlib.crc32(repr(design).encode()) % len(choices)]


def _changed_by_numpy(design: Design) -> Iterator[str]:
    yield from changed_by_numpy(design, _one(INTEGERS, design))


def _worse_with_more(design: Design) -> Iterator[str]:
    yield from worse_with_more(design, [_one(improvements(design), design)])


def _unlike_verdicts(design: Design) -> Iterator[str]:
    able = [framework for framework, stage in PAIRS if stage is design.stage]
    yield from unlike_verdicts(_one(able, design), design)


# Law of designs, feasible or not -> the stages that it is about, and what it says.
OF_ANY: Mapping[str, tuple[Sequence[Stage], Statement]] = {
    "parts add up": (STAGES, gaps),
    "NumPy's whole numbers": (STAGES, _changed_by_numpy),
    "a better accelerator is never worse": (COMPUTING, _worse_with_more),
    "a larger inventory is never worse": (CLUSTERED, worse_with_more_nodes),
    "sequences are dealt out whole": (SERVING, divided_sequences),
    "as many sequences fit as it says": (SERVING, wrong_concurrency),
    "a mean gap is no longer than the longest": (LONGEST, longer_than_the_longest),
    "microbatches are dealt out whole": ([DistributedModel], divided_microbatches),
    "one user waits for nobody": ([ServingModel], waits),
    "one user under no load waits for nobody": ([ContinuousBatchingModel], waits_under_no_load),
    "one user of two pools waits for nobody": ([DisaggregatedModel], waits_for_pools),
}
# Law of designs that fit -> the same.
OF_FEASIBLE: Mapping[str, tuple[Sequence[Stage], Statement]] = {
    "numbers are believable": (STAGES, odd_numbers),
    "feasible designs fit": (STAGES, misfits),
    "twice the replicas do twice as much": (SERVING, not_doubled),
    "answers begin with what users see": (SERVING, unseen),
    "a feasible answer can be launched": ([stage for _, stage in PAIRS], _unlike_verdicts),
}
# Law of questions about a space -> the same.
OF_QUESTIONS: Mapping[str, tuple[Sequence[Stage], Callable[[Question], Iterator[str]]]] = {
    "a looser limit never costs any": (STAGES, worse_with_looser_limits),
    "better accelerators never lower the optimum": (COMPUTING, worse_on_better_accelerators),
    "all methods give one answer": (STAGES, functools.partial(disagreements, top=3)),
}
# Law of spaces of all arguments -> what it says of a stage's; all stages are under them.
OF_SPACES: Mapping[str, Callable[[Stage, Space], Iterator[str]]] = {
    "arrays say what numbers say": changed_by_arrays,
    "traced choices say what numbers say": changed_by_tracing,
}


def about(
    laws: Mapping[str, tuple[Sequence[Stage], Callable[[_Any], Iterator[str]]]], stage: Stage
) -> dict[str, Callable[[_Any], Iterator[str]]]:
    """Give the laws that are about a stage."""
    return {law: statement for law, (stages, statement) in laws.items() if stage in stages}


class Tally:
    """How many designs a law was held against, and what broke it.

    Parameters
    ----------
    most
        After so many a law is not held against any more.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held: Counter[str] = Counter()
        self.things: Counter[str] = Counter()
        self.broken: dict[str, list[str]] = {}

    def hold(
        self, law: str, thing: object, statement: Callable[[], Iterator[str]], count: int = 1
    ) -> None:
        """Hold one thing, which stands for so many designs, against one law."""
        if self.held[law] >= self.most:
            return
        try:
            found = list(statement())
        except UnsatisfiedAssumption:  # the law says nothing of it
            return
        except Exception as error:  # noqa: BLE001 - told, and the run goes on
            found = [f"{type(error).__name__}: {error}"]
        self.held[law] += count
        self.things[law] += 1
        if found:
            self.broken.setdefault(law, []).append(f"{found[0]}\n      in {thing!r}")

    def full(self, laws: Iterable[str]) -> bool:
        """Tell whether every law was held against enough."""
        return all(self.held[law] >= self.most for law in laws)


def drawn(strategy: Values, visit: Callable[[Any, st.DataObject], None], place: int) -> None:
    """Visit the next few things of a strategy."""

    @seed(place)
    @settings(
        max_examples=_CHUNK,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy, st.data())
    def one(thing: Any, data: st.DataObject) -> None:
        visit(thing, data)

    one()


@st.composite
def neighbours(draw: st.DrawFn, design: Design) -> Design:
    """Draw a few arguments of a design anew, which is sooner done than drawing all."""
    fixed = together(design) | design.fleets.keys()  # most are drawn to suit the fleet
    free = [name for name in design.arguments if name not in fixed]
    other = design
    for name in draw(st.lists(st.sampled_from(free), min_size=1, max_size=5, unique=True)):
        context = Complete(design.stage, other)
        other = other.but(**{name: draw(values_of(design.stage, name, context))})
    try:
        return other if other.outcome() is not None else design
    except ParameterError:  # two arguments that cannot both be
        return design


def run(stage: Stage, most: int, first: int) -> Tally:
    """Hold every law of a design against so many designs of a stage."""
    tally = Tally(most)
    any_, fitting = about(OF_ANY, stage), about(OF_FEASIBLE, stage)
    names = [name for name in knobs(stage) if base_name(name) not in FEATURES]

    def visit(design: Design, data: st.DataObject) -> None:
        for _ in range(_STEPS):
            if (result := design.outcome()) is None:
                return
            _hold(tally, any_, design)
            if result.feasible:
                _hold(tally, fitting, design)
                _change(tally, design, data, names)
            design = data.draw(neighbours(design))

    places = itertools.count(first)
    while not tally.full((*any_, *fitting, _KNOBS)):
        drawn(designs(stage), visit, next(places))
    return tally


def run_spaces(stage: Stage, most: int, first: int) -> Tally:
    """Hold every law of a space against spaces of so many designs of a stage."""
    tally = Tally(most)

    def visit(space: Space, _: st.DataObject) -> None:
        for law, statement in OF_SPACES.items():
            tally.hold(law, space, functools.partial(statement, stage, space), DESIGNS)

    places = itertools.count(first)
    while not tally.full(OF_SPACES):
        drawn(spaces(stage), visit, next(places))
    return tally


def run_questions(stage: Stage, most: int, first: int) -> Tally:
    """Hold every law of a question against questions about so many designs of a stage."""
    tally = Tally(most)
    laws = about(OF_QUESTIONS, stage)

    def visit(question: Question, _: st.DataObject) -> None:
        count = math.prod(map(len, question.space.values()))
        for law, statement in laws.items():
            tally.hold(law, question, functools.partial(statement, question), count)

    places = itertools.count(first)
    while not tally.full(laws):
        drawn(questions(stage), visit, next(places))
    return tally


def _change(tally: Tally, old: Design, data: st.DataObject, names: Sequence[str]) -> None:
    name = data.draw(st.sampled_from(names))
    value = data.draw(values_of(old.stage, name, Complete(old.stage, old)))
    made = Change(name=name, old=old, new=old.but(**{name: value}))
    tally.hold(_KNOBS, made, functools.partial(without_effect, made))


_KNOBS = "every knob does something"


def _hold(tally: Tally, laws: Mapping[str, Statement], design: Design) -> None:
    for law, statement in laws.items():
        tally.hold(law, design, functools.partial(statement, design))


def main() -> None:
    """Hold the laws over the stages that are named, or over all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=5000, help="of each stage, under each law")
    parser.add_argument("--stage", default="", help="part of the names of the stages")
    parser.add_argument("--about", choices=[*_RUNS, "all"], default="all", help="which laws")
    parser.add_argument("--seed", type=int, default=1, help="of the first designs")
    given_ = parser.parse_args()
    runs = _RUNS.values() if given_.about == "all" else [_RUNS[given_.about]]
    for stage in STAGES:
        if given_.stage in stage.__name__:
            for one in runs:
                _tell(stage, one(stage, given_.designs, given_.seed))


_RUNS = {"designs": run, "spaces": run_spaces, "questions": run_questions}


def _tell(stage: Stage, tally: Tally) -> None:
    for law, count in tally.held.items():
        broken = tally.broken.get(law, [])
        things = tally.things[law]
        among = f" in {things:,} draws" if things != count else ""
        head = f"{stage.__name__}: {law}: {count:,} designs{among}, {len(broken)} broken"
        sys.stdout.write("\n    ".join([head, *broken[:_SHOWN]]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
