"""The exceptions of mlsysim: what each means and what to do about it.

Everything that a user can cause derives from `MlsysimError`.  A message names
the culprit, the place (file, key or metric path) and the cure.
"""

from collections.abc import Iterable


class MlsysimError(Exception):
    """Base of every exception that mlsysim raises on purpose."""


class InputError(MlsysimError, ValueError):
    """Something that was handed in cannot be used; base of the errors below.

    The message names what was handed in, where, and what would be accepted.
    """


class UnitError(InputError):
    """A unit is unknown, missing, or of the wrong dimension.

    Write the unit that the message proposes: ``latency <= 50 ms``, not
    ``latency <= 50``.
    """


class SpaceError(InputError):
    """A search space is malformed: an empty, duplicate, mixed or non-finite domain."""


class ObjectiveError(InputError):
    """An objective is not of the form ``maximize: <metric>`` or ``minimize: <metric>``."""


class ConstraintError(InputError):
    """A constraint cannot be parsed, or does not compare numbers of one dimension."""


class MetricError(InputError):
    """A metric path leads nowhere, or to something that is not a number."""


class ParameterError(InputError):
    """A model was given an argument that it does not have, or a value out of range."""


class ConfidenceError(InputError):
    """A confidence is asked for, or an interval, where no measured run says how far off one is.

    Confidences are for what the models of the package predict, alone or in a pipeline, on
    accelerators of a kind that was measured.
    """


class PipelineError(InputError):
    """A pipeline has a gap: a stage needs something that nothing before it provides."""


class CatalogError(InputError):
    """A catalogue entry is malformed; the message names the file and the key."""


class UnknownNameError(InputError, AttributeError, KeyError):
    """No catalogue entry has this name; the message lists the nearest ones."""

    # KeyError would print the repr of the message.
    __str__ = Exception.__str__


class MissingFigureError(InputError):
    """A price, power or other figure is needed that the catalogue does not have.

    A missing figure is never taken to be zero: supply it, as the message says.
    """


class QuestionError(InputError):
    """A question file is malformed; the message names the file and the key."""


class MeasurementError(InputError):
    """A file of measured runs is malformed; the message names the file, the row and the column.

    Write what the message proposes, or leave the cell empty: an empty cell
    says that the value is not known.
    """


class LaunchError(InputError):
    """A framework cannot run the design that was chosen, as it was chosen.

    The models here allow more than one framework does: uneven shares, idle
    replicas.  Add the constraint that the message names to the question, or
    emit for another framework.
    """


class CertificateError(MlsysimError):
    """A certificate does not prove what it says, has been changed, or cannot be made.

    The message names the part, the step or the number that is wrong.  Have the question
    answered again, with ``--certificate``.
    """


class OutputError(MlsysimError):
    """An answer, or a part of it, could not be written; the message names where, and why.

    A file that was there before is as it was.
    """


class TracingError(MlsysimError, TypeError):
    """An evaluator does something that cannot be traced into a solver model.

    A traced value stands for every value of a choice at once, so it has no
    truth value and no single number: ``if``, ``max``, ``float`` and dictionary
    look-ups cannot consume it.  Use `mlsysim.where`, `mlsysim.maximum`,
    `mlsysim.select`; or search with ``method="exhaustive"``.
    """


class ExactnessError(SpaceError, TracingError):
    """A whole-number formula passes 2**53 where its last digit decides.

    Floats skip whole numbers there, and with them every reading but that of
    plain Python numbers: a remainder, a whole quotient, a difference or an
    equality of such numbers is not to be relied on.  Count in larger units, or
    search with ``method="exhaustive"``, which then takes one design at a time.
    """


class Infeasible(MlsysimError):  # noqa: N818 - a verdict that evaluators raise, not a fault
    """Raised by an evaluator to declare the design at hand impossible.

    It is the only exception that a search takes as a verdict; every other one
    is the user's and propagates.
    """


class NoAnswerError(MlsysimError):
    """A search ended without a design, and its best design was asked for."""


class InfeasibleError(NoAnswerError):
    """The best design was asked for, and it is proven that none exists.

    The message is the explanation: the constraints in conflict, and what each
    would have to become.
    """


class DisagreementError(MlsysimError):
    """The solver and the evaluator on plain numbers disagree: a defect of mlsysim.

    No answer is returned.  Please report the question that caused it.
    """


# A list of names this short is shown whole where none is near.
_SHOWN_WHOLE = 12
_MOST_NEAR = 3
_SHORTEST_BEGINNING = 2
_SHORTEST_PART = 4


def suggest(name: str, known: Iterable[str]) -> str:
    """Phrase the names nearest to a misspelt one, for the end of a message.

    Parameters
    ----------
    name
        What the user wrote.
    known
        What would have been accepted; names that begin with what was written come first, and those
        that only have it in them count where no other is near.

    Returns
    -------
    str
        ``"; did you mean 'a' or 'b'?"``, or the whole list where it is short
        and nothing is near, or an empty string.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    names = sorted(set(known))
    by_folded = {candidate.casefold(): candidate for candidate in names}
    folded = name.casefold()
    matches = get_close_matches(folded, by_folded, _MOST_NEAR, 0.5)
    # A name cut short, such as tp for tp_size, shares too few letters to count as close.
    begun = [candidate for candidate in by_folded if candidate.startswith(folded)]
    if len(folded) < _SHORTEST_BEGINNING:
        begun = []
    held = [candidate for candidate in by_folded if folded in candidate]
    if len(folded) < _SHORTEST_PART:
        held = []
    found = dict.fromkeys([*begun, *matches]) or held
    near = [by_folded[match] for match in found][:_MOST_NEAR]
    if near:
        return "; did you mean " + " or ".join(repr(match) for match in near) + "?"
    if 0 < len(names) <= _SHOWN_WHOLE:
        return "; known: " + ", ".join(repr(candidate) for candidate in names)
    return ""
