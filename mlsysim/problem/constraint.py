"""A condition that every design must meet, e.g. ``latency <= 50 ms``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlsysim.errors import ConstraintError, InputError, UnitError
from mlsysim.problem.arithmetic import aligned
from mlsysim.problem.expression import Expression
from mlsysim.problem.parser import Parser
from mlsysim.problem.relation import Relation
from mlsysim.problem.source import Source
from mlsysim.problem.tokens import Token, TokenKind, tokens_of
from mlsysim.problem.wording import kind_of
from mlsysim.units import is_quantity, unit_of

__all__ = ["Constraint", "Relation"]

CONFIDENCES = (0.5, 0.95)
"""The least and the largest confidence: there are too few measured runs to say more."""


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """Two expressions and the relation that must hold between them.

    Parameters
    ----------
    name
        What conflicts and relaxations call it; its text, if the user gave none.
    text
        The condition in its normal form.
    left, right
        The sides.
    relation
        How they are compared.
    confidence
        None for what is predicted; 0.9 where it has to hold although the models may be off as far
        as for nine in ten of the measured runs of the same kind (`PipelineResult.at_level`).

    Examples
    --------
    >>> Constraint.parse("tp*pp<=64").name
    'tp * pp <= 64'
    """

    name: str
    text: str
    left: Expression
    relation: Relation
    right: Expression
    confidence: float | None = None

    @classmethod
    def parse(
        cls, text: str, name: str | None = None, confidence: float | None = None
    ) -> "Constraint":
        """Read a constraint.

        Parameters
        ----------
        text
            ``<expression> <relation> <expression>``.
        name
            The user's name for it.
        confidence
            Share of the measured runs with which it has to hold, from 0.5 to 0.95.

        Raises
        ------
        ConstraintError
            If it is malformed; the message shows the corrected text where it can.
        """
        if not isinstance(text, str):
            raise ConstraintError(
                f"constraint {name or text!r} is a {type(text).__name__}; "
                "write it as a string, e.g. 'step_latency_total <= 50 ms'"
            )
        source = Source(text=text, kind="constraint")
        tokens = tokens_of(source)
        position = _relation_at(source, tokens)
        relation = tokens[position]
        end = Token(kind=TokenKind.END, text="", start=relation.start)
        left = Parser(source, [*tokens[:position], end]).parse()
        right = Parser(source, tokens[position + 1 :]).parse()
        made = cls(
            name=name or f"{left} {relation.text} {right}",
            text=f"{left} {relation.text} {right}",
            left=Expression(node=left),
            relation=Relation(relation.text),
            right=Expression(node=right),
            confidence=confidence,
        )
        made._check(source)
        return made

    def __str__(self) -> str:
        sure = "" if self.confidence is None else f" with {100 * self.confidence:g} % confidence"
        return (
            f"{self.text}{sure}" if self.name == self.text else f"{self.name} ({self.text}{sure})"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The choices, metrics and units that it mentions, each once."""
        return tuple(dict.fromkeys((*self.left.names, *self.right.names)))

    @property
    def written_unit(self) -> str:
        """The unit in which the user thinks of it; empty where none was written."""
        return self.right.written_unit or self.left.written_unit

    def sides(self, resolve: Callable[[str], Any]) -> tuple[Any, Any, str]:
        """Evaluate both sides, in the unit of the left one.

        Parameters
        ----------
        resolve
            Gives the value of a name.

        Returns
        -------
        tuple
            The two magnitudes and their unit; not numbers where a plain number
            is divided by zero or overflows.

        Raises
        ------
        UnitError
            If the sides are of different dimensions; the message shows the
            corrected text.
        MetricError
            If a name leads nowhere.
        """
        try:
            left, right = self.left.evaluate(resolve), self.right.evaluate(resolve)
        except (ZeroDivisionError, OverflowError):
            return float("nan"), float("nan"), ""
        except InputError as error:
            raise type(error)(f"constraint {str(self)!r}: {error}") from None
        if isinstance(left, str) or isinstance(right, str):
            return self._texts(left, right)
        pair = aligned(left, right)
        if pair is None:
            raise self._mismatch(left, right)
        return pair

    def _check(self, source: Source) -> None:
        if not self.names:
            raise source.fault(
                "it mentions no metric and no choice, so it is true or false of every design; "
                "leave it out, or name what it is about"
            )
        if self.confidence is not None:
            self._check_confidence(source, self.confidence)
        texts = self.left.quoted is not None or self.right.quoted is not None
        if texts and self.relation not in (Relation.EQUAL, Relation.NOT_EQUAL):
            corrected = f"{self.left} == {self.right}"
            raise source.fault("texts have no order", corrected)

    def _check_confidence(self, source: Source, confidence: Any) -> None:
        least, most = CONFIDENCES
        plain = isinstance(confidence, (int, float)) and not isinstance(confidence, bool)
        if not plain or not least <= confidence <= most:
            raise source.fault(
                f"its confidence is {confidence!r}; it must be a number from {least} to {most}: "
                "the share of measured runs with whose errors it still holds"
            )
        if self.relation in (Relation.EQUAL, Relation.NOT_EQUAL):
            raise source.fault("nothing uncertain is equal to a number", f"{self.left} <= ...")

    def _texts(self, left: Any, right: Any) -> tuple[Any, Any, str]:
        for value in (left, right):
            if is_quantity(value) or isinstance(value, (bool, int, float)):
                raise ConstraintError(
                    f"constraint {str(self)!r} compares {kind_of(left)} with {kind_of(right)}"
                )
        for value, side in ((left, self.left), (right, self.right)):
            if isinstance(value, str) and self.relation not in (Relation.EQUAL, Relation.NOT_EQUAL):
                raise ConstraintError(
                    f"constraint {str(self)!r}: '{side}' is the text {value!r}, and texts have no "
                    f"order; write '{self.left} == {self.right}'"
                )
        return left, right, ""

    def _mismatch(self, left: Any, right: Any) -> InputError:
        proposal = ""
        if self.right.is_bare_number and is_quantity(left):
            proposal = f"{self.left} {self.relation} {self.right} {_behind_number(left)}"
        elif self.left.is_bare_number and is_quantity(right):
            proposal = f"{self.left} {_behind_number(right)} {self.relation} {self.right}"
        cure = f"; write {proposal!r}" if proposal else f" ({_units(left)} with {_units(right)})"
        if not proposal and self.right.is_number and is_quantity(left):
            cure = f"{cure}; write the limit in {unit_of(left)}"
        return UnitError(f"{self.text!r} compares {kind_of(left)} with {kind_of(right)}{cure}")


def _behind_number(value: Any) -> str:
    """Give the unit as it stands behind a number: ``"/s"`` for ``"1/s"``."""
    return unit_of(value).removeprefix("1")


def _units(value: Any) -> str:
    return unit_of(value) or "no unit"


def _relation_at(source: Source, tokens: list[Token]) -> int:
    """Find the one relation of a constraint."""
    found = [index for index, token in enumerate(tokens) if token.kind is TokenKind.RELATION]
    if not source.text.strip():
        raise source.fault("it is empty; write e.g. 'step_latency_total <= 50 ms'")
    if not found:
        raise source.fault(
            f"it has no relation (one of {', '.join(Relation)})", f"{source.text.strip()} == true"
        )
    if len(found) > 1:
        first, second = tokens[found[0]], tokens[found[1]]
        middle = source.text[first.stop : second.start].strip()
        raise source.fault(
            "it has two relations; write two constraints: "
            f"{source.text[: second.start].strip()!r} and "
            f"{(middle + ' ' + source.text[second.start :].strip()).strip()!r}"
        )
    position = found[0]
    if position == 0:
        raise source.fault(f"there is nothing before {tokens[0].text!r}")
    if tokens[position + 1].kind is TokenKind.END:
        raise source.fault(f"there is nothing after {tokens[position].text!r}")
    return position
