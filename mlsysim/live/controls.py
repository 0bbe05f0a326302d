"""What of a question can be moved on the page: limits, numbers, entries, choices."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from mlsysim.catalog.builtin import TREES
from mlsysim.errors import QuestionError, UnitError
from mlsysim.files.fleets import is_fleet
from mlsysim.files.question import Question
from mlsysim.files.reading import read_table
from mlsysim.files.schema import QuestionFile, RangeTable, Scalar
from mlsysim.files.stage_names import annotations_of, stage_named
from mlsysim.files.values import choices
from mlsysim.live.dials import Dial
from mlsysim.live.editing import Place
from mlsysim.problem.constraint import Constraint
from mlsysim.problem.relation import Relation
from mlsysim.stages.documentation import Metric
from mlsysim.stages.stage import ForwardModel
from mlsysim.textfiles import parse_toml
from mlsysim.units import amount, as_unit

_AMOUNT = re.compile(r"([-+]?[\d._]+(?:e[-+]?\d+)?) ?(.*)", re.IGNORECASE)
"""A number and its unit in the normal form of a constraint: ``50 ms``, ``1e6 / s``."""

_PACE = {"s", "ms", "1/s", ""}
_WEIGHED = ("usd", "mfu", "throughput", "utilization")
_MORE = ("throughput", "mfu", "hfu", "utilization", "goodput")
_SENSES = {
    Relation.AT_MOST: "minimize",
    Relation.LESS: "minimize",
    Relation.AT_LEAST: "maximize",
    Relation.GREATER: "maximize",
}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A requirement, which can be dropped; where it compares with a number, that can be moved.

    Parameters
    ----------
    name
        Its name in the file.
    text
        The whole condition.
    because
        Why the planner insists on it; may be empty.
    dial
        Its number.
    """

    name: str
    text: str
    because: str = ""
    dial: Dial | None = None

    @property
    def place(self) -> Place:
        """Where its table stands."""
        return ("constraints", self.name)


@dataclass(frozen=True, kw_only=True)
class EntryControl:
    """An argument of the models that is an entry of the catalogue, or another word.

    Parameters
    ----------
    name
        The argument.
    value
        The word.
    options
        What it may be; empty where that is not known.
    """

    name: str
    value: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChoiceControl:
    """A choice of the space.

    Parameters
    ----------
    name
        Its name.
    values
        All its values, in order.
    is_range
        Whether the file gives first and last, in place of a list.
    options
        The catalogue entries that it could have, where it is about such.
    """

    name: str
    values: tuple[Scalar, ...]
    is_range: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DateControl:
    """A day on which something begins or has to have ended.

    Parameters
    ----------
    place
        Where it stands.
    name
        What people call it.
    value
        The day; or a moment of it.
    """

    place: Place
    name: str
    value: date


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Everything that can be moved.

    Parameters
    ----------
    question
        The question in prose.
    objective
        What is best.
    limits
        The requirements.
    dials
        The other numbers: fixed arguments, demands, what there is of a kind.
    entries
        The fixed arguments that are words.
    choices
        The space.
    dates
        Of a plan: when jobs may begin, and have to have ended.
    goals
        What a front can weigh against the objective, as objectives.
    pareto
        What the file weighs against each other; may be empty.
    """

    question: str
    objective: str
    dials: tuple[Dial, ...]
    choices: tuple[ChoiceControl, ...]
    limits: tuple[Limit, ...] = ()
    entries: tuple[EntryControl, ...] = ()
    dates: tuple[DateControl, ...] = ()
    goals: tuple[str, ...] = ()
    pareto: tuple[str, ...] = ()


def controls_of(question: Question) -> Controls:
    """List what can be moved in a question.

    Parameters
    ----------
    question
        As it was read.
    """
    file = str(question.path)
    content = read_table(parse_toml(question.written, file, QuestionError), file, QuestionFile)
    limits = tuple(
        _limit(name, item.require, item.because) for name, item in content.constraints.items()
    )
    stages = [stage_named(name, file, question.path.parent) for name in content.pipeline.stages]
    known = _annotations(content, stages)
    return Controls(
        question=" ".join(content.question.split()),
        objective=content.objective,
        limits=limits,
        dials=tuple(_dials(content)),
        entries=tuple(_entries(content, known)),
        choices=tuple(choice_controls(content.space, known, file)),
        # What a mixed fleet reports is what the sum over it does.
        goals=_goals(content, limits, stages[-1:] if is_fleet(content) else stages),
        pareto=() if content.pareto is None else content.pareto.objectives,
    )


def _annotations(content: QuestionFile, stages: Sequence[type[ForwardModel]]) -> dict[str, Any]:
    """List what the arguments of the models take, also under the names of the choices."""
    known = {name: kind for stage in stages for name, kind in annotations_of(stage).items()}
    chosen = {
        choice: known.get(name)
        for name, taken in content.pipeline.arguments.items()
        for choice in ((taken,) if isinstance(taken, str) else taken)
    }
    return known | chosen


def _limit(name: str, text: str, because: str) -> Limit:
    """Find the number of a requirement."""
    read = Constraint.parse(text, name)
    written = _AMOUNT.fullmatch(str(read.right))
    dial = None
    if written is not None and _is_behind_number(written[2]) and read.relation in _SENSES:
        dial = Dial(
            place=("constraints", name, "require"),
            name=name,
            value=float(written[1]),
            unit=written[2],
            left=str(read.left),
            relation=read.relation,
        )
    return Limit(name=name, text=read.text, because=because, dial=dial)


def _is_behind_number(text: str) -> bool:
    """Tell whether what follows a number is its unit: nothing, ``ms``, or ``/ s``."""
    return not text or _is_unit(f"1 {text}" if text.startswith("/") else text)


def _is_unit(text: str) -> bool:
    try:
        as_unit(text)
    except UnitError:
        return False
    return True


def _dials(content: QuestionFile) -> Iterator[Dial]:
    """Find the numbers that are no limits."""
    for name, value in content.fixed.items():
        yield from dial_of(("fixed", name), name, value)
    for name, demand in content.demand.items():
        yield from dial_of(("demand", name, "rate"), f"rate of {name}", demand.rate)
    for name, kind in content.fleet.items():
        yield from dial_of(("fleet", name, "available"), f"accelerators of {name}", kind.available)


def dial_of(place: Place, name: str, value: Any) -> Iterator[Dial]:
    """Give the dial of a number, or of an amount in text; none of anything else.

    Parameters
    ----------
    place
        Where it stands.
    name
        What people call it.
    value
        What stands there.
    """
    unit = ""
    whole = isinstance(value, int)
    if isinstance(value, str):
        found = amount(value)
        if found is None or not found[1] or not _is_unit(found[1]):
            return
        value, unit = found
    if isinstance(value, int | float) and not isinstance(value, bool) and value:
        yield Dial(place=place, name=name, value=float(value), unit=unit, is_whole=whole)


def _entries(content: QuestionFile, known: dict[str, Any]) -> Iterator[EntryControl]:
    for name, value in content.fixed.items():
        if isinstance(value, str) and amount(value) is None:
            yield EntryControl(name=name, value=value, options=_options(known.get(name), [value]))


def choice_controls(
    space: Mapping[str, tuple[Scalar, ...] | RangeTable], known: Mapping[str, Any], file: str
) -> Iterator[ChoiceControl]:
    """List the choices of a space.

    Parameters
    ----------
    space
        Choice -> its values, as the file has them.
    known
        Choice -> the type of the argument that takes it, where that is known.
    file
        The name that messages use.
    """
    for name, values in space.items():
        is_range = isinstance(values, RangeTable)
        listed = tuple(choices(values, Any, f"{file}: space.{name}")) if is_range else values
        assert not isinstance(listed, RangeTable)  # noqa: S101 - for the type checker
        options = () if is_range else _options(known.get(name), listed)
        yield ChoiceControl(name=name, values=tuple(listed), is_range=is_range, options=options)


def _options(kind: Any, values: Sequence[Scalar]) -> tuple[str, ...]:
    """List the catalogue entries that an argument takes, of the trees of those that it has."""
    kinds = [item for item in (get_args(kind) or (kind,)) if item in TREES]
    trees = [TREES[item] for item in kinds if any(value in TREES[item] for value in values)]
    return tuple(name for tree in trees for name in tree)


def _goals(
    content: QuestionFile, limits: Sequence[Limit], stages: Sequence[type[ForwardModel]]
) -> tuple[str, ...]:
    """List what can be weighed: first what is limited, then what the models report."""
    dials = (limit.dial for limit in limits if limit.dial is not None)
    limited = [f"{_SENSES[dial.relation]}: {dial.left}" for dial in dials if dial.relation]
    reported = [
        (metric, f"{_better(metric)}: {stage.__name__}.{metric.name}")
        for stage in stages
        for metric in stage.metrics().values()
        if metric.unit or any(word in metric.name for word in _WEIGHED)
    ]
    # Where time or speed is what is best, another time or speed is no news.
    reported.sort(key=lambda pair: pair[0].unit in _PACE)
    goals = dict.fromkeys([*limited, *(goal for _, goal in reported)])
    metric = content.objective.partition(":")[2].strip()
    return tuple(goal for goal in goals if goal.partition(":")[2].strip() != metric)


def _better(metric: Metric) -> str:
    """Say which way is better; for what is neither, less is."""
    more = metric.unit == "1/s" or any(word in metric.name for word in _MORE)
    return "maximize" if more else "minimize"
