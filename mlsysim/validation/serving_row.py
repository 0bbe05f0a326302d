"""A measured serving run, as a file states it."""

from dataclasses import dataclass
from typing import Any

from mlsysim.validation.cells import Cells
from mlsysim.validation.table import Table

REQUIRED_COLUMNS = ("accelerator", "n_accel", "isl", "osl", "unit", "value")


@dataclass(frozen=True, kw_only=True)
class ServingRow:
    """One row; None, or an empty text, is what the file does not say.

    Parameters
    ----------
    id, group
        Its name, and the source that it shares with others.
    accelerator, n_accel
        On what.
    model, layers, hidden, heads, kv_heads, head_dim, ffn, vocab
        What was served.
    moe_experts, moe_topk, moe_ffn
        Its experts, those that see a token, and the width of one.
    precision, framework, framework_version, mode
        Arithmetic, engine, and how it was loaded.
    tp, pp, attn_dp, moe_tp, moe_ep
        Sizes of the parallel groups.
    prefill_config, decode_config
        Both pools where prefill and decode were apart, as ``workers=1 tp=4 ...``.
    concurrency, batch
        Requests at a time.
    isl, osl
        Tokens of a prompt and of an answer.
    metric, unit, value
        What was measured.
    ttft_ms, tpot_ms
        Time to the first token and time per further token.
    """

    id: str
    group: str
    accelerator: str
    n_accel: int | None
    model: str
    layers: int | None
    hidden: int | None
    heads: int | None
    kv_heads: int | None
    head_dim: int | None
    ffn: int | None
    vocab: int | None
    moe_experts: int | None
    moe_topk: int | None
    moe_ffn: int | None
    precision: str
    framework: str
    framework_version: str
    mode: str
    tp: int | None
    pp: int | None
    attn_dp: int | None
    moe_tp: int | None
    moe_ep: int | None
    prefill_config: str
    decode_config: str
    concurrency: int | None
    batch: int | None
    isl: int | None
    osl: int | None
    metric: str
    unit: str
    value: float | None
    ttft_ms: float | None
    tpot_ms: float | None


_TEXTS = (
    "group",
    "accelerator",
    "model",
    "precision",
    "framework",
    "framework_version",
    "mode",
    "prefill_config",
    "decode_config",
    "metric",
    "unit",
)
_DIMENSIONS = ("layers", "hidden", "heads", "kv_heads", "head_dim", "ffn", "vocab")
_EXPERTS = ("moe_experts", "moe_topk", "moe_ffn")
_SIZES = ("n_accel", "tp", "pp", "attn_dp", "moe_tp", "moe_ep", "concurrency", "batch")
_WHOLES = (*_DIMENSIONS, *_EXPERTS, *_SIZES, "isl", "osl")
_NUMBERS = ("value", "ttft_ms", "tpot_ms")


def serving_rows(table: Table) -> tuple[ServingRow, ...]:
    """Read the rows of a file of serving runs.

    Raises
    ------
    MeasurementError
        If a column is missing or a cell cannot be used.
    """
    table.require(REQUIRED_COLUMNS)
    return tuple(_row(cells) for cells in table.rows)


def _row(cells: Cells) -> ServingRow:
    found: dict[str, Any] = {name: cells.text(name) for name in _TEXTS}
    found |= {name: cells.whole(name, least=int(name not in _EXPERTS)) for name in _WHOLES}
    found |= {name: cells.positive(name) for name in _NUMBERS}
    return ServingRow(id=cells.identity, **found)
