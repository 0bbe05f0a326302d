"""``mlsysim show --hf``: a model from a Hugging Face configuration on disk."""

from pathlib import Path

from rich.table import Table
from rich.text import Text

from mlsysim.catalog import Models
from mlsysim.catalog.hugging_face import model_from_hugging_face
from mlsysim.catalog.language_model import LanguageModel
from mlsysim.catalog.layer import LayerGroup
from mlsysim.cli.browsing import print_entry, print_record
from mlsysim.cli.console import console
from mlsysim.cli.status import errors_to_status
from mlsysim.errors import ParameterError


def show_entry(name: str | None, configuration: Path | None) -> None:
    """Show an entry of the catalogue, or a model from a configuration.

    Parameters
    ----------
    name
        The name of the entry.
    configuration
        A ``config.json``, or the folder that holds it.
    """
    with errors_to_status():
        if (name is None) == (configuration is None):
            raise ParameterError(
                "give the name of one entry, such as H100_SXM, or a model's configuration: "
                "--hf path/config.json"
            )
        if configuration is not None:
            model = model_from_hugging_face(configuration, formats=Models.Formats)
            print_record(model)
            console().print(_counts(model))
    if name is not None:
        print_entry(name)


def _counts(model: LanguageModel) -> Table:
    """List what follows from the shape."""
    table = Table(box=None, show_header=False, title="counted from the shape", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for count, value, unit in (
        ("parameters", model.parameters, ""),
        ("active parameters", model.active_parameters, "per token"),
        ("multiplied parameters", model.matmul_parameters, "per token"),
        ("key-value cache", model.kv_bytes_per_token(2), "byte per token, in 16 bits"),
    ):
        table.add_row(Text(count), Text(f"{value:,}"), Text(unit))
    if model.bytes_per_sequence:
        table.add_row("states", f"{model.bytes_per_sequence:,}", "byte per sequence")
    for group in model.layer_groups:
        table.add_row(Text(f"layers: {group.name}"), f"{group.layers:,}", _mixer(group))
    return table


def _mixer(group: LayerGroup) -> str:
    """Say in short how the tokens of a layer see one another."""
    if group.block_tokens:
        chosen = f"{group.top_tokens:,} chosen" if group.top_tokens else "all"
        return (
            f"attention to {chosen} entries of {group.block_tokens} tokens, and within "
            f"{group.sliding_window:,}"
        )
    if group.top_tokens:
        return f"attention to {group.top_tokens:,} chosen tokens"
    if group.sliding_window:
        return f"attention within {group.sliding_window:,} tokens"
    return group.mixer.value
