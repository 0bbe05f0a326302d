"""The tutorial: search a grid of parallel layouts declaratively, without nested loops."""

import mlsysim
from mlsysim.core.dse import DSE
from mlsysim.core.pipeline import Pipeline
from mlsysim.core.solver import DistributedModel, EconomicsModel

# Our fixed baseline constants
model = mlsysim.Models.Language.Llama3_70B
fleet = mlsysim.Systems.Clusters.Frontier_8K


# The evaluation function accepts a dictionary of parameters and returns a structured object
def evaluate_config(params):
    pipe = Pipeline([DistributedModel(), EconomicsModel()])
    return pipe.run(
        model=model,
        fleet=fleet,
        batch_size=params["batch_size"],
        tp_size=params["tp"],
        pp_size=params["pp"],
        precision="fp16",
        efficiency=0.45,
        duration_days=30,
    )


# 1. Define the dimensions of your search grid
space = {
    "batch_size": [16, 32, 64, 128],
    "tp": [1, 2, 4, 8],
    "pp": [1, 2, 4],
}

# 2. Initialize the Design Space Explorer
dse = DSE(
    space=space,
    objective="maximize: DistributedModel.effective_throughput",
)

# 3. Search! (Tests all 4 * 4 * 3 = 48 combinations analytically)
print("Starting search...")
result = dse.search(evaluate_config)

# 4. Analyze the best configuration
best_params = result["best_params"]
best_throughput = result["best_objective"]

print(
    f"\nBest Configuration: TP={best_params['tp']}, PP={best_params['pp']}, "
    f"Batch={best_params['batch_size']}"
)
print(f"Max Throughput: {best_throughput:,.0f} tokens/sec")

# 5. Look at the runners-up
print("\nTop 3 Configurations:")
print(f"{'TP':>4} | {'PP':>4} | {'Batch':>6} | {'Throughput':>12} | {'Latency':>10}")
print("-" * 45)

for candidate in result["top_candidates"][:3]:
    p = candidate["params"]
    dist_res = candidate["result"]["DistributedModel"]
    throughput = dist_res.effective_throughput.m_as("1/s")
    latency = dist_res.step_latency_total.m_as("ms")
    print(
        f"{p['tp']:>4} | {p['pp']:>4} | {p['batch_size']:>6} | "
        f"{throughput:>12,.0f} | {latency:>10.1f}ms"
    )
