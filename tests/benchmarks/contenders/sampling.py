"""Optuna: what a black-box sampler finds in the time that the proof takes."""

from typing import Any

from benchmarks.answer import Answer
from benchmarks.optional import load
from benchmarks.questions import TrainingQuestion
from benchmarks.training import MEMORY, evaluate

from mlsysim.results.status import Status

_SEED = 1


def solve(question: TrainingQuestion, seconds: float) -> Answer:
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
    sign = 1.0 if question.minimizes_dollars else -1.0
    metric = "usd_per_million_tokens" if question.minimizes_dollars else "throughput"

    def price(trial: Any) -> float:
        params = {name: _suggest(trial, name, values) for name, values in question.space.items()}
        found = evaluate(params)
        trial.set_user_attr("breaks", _breaks(question, params, found))
        return sign * float(found[metric])

    sampler = optuna.samplers.TPESampler(
        seed=_SEED, constraints_func=lambda trial: trial.user_attrs["breaks"]
    )
    study = optuna.create_study(sampler=sampler)
    study.optimize(price, timeout=seconds)
    values = {
        tuple(trial.params.values()): sign * trial.value
        for trial in study.trials
        if trial.value is not None and max(trial.user_attrs["breaks"]) <= 0
    }
    found = tuple(sorted(values.values(), key=lambda value: sign * value)[:1])
    return Answer(
        status=Status.FEASIBLE if found else Status.UNKNOWN,
        objectives=found,
        details={"trials": len(study.trials)},
    )


def _suggest(trial: Any, name: str, values: Any) -> int:
    step = values[1] - values[0] if len(values) > 1 else 1
    if len(values) > 1 and tuple(range(values[0], values[-1] + 1, step)) == tuple(values):
        return int(trial.suggest_int(name, values[0], values[-1], step=step))
    return int(trial.suggest_categorical(name, list(values)))


def _breaks(
    question: TrainingQuestion, params: dict[str, int], found: dict[str, Any]
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
