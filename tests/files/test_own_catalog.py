"""Questions about accelerators, clusters and models of the user's own."""

from pathlib import Path

import pytest

from mlsysim.catalog.user import load_catalog
from mlsysim.errors import CatalogError, InputError, QuestionError
from mlsysim.files.question import load

CONFIGURATION = Path(__file__).parents[1] / "catalog" / "hf" / "Llama-3.1-8B.json"
CATALOG = f"""
[accelerators.H100_leased]
like = "H100_SXM"
rental_prices = {{ ours = "1.9 USD/hour" }}

[nodes.Pod]
like = "DGX_H100"
accelerator = "H100_leased"

[clusters.My_Fleet]
node = "Pod"
nodes = 16
fabric = "IB_NDR"

[models.My_Llama]
hugging_face = "{CONFIGURATION}"
"""
QUESTION = """
question = "Which layout trains our model fastest on our fleet?"
objective = "maximize: DistributedModel.effective_throughput"
catalog = ["mine.toml"]

[pipeline]
stages = ["DistributedModel"]

[fixed]
model = "My_Llama"
batch_size = 1024
precision = "bf16"
efficiency = 0.6

[space]
fleet = ["My_Fleet", "Kempner_H100_384"]
tp_size = [1, 2, 4]
"""


def write(folder: Path, question: str = QUESTION, catalog: str = CATALOG) -> Path:
    """Put a question beside its catalogue."""
    (folder / "mine.toml").write_text(catalog, encoding="utf-8")
    path = folder / "question.toml"
    path.write_text(question, encoding="utf-8")
    return path


def test_own_names_are_used_like_those_of_the_package(tmp_path: Path) -> None:
    """Both engines answer; the fleets keep their names."""
    question = load(write(tmp_path))
    assert question.evaluate.fixed["model"].parameters == 8_030_261_248
    assert [fleet.name for fleet in question.problem.space["fleet"].values] == [
        "My_Fleet",
        "Kempner_H100_384",
    ]
    solved = question.solve()
    reference = question.solve(method="exhaustive")
    assert solved.best_params == reference.best_params
    # 16 nodes of 8
    assert question.problem.space["fleet"].values[0].accelerators == 128


@pytest.mark.parametrize(
    ("question", "catalog", "message"),
    [
        (
            QUESTION.replace("mine.toml", "mone.toml"),
            CATALOG,
            r"question\.toml: catalog: .*mone\.toml: cannot be read",
        ),
        (
            QUESTION.replace('"mine.toml"', '"mine.toml", "mine.toml"'),
            CATALOG,
            "two of its files call something 'H100_leased'; rename one",
        ),
        (
            QUESTION.replace('"My_Llama"', '"My_Fleet"'),
            CATALOG,
            r"fixed\.model: 'My_Fleet' is of kind Cluster, not LanguageModel",
        ),
        (
            QUESTION.replace('"bf16"', '"My_Fleet"'),
            CATALOG,
            r"fixed\.precision: 'My_Fleet' is of kind Cluster, not an entry of a catalogue",
        ),
        (
            QUESTION,
            CATALOG.replace("nodes = 16", 'nodes = "16"'),
            r"mine\.toml: clusters\.My_Fleet\.nodes: '16' is not a whole number",
        ),
        (QUESTION.replace('["mine.toml"]', '"mine.toml"'), CATALOG, "catalog: expected a list"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(
    question: str, catalog: str, message: str, tmp_path: Path
) -> None:
    """The message names the file that has to be changed, and what in it."""
    with pytest.raises(InputError, match=message):
        load(write(tmp_path, question, catalog))


def test_own_names_can_be_set(tmp_path: Path) -> None:
    """A setting may name an entry of the question's own catalogue that the space does not have."""
    other = QUESTION.replace('"My_Fleet", ', "")
    question = load(write(tmp_path, other))
    priced = question.evaluate_at({"fleet": "My_Fleet", "tp_size": "4"})
    same = load(write(tmp_path)).evaluate_at({"fleet": "My_Fleet", "tp_size": "4"})
    assert priced.point.params["fleet"].nodes == 16
    assert priced.point.objective == same.point.objective
    changed, _ = question.with_settings({"model": "My_Llama"})
    assert changed.evaluate.fixed["model"].name == "My_Llama"


def test_without_the_key_own_names_are_unknown(tmp_path: Path) -> None:
    """Nothing is read that the question does not name."""
    with pytest.raises(QuestionError, match="the catalogue has no LanguageModel 'My_Llama'"):
        load(write(tmp_path, QUESTION.replace('catalog = ["mine.toml"]\n', "")))


def test_a_model_of_the_users_own_has_groups_of_layers(tmp_path: Path) -> None:
    """Tables below the model; what they leave out they have from it, and a typing error is told."""
    text = """
[models.Mine]
layers = 12
hidden = 512
heads = 8
ffn = 2048
vocab = 1000
max_context = 4096

[[models.Mine.groups]]
name = "near"
layers = 9
sliding_window = 256

[[models.Mine.groups]]
name = "full"
layers = 3
"""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    mine = load_catalog(path).models["Mine"]
    assert [group.layers for group in mine.layer_groups] == [9, 3]
    assert mine.full_attention_layers == 3
    path.write_text(text.replace("sliding_window", "sliding_windw"), encoding="utf-8")
    with pytest.raises(CatalogError, match="unknown key 'sliding_windw'; did you mean"):
        load_catalog(path)
    path.write_text(text.replace("layers = 9", "layers = 8"), encoding="utf-8")
    with pytest.raises(CatalogError, match="groups of 11 layers in all, but 12 layers"):
        load_catalog(path)


FOUR_NODES = """
question = "Four nodes"
objective = "maximize: DistributedModel.effective_throughput"
[pipeline]
stages = ["DistributedModel"]
[fixed]
model = "Llama3_8B"
batch_size = 256
[fixed.fleet]
node = "DGX_H100"
nodes = 4
fabric = "IB_NDR"
[space]
tp_size = [1, 8]
"""


def test_a_cluster_is_described_where_it_is_used(tmp_path: Path) -> None:
    """So many of a node on a fabric, in three lines and without a catalogue file."""
    path = tmp_path / "four.toml"
    path.write_text(FOUR_NODES, encoding="utf-8")
    best = load(path).solve().best_result["DistributedModel"]
    assert best.data_parallel_size * best.parallelism["tp"] == 32


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        ('fabric = "IB_NDR"', 'fabric = "IB_NDX"', "no 'IB_NDX'; did you mean 'IB_NDR'"),
        ('fabric = "IB_NDR"', 'fabric = "400 Gb/s"', "'mlsysim list fabrics' shows them"),
        ('fabric = "IB_NDR"', "fabric = 400", "fabric: 400 is no text; write a name"),
        ('fabric = "IB_NDR"', "", 'fabric is missing; write e.g. fabric = "IB_NDR"'),
        ('node = "DGX_H100"', 'nodee = "DGX_H100"', "nodee: a cluster has no such field; did you"),
        ('node = "DGX_H100"', 'node = "GeForce_RTX_4090"', "did you mean 'Desktop_RTX_4090'"),
        ('node = "DGX_H100"', "", 'node is missing; write e.g. node = "DGX_H100"'),
        ("nodes = 4", "", "nodes is missing; write e.g. nodes = 40"),
        ("nodes = 4", "nodes = 0", "nodes: 0 is too small; it must be at least 1"),
        ("nodes = 4", "nodes = [2, 4]", "expected text, a number, or true or false, got a list"),
        ("nodes = 4", "node_count = 4", "node_count: a cluster has no such field; did you mean"),
    ],
    ids=str,
)
def test_a_mistake_in_a_line_of_a_cluster_is_told_with_its_place(
    tmp_path: Path, line: str, wrong: str, told: str
) -> None:
    """With the file, the key, what is wrong with it, and what would do."""
    path = tmp_path / "four.toml"
    path.write_text(FOUR_NODES.replace(line, wrong), encoding="utf-8")
    with pytest.raises(QuestionError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: fixed.fleet")
    assert told in str(caught.value)
