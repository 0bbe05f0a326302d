"""A small plan of two runs, which many tests ask about."""

from pathlib import Path

import pytest

TEXT = """
question = "Which of two runs goes first?"
objective = "minimize: cost"
begin = 2027-01-04
end = 2027-02-01

[pipeline]
stages = ["DistributedModel"]

[fixed]
batch_size = 256
model = "Llama3_8B"

[space]
nodes = [1, 2, 4, 8]
tp_size = [1, 2]

[fleets.lab]
of = "Lab_64_H100"
price = "2 USD/hour"

[jobs.one]
work = 5e10
deadline = 2027-01-10

[jobs.two]
work = 4e10
after = ["one"]
deadline = 2027-01-16
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the plan."""
    path = tmp_path / "plan.toml"
    path.write_text(TEXT)
    return path
