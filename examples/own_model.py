"""A model of your own: two compiled questions and a constraint between them in one `CpModel`.

    python examples/own_model.py

Two teams train on one cluster.  Each asks its own question; the nodes that they share are
a constraint that neither question knows, stated in OR-Tools' own words.  What the solver
finds is evaluated on plain numbers before it is believed.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ortools.sat.python import cp_model

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.solver import DistributedModel

MODELS = mlsysim.Models.Language
# Team -> what it trains, on how many tokens, within how many days.
TEAMS = {"chat": (MODELS.Llama3_70B, 1.5e12, 60), "code": (MODELS.Llama3_8B, 5e12, 45)}
SPACE = {"nodes": range(8, 129, 8), "tp": [1, 2, 4, 8], "pp": [1, 2, 4], "micro_batch": [1, 2]}
NODES = 128
NODE_HOUR = mlsysim.quantity(16.0, "USD/hour")


def evaluate(team: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Time and price the training of one team."""
    model, tokens, _ = TEAMS[team]
    run = DistributedModel().solve(
        model=model,
        fleet=mlsysim.Systems.Clusters.Production_2K,
        nodes=params["nodes"],
        batch_size=1024,
        seq_len=8192,
        tp_size=params["tp"],
        pp_size=params["pp"],
        micro_batch_size=params["micro_batch"],
        precision="bf16",
    )
    time = (tokens / run.effective_throughput).to("day")
    return {"run": run, "time": time, "cost": params["nodes"] * time * NODE_HOUR}


def main() -> None:
    """Compile both questions into one model, add what they share, and solve it."""
    model = cp_model.CpModel()
    plans = {}
    for team, (_, _, days) in TEAMS.items():
        question = DSE(SPACE, "minimize: cost", {"deadline": f"time <= {days} day"})
        plans[team] = question.compile(partial(evaluate, team), into=model, name=team)
    model.add(sum(plan.variables["nodes"] for plan in plans.values()) <= NODES)
    costs = [plan.metrics["cost"] for plan in plans.values()]
    unit = min(cost.scale for cost in costs)  # every scale is a power of two
    model.minimize(sum(round(cost.scale / unit) * cost.expression for cost in costs))

    solver = cp_model.CpSolver()
    # Two passes of OR-Tools 9.15 lose solutions of models with large numbers.
    solver.parameters.auto_detect_greater_than_at_least_one_of = False
    solver.parameters.presolve_inclusion_work_limit = 0
    status = solver.status_name(solver.solve(model))
    if status not in {"OPTIMAL", "FEASIBLE"}:
        print(f"{status}: no plan for {NODES} nodes was found")
        return
    total = 0.0
    for team, plan in plans.items():
        params = plan.params(solver)
        found = evaluate(team, params)
        total += found["cost"].m_as("USD")
        print(
            f"{team}: {params['nodes']} nodes, tp={params['tp']}, pp={params['pp']}, "
            f"micro-batch {params['micro_batch']}: {found['time'].m_as('day'):.1f} days, "
            f"{found['cost'].m_as('USD'):,.0f} USD"
        )
    told = ", none cheaper" if status == "OPTIMAL" else ", cheaper ones not ruled out"
    print(f"{status}: {total:,.0f} USD on {NODES} nodes{told}")


if __name__ == "__main__":
    main()
