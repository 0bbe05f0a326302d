"""What sources count as an operation of a training step.

Half of the differences between printed TFLOP/s is bookkeeping: whether the
attention mask counts, whether what the backward pass repeats counts, and which
parameters do.  With P the matrix elements that multiply a token, N all
parameters, L layers, s tokens per sequence, w_s and w_v the widths of scores
and values, the operations per token are those of each member below.
"""

import enum

from mlsysim.catalog.language_model import LanguageModel
from mlsysim.physics.flops import recomputed_flops


class Convention(enum.StrEnum):
    """How a source counts."""

    FULL = "full"
    """``6 P + 6 L s (w_s + w_v)``, the whole square of scores: Megatron-LM to 2024, Korthikanti
    2022, NeMo, MaxText."""

    CAUSAL = "causal"
    """``6 P + 3 L s (w_s + w_v)``, half of the square: Megatron-Bridge, Megatron-LM's mixtures of
    experts, ml-engineering."""

    ALL_PARAMETERS = "all_parameters"
    """``6 N + 6 L s (w_s + w_v)``, look-up tables counted as if they multiplied: PaLM 2022,
    llm-foundry."""

    REPEATED = "repeated"
    """``6 P + 6 L s (w_s + w_v)`` and what the backward pass repeats: Narayanan 2021, equation 3,
    ``96 B s l h^2 (1 + s/6h + V/16lh)`` with full recomputation."""

    PARAMETERS_REPEATED = "parameters_repeated"
    """``6 N``, or ``8 N`` with full recomputation; no attention at all: early BigScience."""


def counted_flops(
    convention: Convention, model: LanguageModel, seq_len: int, recompute: str
) -> float:
    """Count the operations of one token of a training step (flop).

    Parameters
    ----------
    convention
        How to count.
    model
        What is trained.
    seq_len
        Tokens per sequence.
    recompute
        What the backward pass repeats.

    Examples
    --------
    >>> from mlsysim.catalog import Models
    >>> gpt = Models.Language.Megatron_GPT_145_6B
    >>> l, h, s, V = gpt.layers, gpt.hidden, 2048, gpt.vocab
    >>> eq3 = 96 * l * h**2 * (1 + s / (6 * h) + V / (16 * l * h))
    >>> round(counted_flops(Convention.REPEATED, gpt, s, "full") / eq3, 6)
    1.0
    """
    core = 2 * model.layers * seq_len * (model.score_width + model.value_width)
    layers = 2 * (model.matmul_parameters - model.embedding_parameters)
    match convention:
        case Convention.FULL:
            return 6 * model.matmul_parameters + 3 * core
        case Convention.CAUSAL:
            return 6 * model.matmul_parameters + 1.5 * core
        case Convention.ALL_PARAMETERS:
            return 6 * model.active_parameters + 3 * core
        case Convention.REPEATED:
            repeated = recomputed_flops(recompute, layers + core, core, 0.0)
            return 6 * model.matmul_parameters + 3 * core + repeated
        case Convention.PARAMETERS_REPEATED:
            return (8 if recompute == "full" else 6) * model.active_parameters


def counted_hardware_flops(
    convention: Convention, model: LanguageModel, seq_len: int, recompute: str
) -> float:
    """Count the operations of one token with those that the backward pass repeats (flop).

    llm-foundry multiplies by 4/3 where whole layers are repeated, the head with them.
    """
    counted = counted_flops(convention, model, seq_len, recompute)
    match convention:
        case Convention.REPEATED | Convention.PARAMETERS_REPEATED:
            return counted
        case Convention.ALL_PARAMETERS:
            return counted * (4 / 3 if recompute == "full" else 1)
        case Convention.FULL | Convention.CAUSAL:
            core = 2 * model.layers * seq_len * (model.score_width + model.value_width)
            seen = core if convention is Convention.FULL else core / 2
            layers = 2 * (model.matmul_parameters - model.embedding_parameters)
            return counted + recomputed_flops(recompute, layers + seen, seen, 0.0)
