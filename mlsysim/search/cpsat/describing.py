"""A compiled model in words: choices, requirements, terms, and how large it is."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlsysim.problem.domain import Domain
from mlsysim.search.cpsat.question.formulation import Requirement
from mlsysim.search.cpsat.stage_terms import StageTerms

if TYPE_CHECKING:
    from mlsysim.search.cpsat.compiling import CompiledModel, CompiledNumber

_MANY = 8
_WIDTH = 100
_IMPOSSIBLE = (
    "No combination can meet all requirements: intervals show it, and the model says no more."
)


def described(model: "CompiledModel") -> str:
    """Tell a model in words."""
    # First: the numbers of requirements go in when they are asked for.
    terms = list(StageTerms(model.question, model.lowered).lines())
    told = [*_choices(model), "", *_objective(model), "", *_requirements(model), ""]
    if model.lowered.is_impossible:
        told += [_IMPOSSIBLE, ""]
    elif terms:
        told += ["Terms", *terms, ""]
    return "\n".join([*told, *_size(model)]) + "\n"


def _choices(model: "CompiledModel") -> Iterator[str]:
    yield "Choices"
    for name, domain in model.question.problem.space.items():
        yield f"  {name}: {_values(domain)}"


def _values(domain: Domain) -> str:
    """Write the values of a choice: those of a long one by their ends and their step."""
    count = len(domain)
    if count > _MANY and isinstance(domain.values, range):
        ends = f"{domain.values[0]:,} to {domain.values[-1]:,}"
        step = domain.values.step
        return ends if step == 1 else f"{ends} in steps of {step:,}"
    values = [str(getattr(value, "name", value)) for value in domain.values[:_MANY]]
    more = f", ... ({count:,} values)" if count > _MANY else ""
    return f"{', '.join(values)}{more}"


def _objective(model: "CompiledModel") -> Iterator[str]:
    unit = f" {model.question.unit}" if model.question.unit else ""
    yield "Objective"
    yield f"  {model.question.problem.objective.text}" + (f"  [{unit.strip()}]" if unit else "")
    yield f"    a solution tells it to within {model.objective_error:.2g}{unit}"
    if model.known is not None:
        yield f"    designs worse than one that is known, at {model.known:.6g}{unit}, are left out"


def _requirements(model: "CompiledModel") -> Iterator[str]:
    if model.constraints:
        yield "Requirements"
    for name, constraint in model.constraints.items():
        asked = [item for item in model.question.requirements if item.name == name]
        yield from _reasons(model, name, asked)
        for side in (constraint.left, constraint.right):
            if side is not None and side.low < side.high:
                yield f"    {_span(side)}"


def _reasons(model: "CompiledModel", name: str, asked: list[Requirement]) -> Iterator[str]:
    """List what a requirement asks for; of a verdict what some design of the space may fail."""
    open_ = [item.reason for item in asked if not model.question.always_holds(item.truth)]
    met = len(asked) - len(open_)
    if len(asked) == 1:
        open_, met = [asked[0].reason], 0
    told = "; ".join(dict.fromkeys(open_))
    if met:
        others = f"{met} conditions that every design meets"
        told = f"{told}; and {others}" if told else others
    yield from _wrapped(f"  {name}: {told}")


def _span(side: "CompiledNumber") -> str:
    unit = f" {side.unit}" if side.unit else ""
    told = f"from {side.low:.4g} to {side.high:.4g}{unit}"
    return f"{told}, told to within {side.error:.2g}{unit}" if side.error else f"{told}, exactly"


def _size(model: "CompiledModel") -> Iterator[str]:
    yield "Model"
    proto = model.model.proto
    yield f"  {len(proto.variables):,} variables, {len(proto.constraints):,} constraints"
    for group in model.lowered.lowering.groups:
        if len(group.names) > 1:
            names = ", ".join(group.names)
            told = f"{len(group):,} combinations of {names}"
            yield from _wrapped(f"  {told} that can matter, a literal each")
    counted = Counter(encoding.kind for encoding in model.encodings)
    for kind, count in counted.items():
        own = [encoding for encoding in model.encodings if encoding.kind is kind]
        size = sum(encoding.size for encoding in own)
        error = max(encoding.error for encoding in own)
        off = f", error up to {error:.1e}" if error else ", exact"
        pieces = f": {size:,} pieces" if size > count else ""
        yield f"  {count:,} x {kind.value}{pieces}{off}"


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent="      ", break_long_words=False, break_on_hyphens=False
    )
