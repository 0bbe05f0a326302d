"""The text of a compiled model names the stages' terms, and says the truth of them."""

import re
from pathlib import Path

import pytest

from mlsysim.files.question import load
from mlsysim.results.breakdowns import breakdowns_of

MODELS = Path(__file__).parents[3] / "models"
TERM = re.compile(r"^    (?P<name>[\w -]+): (?P<low>[^ ;]+)(?: to (?P<high>[^ ;]+))? [^;]*; ")
ROUNDED = 1e-3  # four digits are written


def told(name: str) -> str:
    """Give the text of the model of a question file."""
    question = load(MODELS / name)
    return question.explorer.compile(question.evaluate).describe()


def test_the_tutorial_is_told_by_stage_in_words_with_units() -> None:
    """What is added up stands by its names, with its limit, and how it went in."""
    text = told("training/tutorial.toml")
    memory = "weights + gradients + optimizer + activations + logits + reserve"
    assert f"  DistributedModel.memory: {memory} <= 85.52 GB\n" in text
    time = "compute + tensor + pipeline + data + bubble + optimizer + straggler"
    assert f"  DistributedModel.step_latency_total: {time}\n" in text
    assert re.search(r"    compute: \S+ to \S+ ms; in the objective: table of 48 comb", text)
    assert "    energy: " in text
    assert "not in the model: nothing that is asked depends on it" in text


def test_a_large_question_says_what_is_no_table() -> None:
    """A product that was divided among combinations says so, with its pieces and its error."""
    text = told("training/many_layouts.toml")
    assert re.search(r"straggler: .* ms; product with a table, \d+ pieces, off by at most", text)
    met = r"weights: .* GB; in headroom, which every combination that is left meets"
    assert re.search(met, text)


def test_a_cost_that_is_asked_for_says_its_table() -> None:
    """The terms of a sum over one group go in as one table, and an objective is never met."""
    text = told("serving/cheapest_region.toml")
    assert re.search(r"    capital: .* USD/h; table of [\d,]+ combinations, exact", text)
    assert re.search(r"    energy: .* USD/h; product with a table, 8 pieces, off by at most", text)
    assert "the objective, which" not in text


@pytest.mark.parametrize("name", ["training/tutorial.toml", "serving/cheapest_region.toml"])
def test_every_range_holds_the_best_design(name: str) -> None:
    """No term's value at the optimum lies outside the range that the text gives it."""
    question = load(MODELS / name)
    model = question.explorer.compile(question.evaluate)
    lines = model.describe().partition("\nTerms\n")[2].splitlines()
    terms = {}
    for line in lines:
        if line.startswith("  ") and not line.startswith("   "):
            stage = line.strip().partition(":")[0].replace("step_latency_total", "time")
        elif found := TERM.match(line):
            low = float(found["low"])
            terms[f"{stage}.{found['name']}"] = low, float(found["high"] or low)
    best = question.solve().best_result
    values = {
        f"{item.stage}.{item.name}.{part.name}": part.value
        for item in breakdowns_of(best)
        for part in item.parts
    }
    assert len(terms) > 1
    for term, (low, high) in terms.items():
        margin = ROUNDED * max(abs(low), abs(high))
        assert low - margin <= values[term] <= high + margin


def test_a_stage_without_parts_tells_what_is_asked_of_it() -> None:
    """The days and dollars of a whole run have no parts; they stand there with their ranges."""
    question = load(MODELS / "training" / "days_to_train.toml")
    text = question.explorer.compile(question.evaluate).describe()
    (line,) = [row for row in text.splitlines() if row.startswith("  GoodputModel.usd_to_train: ")]
    assert " to " in line
    assert "; " in line


def test_a_verdict_tells_what_a_design_may_fail() -> None:
    """Conditions that every design meets are counted, and no line is longer than a screen."""
    text = told("training/many_layouts.toml")
    verdict = text[text.index("  DistributedModel.feasible: ") : text.index("\nTerms\n")]
    assert "memory" in verdict
    assert "latent attention" not in verdict
    assert re.search(r"and \d+ conditions that every design meets", verdict.replace("\n     ", ""))
    requirements = text[: text.index("\nTerms\n")]
    assert max(map(len, requirements.splitlines())) <= 100
    assert "  batch_size: 1024, 2048, 4096\n" in text


def test_a_long_choice_is_told_by_its_ends() -> None:
    """Hundreds of batch sizes are a range, and a sum of several parts is no table."""
    assert "  batch_size: 1 to 256\n" in told("serving/chat_on_one_accelerator.toml")
