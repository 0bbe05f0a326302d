"""A traced question, ready to be asked in several forms.

The trace is made once.  A form of the question keeps some of the requirements
and minimises the objective or the excess of one requirement.
"""

import math
from collections.abc import Collection, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from mlsysim.errors import ExactnessError, TracingError
from mlsysim.expr.graph import GraphNode
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import INFEASIBLE, Problem
from mlsysim.search.cpsat.program.conditions import GraphCondition
from mlsysim.search.cpsat.program.estimates import Estimates
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.question.formulation import (
    Formulation,
    GraphMetric,
    Requirement,
    beside_guards,
    definedness,
    formulate,
)
from mlsysim.search.exactness import beyond_floats
from mlsysim.search.goals import Goals, vector
from mlsysim.search.verify import Evaluator, Point, evaluate_point, extremes, refuse_random


class TracedQuestion:
    """A problem and its evaluator, traced.

    Parameters
    ----------
    problem
        What is asked.
    evaluate
        The user's evaluator.
    goals
        All objectives, where a front is asked for; the problem's is the first.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced, or traces to something else than it
        computes on plain numbers.
    ExactnessError
        If it needs digits of whole numbers that floats do not have.
    """

    def __init__(self, problem: Problem, evaluate: Evaluator, goals: Goals | None = None) -> None:
        self.problem = problem
        self.goals = goals or Goals(problems=(problem,))
        self._evaluate = evaluate
        self.formulation = self._traced()
        inexact = beyond_floats(problem, evaluate)
        if inexact is not None:
            raise ExactnessError(inexact)

    @property
    def sign(self) -> int:
        """The factor between the user's objective and the one that is minimised."""
        return self.problem.objective.sense.sign

    @property
    def unit(self) -> str:
        """The unit of the objective."""
        return self.formulation.metrics[0].unit

    @property
    def units(self) -> tuple[str, ...]:
        """The units of all objectives."""
        return tuple(metric.unit for metric in self.formulation.metrics)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Everything that a design must meet, besides having objectives."""
        return self.formulation.requirements

    @cached_property
    def demands(self) -> tuple[Requirement, ...]:
        """Everything that a design must meet, each of which a conflict may name."""
        return (*self.requirements, *definedness(self.formulation))

    def demanded(self, names: Collection[str]) -> list[Requirement]:
        """Give the demands of some names, as they are where the others do not count."""
        graph = self.formulation.graph
        kept = [item for item in self.demands if item.name in names]
        if INFEASIBLE in names or not graph.guards:
            return kept
        return [beside_guards(graph, item) for item in kept]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what a design must meet: the user's constraints first."""
        return self.problem.requirements(item.name for item in self.demands)

    def metric(self, path: str) -> GraphMetric:
        """Give any metric that the evaluator returns, by its path.

        Raises
        ------
        MetricError
            If there is none of that name.
        """
        return self.formulation.metric(path)

    def params(self, design: Sequence[int]) -> dict[str, Any]:
        """Give the values of a design from their positions."""
        domains = self.problem.space.items()
        return {name: domain[at] for (name, domain), at in zip(domains, design, strict=True)}

    def point(self, design: Sequence[int]) -> Point:
        """Evaluate a design on plain numbers."""
        return evaluate_point(self.problem, self._evaluate, self.params(design))

    def points(self, design: Sequence[int]) -> tuple[Point, ...]:
        """Evaluate a design on plain numbers for every objective."""
        return self.goals.judge(self._evaluate, self.params(design))

    def refuse_random(self, point: Point) -> None:
        """Insist that the evaluator gives a design the same as before."""
        refuse_random(self.problem, self._evaluate, point)

    def signed(self, points: Sequence[Point]) -> list[float]:
        """Give the objectives of a design as numbers to be minimised."""
        # Of an infeasible design only the first objective is read.
        values = zip(self.goals.signs, vector(points, self.units[: len(points)]), strict=False)
        return [sign * value for sign, value in values]

    def program(
        self,
        *,
        excluded: Collection[tuple[int, ...]] = (),
        kept: Collection[Requirement] | None = None,
        objectives: Sequence[GraphNode] | None = None,
        nearly: float = 0.0,
    ) -> Program:
        """Put the question into a form.

        Parameters
        ----------
        excluded
            Designs that must not be returned.
        kept
            The requirements that hold in this form; all if left out.
        objectives
            What to minimise instead of the objectives.
        nearly
            How much better, relative, a design may be that need not be found.
        """
        asked = (kept, objectives, nearly, frozenset(excluded))
        if asked == (None, None, 0.0, frozenset()):
            return self._whole
        return self._form(excluded, kept, objectives, nearly)

    @cached_property
    def _whole(self) -> Program:
        """The question as it is; what it has read of itself serves every search."""
        return self._form((), None, None, 0.0)

    def is_defined(self, node: GraphNode) -> bool:
        """Tell whether a number is known to be finite at every design."""
        low, high = self._estimates.ends.range_of(node)
        return bool(np.isfinite(low) and np.isfinite(high))

    def always_holds(self, truth: GraphNode) -> bool:
        """Tell whether a truth value is known to hold at every design of the space."""
        return float(self._estimates.ends.range_of(truth)[0]) > 0

    @cached_property
    def _estimates(self) -> Estimates:
        return Estimates(self.formulation.graph, self.formulation.columns)

    def _form(
        self,
        excluded: Collection[tuple[int, ...]],
        kept: Collection[Requirement] | None,
        objectives: Sequence[GraphNode] | None,
        nearly: float,
    ) -> Program:
        requirements = self.requirements if kept is None else kept
        chosen = self._objectives if objectives is None else tuple(objectives)
        return Program(
            known=self._estimates,
            graph=self.formulation.graph,
            lengths=self.formulation.graph.lengths,
            columns=self.formulation.columns,
            objectives=chosen,
            conditions=tuple(
                GraphCondition(
                    name=self._label(item),
                    node=item.truth,
                    sides=item.sides,
                )
                for item in requirements
            ),
            accepts=partial(self._accepts, {item.name for item in requirements}),
            excluded=frozenset(excluded),
            nearly=nearly,
        )

    def _traced(self) -> Formulation:
        try:
            formulation = formulate(self.problem, self._evaluate, self.goals.objectives[1:])
        except TracingError:
            raise
        except Exception as error:
            # Either the evaluator fails on plain numbers too, and its own
            # exception is the answer, or only traced values are beyond it.
            self.points([0] * len(self.problem.space))
            raise TracingError(
                f"the evaluator fails on traced values, though not on plain ones: "
                f"{type(error).__name__}: {error}"
            ) from error
        return formulation

    def check_trace(self) -> None:
        """Compare the trace with the evaluator on plain numbers at a few extreme designs.

        Raises
        ------
        TracingError
            If they differ: the evaluator looks at its arguments behind the
            tracer's back, or does not always return the same.
        """
        space = self.problem.space
        program = self.program()
        designs = [self._design(index) for index in extremes(space) or [0]]
        table = program.tabulate(np.array(designs, np.int64), ask=False)
        for design, values, holds in zip(designs, table.values, table.holds.T, strict=True):
            points = self.points(design)
            traced = (values[: len(points)].tolist(), bool(holds.all()))
            plain = (self.signed(points), points[0].is_feasible)
            known = zip(traced[0], plain[0], strict=True)
            same = all(agree(*pair) for pair in known if np.isfinite(pair).all())
            if traced[1] != plain[1] or not same:
                self.refuse_random(points[0])
                raise TracingError(
                    f"at the design {dict(points[0].params)} the trace gives {self._told(traced)}, "
                    f"but plain numbers {self._told(plain)}: the evaluator depends on something "
                    "besides its arguments, or on their type"
                )

    def _label(self, item: Requirement) -> str:
        is_verdict = self.problem.constraint(item.name) is None
        return f"{item.name}: {item.reason}" if is_verdict else item.name

    def _design(self, index: int) -> list[int]:
        """Give the positions of a design from its place in the grid."""
        positions = []
        for length in reversed(list(self.formulation.graph.lengths.values())):
            index, position = divmod(index, length)
            positions.append(position)
        return positions[::-1]

    def _told(self, reading: tuple[Sequence[float], bool]) -> str:
        verdict = "feasible" if reading[1] else "infeasible"
        known = zip(self.goals.signs, reading[0], self.units, strict=False)
        values = ", ".join(f"{sign * value:g} {unit}" for sign, value, unit in known)
        return f"{values} ({verdict})"

    @cached_property
    def _objectives(self) -> tuple[GraphNode, ...]:
        pairs = zip(self.goals.signs, self.formulation.metrics, strict=True)
        negative = partial(self.formulation.graph.apply, "negative")
        return tuple(metric.node if sign > 0 else negative(metric.node) for sign, metric in pairs)

    def _accepts(self, names: Collection[str], design: Sequence[int]) -> bool:
        """Tell whether a design breaks none of some requirements on plain numbers."""
        return self.points(design)[0].violated.isdisjoint(names)


def agree(traced: float, plain: float) -> bool:
    """Tell whether two readings of one number agree to within rounding."""
    return math.isclose(traced, plain, rel_tol=TOLERANCE, abs_tol=1e-300) or math.isnan(plain)
