"""Why nothing meets every requirement: a minimal conflict, and what would have to give.

A requirement without which a design exists belongs to every conflict, and
that design, as close to it as possible, is its relaxation.  Mostly these
requirements are a conflict by themselves: those that the search has seen broken
alone are tried first, for what they settle nobody has to ask of the others.  Where
they are none, the others are left out one after the other as long as the rest still
excludes every design.
Each question is put to the solver anew, so the result does not rest on the
solver's own unsatisfiable cores.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

from mlsysim.expr.functions import absolute, maximum, where
from mlsysim.expr.graph import Constant, Graph
from mlsysim.expr.traced import Traced
from mlsysim.numeric import TOLERANCE
from mlsysim.problem.problem import INFEASIBLE, UNDEFINED
from mlsysim.problem.relation import Relation
from mlsysim.search.conflicts import reasons_told, relaxation
from mlsysim.search.cpsat.minimize import Minimizer, Minimum
from mlsysim.search.cpsat.program.program import Program
from mlsysim.search.cpsat.program.rows import Rows
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.cpsat.solving.clock import Clock, StoppedError
from mlsysim.search.verify import Point, nowhere_defined

Solve = Callable[[Program], Minimum]

_LIMITS = {Relation.LESS, Relation.AT_MOST, Relation.GREATER, Relation.AT_LEAST}
# Counts of hundreds of things come arbitrarily close to a limit; to find the very
# closest would take hours, and tell nobody more.
_NEARLY = 1e-6


def why_infeasible(
    question: TracedQuestion,
    clock: Clock,
    minimizer: Minimizer,
    lone: Collection[int] = (),
) -> dict[str, Any]:
    """Give the conflict and the relaxations of an infeasible question.

    A conflict is called minimal only if that is proven, and a relaxation is the
    best there is, or it is not told: a stopped search must not claim what it has
    not proven.  What is missing is listed.

    Parameters
    ----------
    question
        The question, which is known to be infeasible.
    clock
        The time that there is.
    minimizer
        Finds the best design of a program.
    lone
        The places of the requirements that some design was seen to break alone.

    Returns
    -------
    dict
        The fields of a `SearchResult`; there is a conflict also where a limit came first.

    Raises
    ------
    MetricError
        If no design has an objective, whatever else it meets.
    """
    explanation = _Explanation(question, lambda form: minimizer.minimize(form, 1))
    # Designs that raise break that alone, whatever they would be.
    seen = {INFEASIBLE, *(question.requirements[place].name for place in lone)}
    try:
        with clock.phase("explain"), suppress(StoppedError):
            explanation.finish([name for name in question.names if name in seen])
    except KeyboardInterrupt:
        clock.interrupt()
    return explanation.fields()


class _Explanation:
    """A conflict and its relaxations in the making: what is known is told at any moment.

    Attributes
    ----------
    kept
        Requirements that are proven to exclude every design.
    is_minimal
        Whether it is proven that none of them can be left out.
    nearest
        Requirement -> the nearest design that breaks it alone, or nothing if it is
        proven that there is none.
    reasons
        Requirement -> why it is in the conflict, in words.
    """

    def __init__(self, question: TracedQuestion, solve: Solve) -> None:
        self.kept: list[str] = list(question.names)
        self.is_minimal = False
        self.nearest: dict[str, Point | None] = {}
        self.reasons: dict[str, str] = {}
        self._question = question
        self._solve = solve

    def finish(self, seen: Sequence[str] = ()) -> None:
        """Find out everything.

        Parameters
        ----------
        seen
            Requirements that some design breaks alone, as far as arrays can tell.

        Raises
        ------
        StoppedError
            If a limit comes first.
        """
        if not self._is_settled_by(seen):
            self._search(self._suspects())
            critical = [name for name in self.nearest if self.nearest[name]]
            if critical and not len(self._prove(self._feasibility(critical))):
                self.kept = critical
            else:
                self._search(self._question.names)
                self._leave_out()
        self.is_minimal = True
        if tuple(self.kept) == (UNDEFINED,):
            first = self._question.point([0] * len(self._question.problem.space))
            raise nowhere_defined(self._question.problem, first)
        for name in self.kept:
            self.reasons[name] = self._reason(name)

    def fields(self) -> dict[str, Any]:
        """Give what is known as the fields of a result."""
        problem = self._question.problem
        solved = [name for name in self.kept if name in self.nearest]
        unsolved = [name for name in self.kept if name not in self.nearest]
        unfinished = []
        if not self.is_minimal:
            unfinished.append("the conflict: fewer requirements may exclude every design, too")
        if unsolved:
            unfinished.append(f"what would have to give of {', '.join(unsolved)}")
        return {
            "conflict": tuple(self.kept),
            "conflict_is_minimal": self.is_minimal,
            "conflict_reasons": {
                name: self.reasons.get(name) or self._all_reasons(name) for name in self.kept
            },
            "relaxations": tuple(
                relaxation(problem, name, self._question.unit, self.nearest[name])
                for name in solved
            ),
            "unfinished": tuple(unfinished),
        }

    def _prove(self, form: Program) -> Rows:
        minimum = self._solve(form)
        if not minimum.proven:
            raise StoppedError
        return minimum.best

    def _is_settled_by(self, seen: Sequence[str]) -> bool:
        """Tell whether requirements are a conflict of which every other one needs each."""
        if not seen or len(self._prove(self._feasibility(seen))):
            return False
        self.kept = list(seen)
        self._search(seen)
        return all(self.nearest[name] for name in seen)

    def _search(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.nearest:
                self.nearest[name] = self._nearest(name)

    def _suspects(self) -> Sequence[str]:
        """Leave out all names that demand equality, if the rest excludes every design without them.

        None of these belongs to every conflict.
        """
        names, demands = self._question.names, self._question.demands
        limits = [
            name
            for name in names
            if all(item.relation in _LIMITS for item in demands if item.name == name)
        ]
        some = 0 < len(limits) < len(names)
        if some and not len(self._prove(self._feasibility(limits))):
            self.kept = limits
            return limits
        return names

    def _leave_out(self) -> None:
        """Leave out names as long as the rest still excludes every design."""
        constraints = [constraint.name for constraint in self._question.problem.constraints]
        verdicts = [name for name in self._question.names if name not in constraints]
        self.kept = list(self._question.names)
        # The user's constraints go first: that no design can even exist says more.
        for name in (*reversed(constraints), *reversed(verdicts)):
            rest = [other for other in self.kept if other != name]
            if not self.nearest[name] and not len(self._prove(self._feasibility(rest))):
                self.kept = rest

    def _feasibility(self, names: Collection[str]) -> Program:
        return self._question.program(
            kept=self._question.demanded(names),
            objectives=[self._question.formulation.graph.constant(0.0)],
        )

    def _nearest(self, name: str) -> Point | None:
        """Find the design that breaks one requirement alone, by as little as possible.

        What has no distance counts first, then the worst excess, then their sum,
        as `mlsysim.search.arrays.nearest` has it.
        """
        question, graph = self._question, self._question.formulation.graph
        others = question.demanded([other for other in question.names if other != name])
        broken = [item for item in question.demands if item.name == name]
        compared = [item for item in broken if item.relation]
        if len(broken) == len(compared) == 1:
            shortfall = _shortfall(graph, broken[0])
            found = self._least(others, shortfall, nearly=_NEARLY)
            # A side may be undefined wherever the others let a design through.
            if not len(found) and not question.is_defined(shortfall.node):
                found = self._least(others, _zero(graph))
            return self._point(found)
        waived = sum(
            (_broken(graph, item) for item in broken if item.relation is None), _zero(graph)
        )
        if not compared:  # one of them at least is broken wherever the others hold
            return self._point(self._least(others, maximum(_one(graph), waived)))
        found = self._least(others, waived)
        amounts = [_excess(graph, item) for item in compared]
        worst = maximum(_zero(graph), *amounts)
        total = sum(amounts, _zero(graph))
        for goal, then in ((waived, worst), (worst, total)):
            if not len(found):
                break
            most = float(found.values[0, 0])
            others.append(_at_most(goal, most + TOLERANCE * abs(most)))
            closer = self._least(others, then, nearly=_NEARLY)
            if not len(closer):  # some side is undefined at all of them
                break
            found = closer
        return self._point(found)

    def _least(self, kept: Sequence[Requirement], goal: Any, *, nearly: float = 0.0) -> Rows:
        return self._prove(self._question.program(kept=kept, objectives=[goal.node], nearly=nearly))

    def _point(self, found: Rows) -> Point | None:
        return self._question.point(found.designs[0].tolist()) if len(found) else None

    def _reason(self, name: str) -> str:
        """Give the text of a constraint, or why a verdict fails where all else holds."""
        constraint = self._question.problem.constraint(name)
        if constraint is not None:
            return constraint.text
        nearest = self.nearest[name]
        found = nearest or self._alone(name)
        reasons = [reason for member, reason in found.broken if member == name] if found else []
        return reasons_told(name, reasons, nearest=nearest is not None)

    def _all_reasons(self, name: str) -> str:
        constraint = self._question.problem.constraint(name)
        if constraint is not None:
            return constraint.text
        demands = self._question.demands
        return reasons_told(name, (item.reason for item in demands if item.name == name))

    def _alone(self, name: str) -> Point | None:
        """Find a design that meets the rest of the conflict."""
        graph, demands = self._question.formulation.graph, self._question.demands
        others = self._question.demanded([other for other in self.kept if other != name])
        broken = [item for item in demands if item.name == name]
        return self._point(
            self._least(others, sum((_broken(graph, item) for item in broken), _zero(graph)))
        )


def _at_most(goal: Any, most: float) -> Requirement:
    return Requirement(name="", reason="", truth=(goal <= most).node)


def _zero(graph: Graph) -> Any:
    return Traced(graph, graph.constant(0.0))


def _one(graph: Graph) -> Any:
    return Traced(graph, graph.constant(1.0))


def _broken(graph: Graph, item: Requirement) -> Any:
    return where(Traced(graph, item.truth), 0.0, 1.0)


def _shortfall(graph: Graph, item: Requirement) -> Any:
    """Say how far the one comparison that cannot hold is from holding.

    Nothing is clipped: the shortfall of a sum stays a sum, which the solver
    minimises as it minimises an objective.
    """
    if item.left is None or item.right is None or item.relation is None:
        return _zero(graph)
    left, right = Traced(graph, item.left), Traced(graph, item.right)
    if isinstance(item.right, Constant):
        return item.relation.excess(left, right)
    return _excess(graph, item)


def _excess(graph: Graph, item: Requirement) -> Any:
    """Say how far a comparison is from holding, relative to its right side."""
    if item.left is None or item.right is None or item.relation is None:
        return _zero(graph)
    left, right = Traced(graph, item.left), Traced(graph, item.right)
    size = absolute(right)
    amount = item.relation.excess(left, right) / where(size > 0.0, size, 1.0)
    return where(Traced(graph, item.truth), 0.0, amount)
