"""Whatever a notebook shows of a question is a table of it."""

from pathlib import Path

import mlsysim
from mlsysim.plans.records.fleet import Fleet
from mlsysim.plans.records.job import Job, Row

MODELS = Path(__file__).parents[2] / "models"


def test_a_space_lists_its_choices() -> None:
    """Of many values the first few and the last; what is written is not taken for HTML."""
    shown = mlsysim.SearchSpace({"x": range(100), "kind": ["<b>", "c"]})._repr_html_()
    assert "200 designs" in shown
    assert "8, 9, ..., 99" in shown
    assert "&lt;b&gt;, c" in shown


def test_a_question_tells_goal_limits_and_choices() -> None:
    """In Python and from a file, which begins with its prose."""
    explorer = mlsysim.DSE({"x": [1, 2]}, "maximize: gain", {"cap": "x <= 1"})
    shown = explorer._repr_html_()
    assert all(word in shown for word in ("maximize: gain", "cap", "x &lt;= 1", "2 designs"))
    question = mlsysim.load(MODELS / "training" / "tutorial.toml")
    told = question._repr_html_()
    assert question.explorer._repr_html_() in told
    assert question.text.split()[0] in told


def test_a_pipeline_and_its_stages_tell_what_they_do() -> None:
    """A stage lists its arguments with default, range and meaning."""
    stage = mlsysim.GoodputModel()
    shown = mlsysim.Pipeline([mlsysim.DistributedModel(), stage])._repr_html_()
    assert mlsysim.DistributedModel.summary() in shown
    assert stage.summary() in shown
    arguments = stage._repr_html_()
    assert "required" in arguments
    assert all(name in arguments for name in stage.inputs())


def test_a_plan_lists_its_jobs() -> None:
    """From when until when, after which, and in how many ways."""
    rows = tuple(Row(fleet="lab", nodes=nodes, seconds=7200) for nodes in (1, 2))
    jobs = [Job(name="a", rows=rows), Job(name="b", rows=rows, after=("a",), deadline=36 * 3600)]
    shown = mlsysim.Plan(jobs, [Fleet(name="lab", nodes=3)])._repr_html_()
    assert "<td>b</td><td>day 0 00:00</td><td>day 1 12:00</td><td>a</td><td>2</td>" in shown
    filed = mlsysim.load_plan(MODELS / "plans" / "quarter.toml")
    assert all(job.job.name in filed._repr_html_() for job in filed.jobs)
