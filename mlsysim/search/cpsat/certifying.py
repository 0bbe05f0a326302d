"""Write a traced question as the formulas of a certificate, and have its answer proven by them."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlsysim.certificates import Certificate, CertifiedAnswer, formulas, prove, write_certificate
from mlsysim.certificates.formulas import (
    CertifiedRequirement,
    ChoiceFormula,
    Formulas,
    NumberFormula,
    Step,
    TableFormula,
    Value,
)
from mlsysim.distribution import VERSION
from mlsysim.errors import CertificateError, TracingError
from mlsysim.expr import graph
from mlsysim.expr.graph import Apply, GraphNode, reachable
from mlsysim.problem.domain import Domain
from mlsysim.problem.problem import Problem
from mlsysim.results.candidate import Result
from mlsysim.results.result import SearchResult
from mlsysim.results.status import Status
from mlsysim.search.cpsat.question.question import TracedQuestion
from mlsysim.search.interruption import interruptible
from mlsysim.search.options import Progress, SearchOptions
from mlsysim.search.verify import Evaluator


def certified(
    found: SearchResult[Result],
    problem: Problem,
    evaluate: Evaluator,
    options: SearchOptions,
    path: Path,
) -> SearchResult[Result]:
    """Write the certificate of an answer; the answer tells its size, or why there is none.

    Parameters
    ----------
    found
        The answer.
    problem, evaluate
        What was asked.
    options
        The options of the search; the certificate has what is left of the time.
    path
        Where to write it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    began = time.perf_counter()
    limit = math.inf if options.time_limit is None else options.time_limit
    until = began + limit - found.statistics.total_seconds
    try:
        with interruptible():
            go_on = _watch(problem, options, until)
            certificate = _proven(found, problem, evaluate, go_on)
    except (CertificateError, TracingError) as reason:
        return replace(found, unfinished=(*found.unfinished, f"the certificate: {reason}"))
    except KeyboardInterrupt:
        return replace(found, unfinished=(*found.unfinished, "the certificate"))
    size = write_certificate(certificate, path)
    told = {"certificate": {"parts": certificate.parts, "bytes": size}}
    seconds = {**found.statistics.seconds, "certify": time.perf_counter() - began}
    seconds["total"] = found.statistics.total_seconds + seconds["certify"]
    extra = {**found.statistics.extra, **told}
    statistics = replace(found.statistics, seconds=seconds, extra=extra)
    return replace(found, statistics=statistics)


def _proven(
    found: SearchResult,
    problem: Problem,
    evaluate: Evaluator,
    go_on: Callable[[float], bool],
) -> Certificate:
    if found.status is Status.INFEASIBLE:
        answer = CertifiedAnswer()
    elif found.status is Status.OPTIMAL:
        space = problem.space
        positions = tuple(space[name].index(v) for name, v in found.best_params.items())
        answer = CertifiedAnswer(positions=positions, objective=float(found.best_objective))
    else:
        raise CertificateError("the answer is not proven")
    return prove(traced(problem, evaluate), answer, version=VERSION, go_on=go_on)


def _watch(problem: Problem, options: SearchOptions, until: float) -> Callable[[float], bool]:
    """Tell how much is certified, and stop in time."""
    size = problem.space.size

    def go_on(share: float) -> bool:
        if options.progress is not None:
            told = int(share * 1000) * size // 1000
            options.progress(Progress(done=told, total=size, what="designs certified"))
        return time.perf_counter() < until

    return go_on


def traced(problem: Problem, evaluate: Evaluator) -> Formulas:
    """Trace a question, and write it as formulas: what it computes, and nothing that is not asked.

    Raises
    ------
    TracingError
        If the evaluator cannot be traced.
    """
    question = TracedQuestion(problem, evaluate)
    metric, conditions = question.formulation.metrics[0], question.program().conditions
    roots: list[GraphNode] = [metric.node]
    for condition in conditions:
        roots += [condition.node, *condition.sides]
    nodes = reachable(roots)
    places = {node.position: place for place, node in enumerate(nodes)}
    return Formulas(
        choices=tuple(_choice(name, domain) for name, domain in question.problem.space.items()),
        steps=tuple(_step(node, places) for node in nodes),
        requirements=tuple(
            CertifiedRequirement(
                name=condition.name,
                holds=places[condition.node.position],
                sides=tuple(places[side.position] for side in condition.sides),
            )
            for condition in conditions
        ),
        objective=places[metric.node.position],
        sense="minimize" if question.sign > 0 else "maximize",
        text=question.problem.objective.text,
        unit=metric.unit,
    )


def _choice(name: str, domain: Domain) -> ChoiceFormula:
    if isinstance(domain.values, range):
        return ChoiceFormula(name=name, values=domain.values)
    values: tuple[Any, ...] = tuple(domain.values) if domain.is_numeric else domain.labels
    return ChoiceFormula(name=name, values=values)


def _step(node: GraphNode, places: dict[int, int]) -> Step:
    match node:
        case graph.Constant(value=value):
            return NumberFormula(value=value)
        case graph.Choice(name=name):
            return Value(choice=name)
        case graph.Table(names=names, values=values):
            return TableFormula(choices=names, values=values)
        case Apply(operation=operation, arguments=arguments):
            return formulas.Result(
                operation=operation.name,
                arguments=tuple(places[argument.position] for argument in arguments),
            )
        case _:
            raise TypeError(f"a traced question holds no {type(node).__name__}")
