"""What the serving models predict for a measured row, in the row's own unit.

Rows of three kinds:

- a batch that starts together: all prompts are prefilled, then all decode in step;
- the most load that memory holds: replicas answer as fast as they can with full batches;
- users who ask again as soon as they are answered; those beyond what memory holds wait until a
  request is answered (Little's law).  Benchmarks send the first requests of all
  users at once, which then wait for one another: of ten requests of each, a tenth waits for half of
  the others' prefills, and all of them where the engine prefills first.  Some servers hand tokens
  out in groups, so that the first waits for the others of its group.
"""

import copy
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlsysim.catalog.calibration import Calibration, ServingCalibration
from mlsysim.catalog.runtime import Runtime
from mlsysim.core.solver import ContinuousBatchingModel, DisaggregatedModel, ServingModel
from mlsysim.errors import Infeasible, MissingFigureError, ParameterError
from mlsysim.stages.calibration import calibration_of
from mlsysim.stages.evidence import Evidence, evidence_on
from mlsysim.stages.stage import ForwardModel
from mlsysim.units import magnitude
from mlsysim.validation.serving_conversion import ServingQuestion, serving_question
from mlsysim.validation.serving_row import ServingRow
from mlsysim.validation.vocabulary import Latency, Load, MeasuredRuntime, ServingUnit

# TensorRT-LLM's default max_batch_size.
_LARGEST_BATCH = 2048
# Where a row does not say; that of the benchmarks that fix a number of users.
_REQUESTS_PER_USER = 10
# The engine evicts nothing, and so admits a request only where all of it has room; and it prefills
# whatever has arrived before it decodes on: users of equal lengths then stay in step, and each of
# their requests meets those of all others.
_PREFILLING_FIRST = {MeasuredRuntime.TENSORRT_LLM_0}


@dataclass(frozen=True, kw_only=True)
class ServingPrediction:
    """What is predicted for a row.

    Parameters
    ----------
    value
        In the row's unit, or None.
    ttft_ms, tpot_ms
        Time to the first token and per further token, or None.
    evidence
        Of what kind it is, or None.
    skipped
        Why there is no prediction, or None.
    """

    value: Any = None
    ttft_ms: Any = None
    tpot_ms: Any = None
    evidence: Evidence | None = None
    skipped: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngineConstants:
    """Constants to predict with in place of those of the catalogue, such as a fit tries them.

    Parameters
    ----------
    serving
        In what serving differs from training.
    runtimes
        What engines add, by name.
    families
        Family of accelerators -> figures of its `Calibration` that differ.
    """

    serving: ServingCalibration
    runtimes: Mapping[str, Runtime]
    families: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def predict_serving(row: ServingRow, constants: EngineConstants | None = None) -> ServingPrediction:
    """Predict one row.

    Parameters
    ----------
    row
        The row.
    constants
        Constants of the models; those of the catalogue unless given.
    """
    question = _question(row)
    if isinstance(question, str):
        return ServingPrediction(skipped=question)
    calibration = None
    if constants is not None:
        family = calibration_of(question.fleet.accelerator)
        calibration = copy.copy(family)  # unchecked: an array is no figure of a catalogue
        vars(calibration).update(constants.families.get(family.name, {}))
        vars(calibration)["serving"] = constants.serving
        runtime = constants.runtimes[question.arguments["runtime"]]
        question = replace(question, arguments={**question.arguments, "runtime": runtime})
    try:
        return _predict(question, calibration)
    except (Infeasible, MissingFigureError, ParameterError) as error:
        return ServingPrediction(skipped=str(error))


def shares_of_decode(row: ServingRow) -> dict[str, float]:
    """Say what a predicted decode pass consists of, as shares of it; nothing of two pools."""
    question = _question(row)
    if isinstance(question, str) or question.prefill_layout:
        return {}
    parts = _solve(question, ServingModel(), question.batch_size or 1).decode_pass_breakdown()
    times = {name: magnitude(part, "s") for name, part in parts.items()}
    total = sum(times.values())
    return {name: time / total for name, time in times.items()}


_question = functools.cache(serving_question)


def _predict(question: ServingQuestion, calibration: Calibration | None) -> ServingPrediction:
    if question.prefill_layout and question.decode_layout:
        stage: type[ForwardModel] = DisaggregatedModel
        times = _apart(question, calibration)
    elif question.row.mode is Load.USERS or (question.row.ttft_ms and question.row.tpot_ms):
        stage, times = ContinuousBatchingModel, _together(question, calibration)
    else:
        return _offline(question, calibration)
    return ServingPrediction(
        value=_of_users(question, *times),
        ttft_ms=times[0],
        tpot_ms=times[1],
        evidence=_evidence(stage, question),
    )


def _evidence(stage: type[ForwardModel], question: ServingQuestion) -> Evidence:
    return evidence_on(stage.__name__, question.fleet, question.model)


def _solve(question: ServingQuestion, stage: Any, batch: int) -> Any:
    return stage.solve(
        model=question.model,
        fleet=question.fleet,
        batch_size=batch,
        **question.layout,
        **question.arguments,
    )


def _together(question: ServingQuestion, calibration: Calibration | None) -> tuple[Any, Any]:
    """Predict users of one pool: time to first token, and per token (ms)."""
    stage = ContinuousBatchingModel(calibration=calibration)
    users = question.batch_size or 1
    held = _held(question, users)
    result = _solve(question, stage, held)
    rate = magnitude(result.request_rate, "1/s")
    prefill = 1e3 * result.prefill_share / rate
    first = magnitude(result.time_to_first_token, "ms") + 1e3 * (users - held) / rate
    between = magnitude(result.inter_token_latency, "ms")
    return first + _waits(question, held, prefill, between), between


def _held(question: ServingQuestion, users: int) -> int:
    """Count the users whose requests memory holds; the others wait until one is answered.

    An engine that gives a request all the memory that it may need holds no more than that.
    """
    if question.row.runtime not in _PREFILLING_FIRST:
        return users
    fits = _solve(question, ServingModel(), 1).max_concurrency
    return min(users, max(1, math.floor(fits) * question.layout["attention_dp_size"]))


def _waits(question: ServingQuestion, users: int, prefill: Any, between: Any) -> Any:
    """Give what a first token waits for other users' prefills and for the others of its group."""
    row = question.row
    in_step = row.runtime in _PREFILLING_FIRST
    together = 1 if in_step else _REQUESTS_PER_USER
    burst = (users - 1) / 2 * prefill / (row.requests_per_user or together)
    return burst + ((row.stream_interval or 1) - 1) * between


def _apart(question: ServingQuestion, calibration: Calibration | None) -> tuple[Any, Any]:
    """Predict users of two pools: time to first token, and per token (ms)."""
    users = question.row.concurrency or 1
    layout: dict[str, Any] = {
        f"{pool}_{name}": size
        for pool, sizes in (
            ("prefill", question.prefill_layout),
            ("decode", question.decode_layout),
        )
        for name, size in (sizes or {}).items()
    }
    result = DisaggregatedModel(calibration=calibration).solve(
        model=question.model,
        prefill_fleet=question.fleet,
        decode_fleet=question.fleet,
        batch_size=max(1, round(users / question.decode_replicas)),
        prefill_replicas=question.prefill_replicas,
        decode_replicas=question.decode_replicas,
        **layout,
        **question.arguments,
    )
    each = 1e3 / magnitude(result.prefill_capacity, "1/s")
    first = magnitude(result.time_to_first_token, "ms")
    between = magnitude(result.inter_token_latency, "ms")
    return first + _waits(question, users, each, between), between


def _of_users(question: ServingQuestion, first: Any, between: Any) -> Any:
    row = question.row
    latency = first + ((row.osl or 1) - 1) * between
    users = row.concurrency or question.batch_size or 1
    per_second = 1e3 * users * (row.osl or 1) / latency
    rates: dict[ServingUnit | None, Any] = {
        ServingUnit.TOKENS: per_second,
        ServingUnit.TOKENS_PER_ACCELERATOR: per_second / question.fleet.accelerators,
        ServingUnit.TOKENS_PER_USER: 1e3 / between,
        ServingUnit.REQUESTS: 1e3 * users / latency,
    }
    return _in_own_unit(row, first, between, rates)


def _in_own_unit(
    row: ServingRow, first: Any, between: Any, rates: Mapping[ServingUnit | None, Any]
) -> Any:
    """Give the rate or the time that a row measured, in its unit."""
    if row.unit in rates:
        return rates[row.unit]
    times = {
        Latency.TOKEN: between,
        Latency.FIRST: first,
        Latency.REQUEST: first + ((row.osl or 1) - 1) * between,
    }
    return times[row.metric or Latency.TOKEN] / (1e3 if row.unit is ServingUnit.SECONDS else 1)


def _offline(question: ServingQuestion, calibration: Calibration | None) -> ServingPrediction:
    stage, row = ServingModel(calibration=calibration), question.row
    batch = question.batch_size
    if batch is None:
        fits = _solve(question, ServingModel(), 1).max_concurrency
        batch = max(1, min(int(fits), _LARGEST_BATCH))
    result = _solve(question, stage, batch)
    prefill = 1e3 * result.prefill_share / magnitude(result.request_rate, "1/s")
    first = magnitude(result.time_to_first_token, "ms") + (batch - 1) * prefill
    between = magnitude(result.inter_token_latency, "ms")
    rates: dict[ServingUnit | None, Any] = {
        ServingUnit.TOKENS: magnitude(result.tokens_per_second, "1/s"),
        ServingUnit.TOKENS_PER_ACCELERATOR: magnitude(
            result.tokens_per_second_per_accelerator, "1/s"
        ),
        ServingUnit.TOKENS_PER_USER: magnitude(result.tokens_per_second_per_user, "1/s"),
        ServingUnit.REQUESTS: magnitude(result.request_rate, "1/s"),
    }
    return ServingPrediction(
        value=_in_own_unit(row, first, between, rates),
        ttft_ms=first,
        tpot_ms=between,
        evidence=_evidence(ServingModel, question),
    )
