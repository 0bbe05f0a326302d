"""Optuna: what a black-box sampler finds in the time that the proof takes."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.answer import Answer
from benchmarks.optional import load
from benchmarks.questions import TrainingQuestion
from benchmarks.real import RealQuestion
from benchmarks.training import MEMORY, evaluate

from mlsysim.results.status import Status
from mlsysim.search.verify import evaluate_point

_SEED = 1
# What a design is worth of which nothing is known but that it is none.
_NOTHING = 1e30


Sampled = tuple[float, list[float]]
"""What a design is worth, and how far it breaks each limit."""


def solve(question: TrainingQuestion | RealQuestion, seconds: float) -> Answer:
    """Sample designs with TPE, which learns from how far each breaks the limits.

    Parameters
    ----------
    question
        What is asked.
    seconds
        How long to sample.
    """
    optuna = load("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    objective = question.explorer().problem.objective
    sign = float(objective.sense.sign)
    sample = _real(question) if isinstance(question, RealQuestion) else _simple(question, sign)

    def price(trial: Any) -> float:
        params = {name: _suggest(trial, name, values) for name, values in question.space.items()}
        value, breaks = sample(params)
        trial.set_user_attr("breaks", breaks)
        return value

    sampler = optuna.samplers.TPESampler(
        seed=_SEED, constraints_func=lambda trial: trial.user_attrs["breaks"]
    )
    study = optuna.create_study(sampler=sampler)
    study.optimize(price, timeout=seconds)
    values = [
        sign * trial.value
        for trial in study.trials
        if trial.value is not None and max(trial.user_attrs["breaks"]) <= 0
    ]
    found = tuple(sorted(values, key=lambda value: sign * value)[:1])
    return Answer(
        status=Status.FEASIBLE if found else Status.UNKNOWN,
        objectives=found,
        details={"trials": len(study.trials)},
    )


def _simple(question: TrainingQuestion, sign: float) -> Callable[[Mapping[str, Any]], Sampled]:
    metric = "usd_per_million_tokens" if question.minimizes_dollars else "throughput"

    def sample(params: Mapping[str, Any]) -> Sampled:
        found = evaluate(params)
        return sign * float(found[metric]), _breaks(question, params, found)

    return sample


def _real(question: RealQuestion) -> Callable[[Mapping[str, Any]], Sampled]:
    """Evaluate as the engine does in the end; what is broken counts one each."""
    problem = question.explorer().problem

    def sample(params: Mapping[str, Any]) -> Sampled:
        point = evaluate_point(problem, question.evaluate, params)
        if point.reading is None:
            return _NOTHING, [float(max(1, len(point.broken)))]
        unit = point.reading.unit
        value = problem.objective.sense.sign * point.objective_in(unit)
        return value, [float(len(point.broken))]

    return sample


def _suggest(trial: Any, name: str, values: Any) -> Any:
    if len(values) > 1 and all(type(value) is int for value in values):
        step = values[1] - values[0]
        if tuple(range(values[0], values[-1] + 1, step)) == tuple(values):
            return trial.suggest_int(name, values[0], values[-1], step=step)
    return values[trial.suggest_categorical(name, list(range(len(values))))]


def _breaks(
    question: TrainingQuestion, params: Mapping[str, Any], found: dict[str, Any]
) -> list[float]:
    """Tell how far a design breaks each limit, as a share of it."""
    breaks = [
        float(found["memory"]) / MEMORY - 1,
        float(found["missing"]),
        float(found["step_time"]) / question.step_time - 1,
        float(found["usd_per_hour"]) / question.usd_per_hour - 1,
        float(found["days"]) / question.days - 1,
    ]
    if question.divisible:
        width = params["tp"] * params["pp"]
        breaks += [
            float(params["batch"] % (found["replicas"] * params["micro"])),
            float(found["padding"]),
            float(80 % (params["pp"] * params["virtual"])),
            float(8 * params["nodes"] % width),
        ]
    return breaks
