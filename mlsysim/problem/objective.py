"""What makes one design better than another."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlsysim.errors import MetricError, ObjectiveError
from mlsysim.problem.expression import Expression
from mlsysim.problem.parser import Parser
from mlsysim.problem.source import Source
from mlsysim.problem.tokens import TokenKind, tokens_of
from mlsysim.units import is_quantity, unit_of

_FORM = re.compile(r"\s*(?P<sense>[A-Za-z]*)\s*(?P<colon>:?)\s*(?P<metric>.*?)\s*", re.DOTALL)


class Sense(StrEnum):
    """Which way is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    @property
    def sign(self) -> int:
        """The factor that turns this objective into one to be minimised."""
        return 1 if self is Sense.MINIMIZE else -1


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A metric, or arithmetic over metrics, with its sense.

    Parameters
    ----------
    sense
        Whether less or more is better.
    expression
        What is measured.

    Examples
    --------
    >>> Objective.parse("minimize:  macro.tco_usd").text
    'minimize: macro.tco_usd'
    """

    sense: Sense
    expression: Expression

    @classmethod
    def parse(cls, text: str) -> "Objective":
        """Read ``maximize: <metric>`` or ``minimize: <metric>``.

        Raises
        ------
        ObjectiveError
            If it is malformed; the message shows the corrected text.
        """
        if not isinstance(text, str):
            raise ObjectiveError(
                f"the objective is a {type(text).__name__}; write it as a string, "
                "e.g. 'maximize: DistributedModel.effective_throughput'"
            )
        source = Source(text=text, kind="objective", error=ObjectiveError)
        sense, metric = _split(source)
        inner = Source(text=metric, kind="objective", error=ObjectiveError)
        tokens = tokens_of(inner)
        for token in tokens:
            if token.kind is TokenKind.RELATION:
                raise source.fault(
                    f"{token.text!r} belongs into a constraint, not into the objective",
                    f"{sense}: {metric[: token.start].strip()}",
                )
        expression = Expression(node=Parser(inner, tokens).parse())
        if not expression.names:
            raise source.fault("it names no metric and no choice, so every design is equally good")
        return cls(sense=sense, expression=expression)

    @property
    def metric(self) -> str:
        """The expression in its normal form."""
        return self.expression.text

    @property
    def text(self) -> str:
        """The objective in its normal form."""
        return f"{self.sense}: {self.metric}"

    def __str__(self) -> str:
        return self.text

    def value(self, resolve: Callable[[str], Any]) -> tuple[Any, str]:
        """Evaluate; give the magnitude and its unit.

        Parameters
        ----------
        resolve
            Gives the value of a name.

        Raises
        ------
        MetricError
            If a name leads nowhere, or to something that has no order.
        """
        try:
            value = self.expression.evaluate(resolve)
        except (ZeroDivisionError, OverflowError):
            return math.nan, ""
        if isinstance(value, (bool, str)):
            what = "a truth value" if isinstance(value, bool) else f"the text {value!r}"
            raise MetricError(f"objective {self.text!r}: {self.metric} is {what}, not a number")
        return (value.magnitude, unit_of(value)) if is_quantity(value) else (value, "")


def _split(source: Source) -> tuple[Sense, str]:
    match = _FORM.fullmatch(source.text)
    word = match["sense"].lower() if match else ""
    if match is None or not source.text.strip():
        raise source.fault("it is empty; write e.g. 'minimize: EconomicsModel.tco_usd'")
    sense = next((sense for sense in Sense if word and word[:3] == sense[:3]), None)
    if sense is not None and match["colon"]:
        if not match["metric"]:
            raise source.fault(f"there is no metric after {match['sense'] + ':'!r}")
        if word == sense:
            return sense, match["metric"]
        raise source.fault(f"{match['sense']!r} is no sense", f"{sense}: {match['metric']}")
    if sense is not None and match["metric"] and re.match(r"\s", source.text.lstrip()[len(word) :]):
        raise source.fault("the colon is missing", f"{sense}: {match['metric']}")
    metric = match["metric"] if match["colon"] else source.text.strip()
    raise source.fault(f"it has no sense; write 'maximize: {metric}' or 'minimize: {metric}'")
