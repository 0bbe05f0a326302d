"""Which of three runs goes when on 64 nodes, and what a later deadline saves."""

from pathlib import Path
from tempfile import TemporaryDirectory

import mlsysim

TEXT = """
question = "Which of three runs goes when?"
objective = "minimize: cost"
begin = 2027-01-04
end = 2027-03-01

[pipeline]
stages = ["DistributedModel"]

[fixed]
batch_size = 512
precision = "bf16"

[space]
nodes = { from = 4, to = 64, step = 4 }
tp_size = [1, 2, 4, 8]
pp_size = [1, 2, 4, 8]

[fleets.main]
of = "Training_512_H100"
price = "2 USD/hour"

[fleets.main.calendar.maintenance]
begin = 2027-01-16
end = 2027-01-18

[jobs.base]
work = 6e11
fixed = { model = "Llama3_70B" }
restart = "2 hour"

[jobs.chat]
work = 1e11
fixed = { model = "Llama3_70B" }
after = ["base"]
deadline = 2027-02-10

[jobs.code]
work = 1e12
fixed = { model = "Llama3_8B" }
deadline = 2027-01-25
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "quarter.toml"
        file.write_text(TEXT, encoding="utf-8")
        print(mlsysim.load_plan(file).solve(workers=2))
        print("\nWith chat done by ... the plan costs")
        for date in ("2027-02-03", "2027-02-10", "2027-02-24"):
            answer = mlsysim.load_plan(file, {"jobs.chat.deadline": date}).solve(workers=2)
            told = f"{answer.objectives[0]:,.0f} USD" if answer.objectives else "no plan"
            print(f"  {date}  {told}")


if __name__ == "__main__":
    main()
