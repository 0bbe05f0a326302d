"""Random questions for hypothesis: spaces of choices, formulas over them, requirements.

A `Term` is a formula that can be printed, so that a failing example can be
pasted; a `Case` is a whole question with its evaluator.
"""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from mlsysim.expr.functions import (
    absolute,
    ceil,
    exp,
    floor,
    log,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    select,
    sqrt,
    where,
)
from mlsysim.problem.problem import Problem
from mlsysim.search.verify import Point, evaluate_point
from mlsysim.units import quantity

Params = dict[str, Any]
Value = Callable[[Params], Any]

# MLSYSIM_LONG=50 runs fifty times as many examples, and other ones every time.
LONG = int(os.environ.get("MLSYSIM_LONG", "0"))


def examples(count: int) -> settings:
    """Give the settings of a test of so many examples: the same ones every time by default."""
    return settings(
        max_examples=count * max(LONG, 1), deadline=None, derandomize=not LONG, database=None
    )


@dataclass(frozen=True)
class Machine:
    """An object to choose, with figures and a method."""

    name: str
    rate: float
    size: int

    def peak(self, mode: str) -> float:
        """Look up a rate by the name of a mode."""
        return self.rate * select(mode, {"slow": 0.25, "fast": 1.0, "turbo": 1.5})


MACHINES = (
    Machine("small", 1.5, 2),
    Machine("large", 12.0, 16),
    Machine("odd", 0.1, 7),
)
RATES = {"slow": 0.25, "fast": 1.0, "turbo": 1.5}


@dataclass(frozen=True)
class Term:
    """A formula over the choices.

    Parameters
    ----------
    text
        How it prints.
    value
        Evaluates it.
    """

    text: str
    value: Value

    def __call__(self, params: Params) -> Any:
        """Evaluate at a design."""
        return self.value(params)

    def __repr__(self) -> str:
        return self.text


# Total functions: finite for every finite argument of moderate size.
UNARY: Mapping[str, Callable[[Any], Any]] = {
    "-{0}": lambda a: -a,
    "absolute({0})": absolute,
    "ceil({0})": ceil,
    "floor({0})": floor,
    "sqrt(absolute({0}))": lambda a: sqrt(absolute(a)),
    "log(1 + absolute({0}))": lambda a: log(1 + absolute(a)),
    "exp(minimum({0}, 3))": lambda a: exp(minimum(a, 3)),
    "{0} ** 2": lambda a: a**2,
    "maximum({0}, 0.5) ** -1.5": lambda a: maximum(a, 0.5) ** -1.5,
    "({0} * 2.5)": lambda a: a * 2.5,
    "({0} / 3)": lambda a: a / 3,
    "({0} % 4)": lambda a: a % 4,
    "({0} // 3)": lambda a: a // 3,
}
BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "({0} + {1})": lambda a, b: a + b,
    "({0} - {1})": lambda a, b: a - b,
    "({0} * {1})": lambda a, b: a * b,
    "({0} / (1 + absolute({1})))": lambda a, b: a / (1 + absolute(b)),
    "({0} / maximum({1}, 0.5))": lambda a, b: a / maximum(b, 0.5),
    "({0} // maximum(ceil({1}), 1))": lambda a, b: a // maximum(ceil(b), 1),
    "({0} % maximum({1}, 0.3))": lambda a, b: a % maximum(b, 0.3),
    "maximum({0}, {1})": maximum,
    "minimum({0}, {1})": minimum,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "({0} < {1})": lambda a, b: a < b,
    "({0} <= {1})": lambda a, b: a <= b,
    "({0} > {1})": lambda a, b: a > b,
    "({0} >= {1})": lambda a, b: a >= b,
    "({0} == {1})": lambda a, b: a == b,
    "({0} != {1})": lambda a, b: a != b,
}


def combined(template: str, function: Callable[..., Any], *terms: Term) -> Term:
    """Apply a function to terms."""
    text = template.format(*terms)
    return Term(text, lambda params: function(*(term(params) for term in terms)))


def _number(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high) | st.floats(low, high).map(lambda value: round(value, 1))


_wide = st.tuples(st.sampled_from([1.0, 2.5, 7.0]), st.integers(-6, 12)).map(
    lambda parts: parts[0] * 10.0 ** parts[1]
)


def _several(values: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=most, unique=True)


def domains(most: int = 6) -> st.SearchStrategy[Sequence[Any]]:
    """Draw the values of a numeric choice."""
    steps = st.tuples(st.integers(-9, 9), st.integers(1, most), st.sampled_from([1, 2, 5, -1, -3]))
    return st.one_of(
        _several(st.integers(-9, 20), most),
        _several(st.sampled_from([1, 2, 3, 4, 6, 8, 12, 16, 24]), most),
        steps.map(lambda part: range(part[0], part[0] + part[1] * part[2], part[2])),
        _several(_number(-8, 8), most),
        _several(_wide, most),
        _several(st.booleans(), 2),
    )


@st.composite
def spaces(draw: st.DrawFn, most: int = 6, width: int = 3) -> dict[str, Sequence[Any]]:
    """Draw a space of one to `width` numeric choices, and perhaps a mode and a machine."""
    count = draw(st.integers(1, width))
    space: dict[str, Sequence[Any]] = {name: draw(domains(most)) for name in "xyzuvw"[:count]}
    if draw(st.booleans()):
        space["mode"] = draw(_several(st.sampled_from(sorted(RATES)), 3))
    if draw(st.booleans()):
        space["machine"] = draw(_several(st.sampled_from(MACHINES), 3))
    return space


def _choice(name: str) -> Term:
    return Term(f"p[{name!r}]", lambda params: params[name])


def _switched(flag: Any) -> Any:
    return where(flag, 2.5, -1)


def _tripled(flag: Any) -> Any:
    return 3 * flag


def _leaves(space: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Term]:
    leaves = []
    for name, values in space.items():
        if isinstance(values[0], bool):
            leaves.append(combined("where({0}, 2.5, -1)", _switched, _choice(name)))
            leaves.append(combined("(3 * {0})", _tripled, _choice(name)))
        elif name not in {"mode", "machine"}:
            leaves.append(_choice(name))
    if "mode" in space:
        leaves.append(Term(f"select(p['mode'], {RATES})", lambda p: select(p["mode"], RATES)))
    if "machine" in space:
        leaves.append(Term("p['machine'].rate", lambda p: p["machine"].rate))
        leaves.append(Term("p['machine'].size", lambda p: p["machine"].size))
        if "mode" in space:
            peak = Term("p['machine'].peak(p['mode'])", lambda p: p["machine"].peak(p["mode"]))
            leaves.append(peak)
    constants = _number(-5, 9).map(lambda value: Term(repr(value), lambda _: value))
    return st.one_of(st.sampled_from(leaves), st.sampled_from(leaves), constants)


def truths(terms: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    """Draw a truth value over terms."""
    compared = st.builds(
        lambda row, a, b: combined(*row, a, b),
        st.sampled_from(sorted(COMPARISONS.items(), key=lambda row: row[0])),
        terms,
        terms,
    )
    pair = st.tuples(compared, compared)
    return st.one_of(
        compared,
        pair.map(lambda two: combined("logical_and({0}, {1})", logical_and, *two)),
        pair.map(lambda two: combined("logical_or({0}, {1})", logical_or, *two)),
        compared.map(lambda one: combined("logical_not({0})", logical_not, one)),
    )


def terms(space: Mapping[str, Sequence[Any]], most: int = 6) -> st.SearchStrategy[Term]:
    """Draw a formula over the choices of a space."""

    def extend(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        unary = st.sampled_from(sorted(UNARY.items(), key=lambda row: row[0]))
        binary = st.sampled_from(sorted(BINARY.items(), key=lambda row: row[0]))
        return st.one_of(
            st.builds(lambda row, a, b: combined(*row, a, b), binary, inner, inner),
            st.builds(lambda row, a: combined(*row, a), unary, inner),
            st.builds(
                lambda condition, a, b: combined("where({0}, {1}, {2})", where, condition, a, b),
                truths(inner),
                inner,
                inner,
            ),
        )

    return st.recursive(_leaves(space), extend, max_leaves=most)


@dataclass(frozen=True)
class Case:
    """A random question and its evaluator.

    Parameters
    ----------
    space
        The choices.
    sense
        ``minimize`` or ``maximize``.
    gain, load
        The objective, and what the constraints are about.
    unit
        The unit of both, or nothing.
    verdict
        Whether the model declares a design feasible.
    constraints
        The constraints by name.
    """

    space: Mapping[str, Sequence[Any]]
    sense: str
    gain: Term
    load: Term
    unit: str
    verdict: Term | None
    constraints: Mapping[str, str]

    def __call__(self, params: Params) -> dict[str, Any]:
        """Evaluate a design."""
        gain, load = self.gain(params), self.load(params)
        if self.unit:
            gain, load = quantity(gain, self.unit), quantity(load, self.unit)
        result = {"gain": gain, "load": load}
        if self.verdict is not None:
            result["model"] = {"feasible": self.verdict(params)}
        return result

    @property
    def problem(self) -> Problem:
        """The question as the searches take it."""
        return Problem.of(self.space, f"{self.sense}: gain", self.constraints)

    def points(self) -> Iterator[Point]:
        """Judge every design on plain numbers, by nested loops."""
        problem = self.problem
        for values in itertools.product(*self.space.values()):
            yield evaluate_point(problem, self, dict(zip(self.space, values, strict=True)))


_RELATIONS = ("<=", "<=", ">=", "<", ">", "==", "!=")


@st.composite
def cases(draw: st.DrawFn, *, most: int = 6, width: int = 3, size: int = 6) -> Case:
    """Draw a question: limits are values that the constrained metric takes, or any numbers."""
    space = draw(spaces(most, width))
    formulas = terms(space, size)
    gain, load = draw(formulas), draw(formulas)
    unit = draw(st.sampled_from(["", "", "ms"]))
    verdict = draw(st.none() | truths(terms(space, 3)))
    constraints = {}
    numeric = [name for name in space if name not in {"mode", "machine"}]
    for number in range(draw(st.integers(0, 3))):
        relation = draw(st.sampled_from(_RELATIONS))
        at = {name: draw(st.sampled_from(list(values))) for name, values in space.items()}
        kind = draw(st.sampled_from(["metric", "metric", "choices", "rest"]))
        name = draw(st.sampled_from(numeric))
        other = draw(st.sampled_from(numeric))
        if kind == "metric":
            limit = draw(st.just(float(load(at))) | _number(-20, 60))
            constraints[f"load {number}"] = f"load {relation} {limit!r} {unit}".strip()
        elif kind == "choices":
            limit = draw(st.just(float(at[name] + at[other])) | _number(-5, 30))
            constraints[f"sum {number}"] = f"{name} + {other} {relation} {limit!r}"
        else:
            divisor = draw(st.integers(2, 4))
            constraints[f"rest {number}"] = f"({name} + 2 * {other}) % {divisor} {relation} 0"
    return Case(
        space=space,
        sense=draw(st.sampled_from(["minimize", "maximize"])),
        gain=gain,
        load=load,
        unit=unit,
        verdict=verdict,
        constraints=constraints,
    )
