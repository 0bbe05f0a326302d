"""SCIP through PySCIPOpt: the training question as a mixed-integer nonlinear program.

One Boolean per value of each small choice, whole numbers for nodes, batch,
replicas and micro-batches, rounding by pairs of inequalities, reciprocals of
choices as sums of Booleans. Gigabytes and thousands of tokens keep the
coefficients near one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.answer import Answer
from benchmarks.optional import load
from benchmarks.questions import TrainingQuestion
from benchmarks.training import (
    ACCELERATORS_PER_NODE,
    ACHIEVED_FLOPS,
    HIDDEN,
    HIDDEN_SHARE,
    LAYERS,
    LINK_BANDWIDTH,
    LINK_LATENCY,
    MEMORY,
    NIC_BANDWIDTH,
    NIC_LATENCY,
    OPTIMIZER_SECONDS,
    PARAMETERS,
    RESERVED,
    SECONDS_PER_DAY,
    SEQUENCE,
    TRAINING_TOKENS,
    USD_PER_NODE_HOUR,
    evaluate,
)

from mlsysim.results.status import Status

# SCIP's own tolerance: it may take a design that breaks a limit by this much.
TOLERANCE = 1e-6
_GIGA = 1e9
_TOKENS = SEQUENCE / 1e3
_STATUS = {"optimal": Status.OPTIMAL, "infeasible": Status.INFEASIBLE}


def solve(question: TrainingQuestion, seconds: float) -> Answer:
    """Answer by SCIP; the best design only.

    Parameters
    ----------
    question
        What is asked.
    seconds
        The time limit.
    """
    model = load("pyscipopt").Model()
    model.hideOutput()
    model.setParam("limits/time", seconds)
    choices = _Choices(model, question)
    _write(model, question, choices)
    model.optimize()
    status = _STATUS.get(model.getStatus())
    if model.getNSols() == 0:
        return Answer(status=status or Status.UNKNOWN)
    found = evaluate(choices.design(model.getBestSol()))
    metric = "usd_per_million_tokens" if question.minimizes_dollars else "throughput"
    return Answer(
        status=status or Status.FEASIBLE,
        objectives=(float(found[metric]),),
        details={"gap": float(model.getGap()), "nodes": int(model.getNTotalNodes())},
    )


class _Choices:
    """The variables of the choices."""

    def __init__(self, model: Any, question: TrainingQuestion) -> None:
        self._model = model
        self._space = question.space
        self.nodes = self._whole("nodes")
        self.batch = self._whole("batch")
        self.picks: Mapping[str, list[Any]] = {
            name: [model.addVar(vtype="B") for _ in values]
            for name, values in question.space.items()
            if name not in {"nodes", "batch"}
        }
        for picks in self.picks.values():
            model.addCons(sum(picks) == 1)

    def _whole(self, name: str) -> Any:
        values = self._space[name]
        number = self._model.addVar(vtype="I", lb=values[0], ub=values[-1])
        step = values[1] - values[0]
        if step > 1:
            count = self._model.addVar(vtype="I", lb=0, ub=len(values) - 1)
            self._model.addCons(number == values[0] + step * count)
        return number

    def table(self, name: str, value: Callable[[int], float]) -> Any:
        """Give a function of one choice: linear in its Booleans."""
        pairs = zip(self._space[name], self.picks[name], strict=True)
        return sum(value(each) * pick for each, pick in pairs)

    def design(self, solution: Any) -> dict[str, int]:
        """Read a design off a solution."""
        design = {"nodes": round(solution[self.nodes]), "batch": round(solution[self.batch])}
        for name, picks in self.picks.items():
            shares = [float(solution[pick]) for pick in picks]
            design[name] = self._space[name][shares.index(max(shares))]
        return {name: design[name] for name in self._space}


def _write(model: Any, question: TrainingQuestion, choices: _Choices) -> None:  # noqa: PLR0915
    def number(low: float, high: float | None = None) -> Any:
        return model.addVar(vtype="C", lb=low, ub=high)

    def whole(low: int, high: int) -> Any:
        return model.addVar(vtype="I", lb=low, ub=high)

    def equal(expression: Any, low: float = 0.0) -> Any:
        variable = number(low)
        model.addCons(variable == expression)
        return variable

    table, batch = choices.table, choices.batch
    tp, pp, micro, virtual = (table(name, float) for name in ("tp", "pp", "micro", "virtual"))
    tp_inverse, pp_inverse, virtual_inverse = (
        table(name, lambda value: 1 / value) for name in ("tp", "pp", "virtual")
    )
    many = table("virtual", lambda value: float(value > 1))
    most_batch = question.space["batch"][-1]
    most = ACCELERATORS_PER_NODE * question.space["nodes"][-1]

    # Replicas, micro-batches and the whole groups of an interleaved schedule.
    accelerators = ACCELERATORS_PER_NODE * choices.nodes
    width = equal(tp * pp, 1)
    replicas = whole(1, most)
    model.addCons(replicas * width <= accelerators)
    at_once = equal(replicas * micro, 1)
    exact = whole(1, most_batch)
    model.addCons(exact * at_once >= batch)
    group = equal(1 + many * (pp - 1), 1)
    groups = whole(1, most_batch)
    count = equal(group * groups, 1)
    model.addCons(count >= exact)
    if question.divisible:
        model.addCons(replicas * width == accelerators)
        model.addCons(exact * at_once == batch)
        model.addCons(count == exact)
    else:
        model.addCons((replicas + 1) * width >= accelerators + 1)
        model.addCons((exact - 1) * at_once <= batch - 1)
        model.addCons(count <= exact + group - 1)

    layers = equal(_layers(model, question, choices), 1)
    tokens = SEQUENCE * micro
    work = table("recompute", lambda level: (6.0, 6.4, 8.0)[level])
    compute = work * (PARAMETERS / LAYERS / ACHIEVED_FLOPS) * tokens * tp_inverse
    per_link = 2.0 * HIDDEN / LINK_BANDWIDTH
    ring = 8 * (tp - 1) * (tokens * per_link * tp_inverse + LINK_LATENCY)
    per_nic = 2.0 * HIDDEN / NIC_BANDWIDTH
    several = table("pp", lambda value: float(value > 1))
    send = several * 2 * virtual * (NIC_LATENCY + tokens * per_nic * tp_inverse)
    per_layer = equal(compute + ring)
    stage = equal(layers * per_layer + send)
    share = equal(tp_inverse * pp_inverse)
    alone = number(0, 1)
    model.addCons(alone * replicas == 1)
    extra = number(0)
    gathers = table("zero", lambda level: 1.5 if level == 3 else 1.0)
    exchange = (4.0 / NIC_BANDWIDTH * PARAMETERS) * share * (1 - alone) * gathers
    model.addCons(extra >= exchange - HIDDEN_SHARE * stage)
    step = number(0, question.step_time)
    bubble = stage * (pp - 1) * virtual_inverse
    model.addCons(step == count * stage + bubble + extra + OPTIMIZER_SECONDS)

    whole_state = table("zero", lambda level: (18.0, 6.0, 2.0, 0.0)[level])
    split_state = table("zero", lambda level: (0.0, 12.0, 16.0, 18.0)[level])
    state = (PARAMETERS / _GIGA) * share * (whole_state + split_state * alone)
    few = model.addVar(vtype="B")
    held = number(0)
    model.addCons(held >= count - most_batch * (1 - few))
    model.addCons(held >= pp - max(question.space["pp"]) * few)
    flight = equal(held * (1 + many * (pp - 1) * pp_inverse * virtual_inverse))
    saved = table("recompute", lambda level: (34.0, 20.0, 2.0)[level])
    per_stage = equal(saved * micro * tp_inverse * layers)
    activations = (SEQUENCE * HIDDEN / _GIGA) * per_stage * flight
    model.addCons(state + activations <= (MEMORY - RESERVED) / _GIGA)

    _ask(model, question, choices, step)


def _layers(model: Any, question: TrainingQuestion, choices: _Choices) -> Any:
    """Give the layers of the fullest stage, by both choices that decide them."""
    total: Any = 0
    depths: Sequence[int] = question.space["pp"]
    for depth, pick in zip(depths, choices.picks["pp"], strict=True):
        for chunks, other in zip(question.space["virtual"], choices.picks["virtual"], strict=True):
            if question.divisible and LAYERS % (depth * chunks):
                model.addCons(pick + other <= 1)
            else:
                total += chunks * -(-LAYERS // (depth * chunks)) * pick * other
    return total


def _ask(model: Any, question: TrainingQuestion, choices: _Choices, step: Any) -> None:
    """Add budget, deadline and objective."""
    model.addCons(USD_PER_NODE_HOUR * choices.nodes <= min(question.usd_per_hour, 1e9))
    # What the arithmetic alone takes bounds the speed.
    most = ACCELERATORS_PER_NODE * question.space["nodes"][-1]
    fastest = most * ACHIEVED_FLOPS / (6 * PARAMETERS) / 1e3
    needed = TRAINING_TOKENS / SECONDS_PER_DAY / question.days / 1e3
    speed = model.addVar(lb=needed, ub=max(needed, fastest))
    model.addCons(speed * step <= choices.batch * _TOKENS)
    if question.minimizes_dollars:
        price = model.addVar(lb=0, ub=None)
        model.addCons(price * speed >= choices.nodes * (USD_PER_NODE_HOUR / 3.6))
        model.setObjective(price, "minimize")
    else:
        model.setObjective(speed, "maximize")
