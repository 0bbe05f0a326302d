"""A question as a CP-SAT model, open to its users: to read, to extend, to solve elsewhere."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlsysim.errors import MetricError, ParameterError, suggest
from mlsysim.expr.graph import GraphNode
from mlsysim.expr.text import describe
from mlsysim.problem.problem import Problem
from mlsysim.search.cpsat.cp_model import cp_model
from mlsysim.search.cpsat.describing import described
from mlsysim.search.cpsat.lowering.lowered import Lowered, lower
from mlsysim.search.cpsat.lowering.scaled import Scaled
from mlsysim.search.cpsat.lowering.shrinking import best_known
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock
from mlsysim.search.cpsat.solving.model import Encoding
from mlsysim.search.cpsat.stage_terms import metrics_of
from mlsysim.search.options import SearchOptions
from mlsysim.search.verify import Evaluator
from mlsysim.textfiles import write_text

CpModel = cp_model.CpModel
"""OR-Tools' own model, for those who may not import it."""

# Numbers that are asked for are resolved to this share of their range.
_RESOLUTION = 2.0**-30


@dataclass(frozen=True, kw_only=True)
class CompiledNumber:
    """A number of a question in its model: ``scale * expression``, up to `error`, in `unit`.

    The model is a relaxation.  A solution tells a design, and a number that is within `error` of
    that design's; so an optimum of the model alone may look better than it is.  Among all
    solutions with that design there is one whose number is within `slack`.  Both are derived from
    how each part of the formula went in, and hold for every design.  What a solver proposes is
    evaluated on plain numbers (`CompiledModel.params`).

    Parameters
    ----------
    expression
        Linear in the integer variables of the model.
    scale
        What the expression is multiplied by.
    error
        In no solution is it further from the true value of its design.
    slack
        Every design has a solution in which it is no further from the true value.
    unit
        The unit of the value; empty where it has none.
    low, high
        Between which ends the value lies.
    text
        The formula, its inner parts cut off.
    """

    expression: cp_model.LinearExprT
    scale: float
    error: float
    slack: float
    unit: str
    low: float
    high: float
    text: str

    def at_most(self, value: float) -> int:
        """Give what the expression is at most wherever the value is at most this, in `unit`."""
        return int((value + self.slack) // self.scale)

    def at_least(self, value: float) -> int:
        """Give what the expression is at least wherever the value is at least this, in `unit`."""
        return -int((-value + self.slack) // self.scale)


@dataclass(frozen=True, kw_only=True)
class CompiledConstraint:
    """A requirement of a question in its model; it holds there.

    Parameters
    ----------
    name
        The user's constraint, or ``<Stage>.feasible``.
    reasons
        The constraint's text, or for a verdict everything that it asks for.
    left, right
        What is compared, where it compares numbers.
    relation
        How, such as ``<=``.
    """

    name: str
    reasons: tuple[str, ...]
    left: CompiledNumber | None = None
    relation: str = ""
    right: CompiledNumber | None = None


class CompiledMetrics(Mapping[str, CompiledNumber]):
    """The metrics of a question in its model, by path; each goes in when it is asked for."""

    def __init__(self, question: TracedQuestion, lowered: Lowered) -> None:
        self._question = question
        self._lowered = lowered
        self._known: dict[str, CompiledNumber] = {}

    def __getitem__(self, path: str) -> CompiledNumber:
        """Give a metric; any path that an objective could name.

        Raises
        ------
        MetricError
            If the evaluator returns no such metric.
        NotLowerableError
            If it has no sound encoding.
        """
        if path not in self._known:
            metric = self._question.metric(path)
            self._known[path] = number_of(self._lowered, metric.node, metric.unit)
        return self._known[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    @cached_property
    def _named(self) -> tuple[str, ...]:
        """The metrics that the question itself names."""
        return metrics_of(self._question.problem)


@dataclass(frozen=True, kw_only=True)
class CompiledModel:
    """A question as a CP-SAT model.

    Parameters
    ----------
    model
        The model; it may be extended, and solved by itself.
    variables
        The integer variable of each choice: its value where all values are whole numbers,
        else its position in its domain.
    metrics
        Each metric by its path, in its unit.
    constraints
        Each requirement by its name.
    objective
        What is minimised, as a linear expression.
    encodings
        How every expression went in.
    question
        What is asked, traced.
    lowered
        What the formulas were turned into.
    known
        The objective of a design that is known, where designs that are worse are missing.
    """

    model: cp_model.CpModel
    variables: Mapping[str, cp_model.IntVar]
    metrics: Mapping[str, CompiledNumber]
    constraints: Mapping[str, CompiledConstraint]
    objective: cp_model.LinearExprT
    question: TracedQuestion
    lowered: Lowered
    known: float | None = None

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """How every expression went in, those of metrics asked for since included."""
        return tuple(self.lowered.lowering.encodings)

    @property
    def proto(self) -> Any:
        """The model as a CP-SAT protocol buffer."""
        return self.model.proto

    def params(self, solution: cp_model.CpSolver) -> dict[str, Any]:
        """Read a design off a solution of the model, or of a larger one that contains it."""
        return self.question.params(self.lowered.design(solution))

    def objective_bound(self, bound: float) -> float:
        """Turn a bound on the model's objective into one on the question's, in its own unit.

        It is sound, and no further from the question's optimum than twice `objective_error`.

        Parameters
        ----------
        bound
            What the solver says: its best bound, or the objective of an optimal solution.
        """
        return self.question.sign * self.lowered.aim.objective(bound)

    @property
    def objective_error(self) -> float:
        """How far the objective that a solution tells may be from that of its design, at most.

        Derived from how each part of the formula went in; in its own unit, at any design.
        """
        return self.lowered.aim.error

    def describe(self) -> str:
        """Tell the model in words."""
        return described(self)

    def export(self, path: str | Path) -> None:
        """Write the model as a CP-SAT proto in text form.

        Comments at its head say what its objective says of the question's, and how far off that
        can be, and what the variables of the choices mean: whoever solves it elsewhere needs
        nothing else.

        Raises
        ------
        OutputError
            If the file cannot be written; one that was there before is as it was.
        """
        head = "".join(f"# {line}\n" for line in self._legend())
        write_text(Path(path), head + str(self.model.proto))

    def _legend(self) -> Iterator[str]:
        """Say what the numbers of the model are."""
        question, aim = self.question, self.lowered.aim
        text, unit = question.problem.objective.text, question.unit
        yield f"A model of CP-SAT (CpModelProto in text form) of the question: {text}"
        sign = "*" if aim.factor is None else "/"
        number = "(the model's objective)"
        if aim.factor is not None and aim.number.low * aim.number.unit < aim.least:
            number = f"max{number[:-1]}, {aim.least / aim.number.unit!r})"
        told = f"objective = {question.sign * aim.scale!r} {sign} {number}"
        yield f"{told}, to within {self.objective_error!r}" + (f", in {unit}" if unit else "")
        if self.known is not None:
            yield f"Designs that are worse than one that is known, at {self.known!r}, are left out."
        for name, domain in question.problem.space.items():
            if self.variables[name] is not self.lowered.positions[name]:
                yield f"{name}: its value"
                continue
            values = (str(getattr(value, "name", value)) for value in domain.values)
            yield f"{name}: " + ", ".join(f"{at} = {value}" for at, value in enumerate(values))


def compile_model(
    problem: Problem,
    evaluate: Evaluator,
    into: cp_model.CpModel | None = None,
    name: str = "",
    *,
    optimum_only: bool = False,
) -> CompiledModel:
    """Build the CP-SAT model of a question without solving it.

    Parameters
    ----------
    problem, evaluate
        What is asked.
    into
        A model to add it to; its objective stays as it is.
    name
        What the names of the variables begin with.
    optimum_only
        Whether designs that are worse than one that is known may be missing.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    NotLowerableError
        If an expression has no sound encoding.
    """
    question = TracedQuestion(problem, evaluate)
    program = question.program()
    if optimum_only:
        if into is not None:
            raise ParameterError(
                "optimum_only=True leaves designs out that other constraints of the model "
                "given with into=... may need: leave out one of the two"
            )
        known, cutoff, boxes = best_known(program, Clock(SearchOptions()))
        lowered = lower(program, boxes=boxes, cutoff=cutoff, name=name)
        lowered.lowering.between([lowered.aim.number], -math.inf, lowered.aim.limit(cutoff))
    else:
        known, lowered = math.inf, lower(program, into=into, name=name)
    return CompiledModel(
        model=lowered.model,
        variables=lowered.variables,
        metrics=CompiledMetrics(question, lowered),
        constraints=_Constraints(question, lowered),
        objective=lowered.aim.number.expression,
        question=question,
        lowered=lowered,
        known=question.sign * known if math.isfinite(known) else None,
    )


def number_of(lowered: Lowered, node: GraphNode, unit: str) -> CompiledNumber:
    """Give a number as it stands in the model."""
    lowering = lowered.lowering
    low, high = lowering.range(node)
    number: Scaled = lowering.number(node, max(abs(low), abs(high)) * _RESOLUTION)
    return CompiledNumber(
        expression=number.expression,
        scale=number.unit,
        error=number.spread,
        slack=number.slack,
        unit=unit,
        low=low,
        high=high,
        text=describe(node),
    )


class _Constraints(Mapping[str, CompiledConstraint]):
    """The requirements of a question in its model, by name."""

    def __init__(self, question: TracedQuestion, lowered: Lowered) -> None:
        self._lowered = lowered
        self._items: dict[str, list[Requirement]] = {}
        for item in question.requirements:
            self._items.setdefault(item.name, []).append(item)

    def __getitem__(self, name: str) -> CompiledConstraint:
        if name not in self._items:
            raise MetricError(f"there is no requirement {name!r}{suggest(name, self._items)}")
        items = self._items[name]
        reasons = tuple(dict.fromkeys(item.reason for item in items))
        one = items[0]
        if len(items) > 1 or one.left is None or one.right is None or one.relation is None:
            return CompiledConstraint(name=name, reasons=reasons)
        left, right = (number_of(self._lowered, side, one.unit) for side in (one.left, one.right))
        return CompiledConstraint(
            name=name, reasons=reasons, left=left, relation=one.relation.value, right=right
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
