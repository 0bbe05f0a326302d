"""What the arguments of a stage are: one record, from which everything else is read.

A stage declares its arguments as the fields of a `Design`, one `knob` each.  Its
`solve` takes the record and is decorated with `takes`; callers pass the fields by
keyword, and type checkers see them.  The signature, the documentation of the parameters, the
checks, ``mlsysim list knobs``, question files and emitters are read from the same record.
"""

import functools
import inspect
import textwrap
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from types import MappingProxyType
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar, cast, get_type_hints

from mlsysim.problem.domain import label
from mlsysim.stages.documentation import described
from mlsysim.stages.domains import ArgumentDomain, Typed

_KEY = "knob"
_PARAGRAPH = textwrap.TextWrapper(initial_indent="    ", subsequent_indent="    ", width=92)

P = ParamSpec("P")
D = TypeVar("D", bound="Design")
S = TypeVar("S")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One argument of a stage.

    Parameters
    ----------
    name
        Its name, for callers and in question files.
    kind
        Its type.
    default
        Its default; ``Knob.REQUIRED`` where there is none.
    domain
        What it may be.
    text
        What it means.
    unit
        What a plain number counts.
    applies
        Where it has an effect, or is refused, as the end of a sentence ("with tp_size above 1");
        everywhere unless told.
    positional
        Whether it may also be passed by position.
    """

    REQUIRED: ClassVar[Any] = inspect.Parameter.empty
    COLUMNS: ClassVar[tuple[str, ...]] = ("argument", "default", "range", "unit", "meaning")

    name: str
    kind: Any
    default: Any
    domain: ArgumentDomain
    text: str
    unit: str = ""
    applies: str = ""
    positional: bool = False

    @property
    def sentence(self) -> str:
        """What it means in short: the first sentence."""
        return self.text.partition(".  ")[0].removesuffix(".") + "."

    @property
    def cells(self) -> tuple[str, ...]:
        """Its row in a table of arguments, without where it applies; see `COLUMNS`."""
        default = "required" if self.default is Knob.REQUIRED else label(self.default)
        return (self.name, default, str(self.domain), self.unit, self.sentence)

    @property
    def documentation(self) -> str:
        """What it means, and where it applies."""
        return f"{self.text}  Applies {self.applies}." if self.applies else self.text

    @property
    def parameter(self) -> inspect.Parameter:
        """The knob as a parameter of `solve`."""
        kind = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD
            if self.positional
            else inspect.Parameter.KEYWORD_ONLY
        )
        return inspect.Parameter(self.name, kind, default=self.default, annotation=self.kind)

    def read(self, value: Any) -> Any:
        """Refuse what is out of range, and give a quantity as a plain number in `unit`.

        Raises
        ------
        ParameterError
            If a plain value is not in the domain.
        """
        if value is None and self.default is None:
            return None
        return self.domain.read(self.name, value)


def about(
    domain: ArgumentDomain, text: str, *, unit: str = "", applies: str = ""
) -> Mapping[str, Any]:
    """Describe an argument that must be given: ``model: Model = field(metadata=about(...))``."""
    return {_KEY: {"domain": domain, "text": text, "unit": unit, "applies": applies}}


def knob(
    domain: ArgumentDomain, text: str, *, default: Any, unit: str = "", applies: str = ""
) -> Any:
    """Declare an argument with a default: ``tp_size: int = knob(Whole(), "...", default=1)``.

    Parameters
    ----------
    domain
        What it may be.
    text, unit, applies
        As in `Knob`.
    default
        Taken where the argument is not given.
    """
    return field(default=default, metadata=about(domain, text, unit=unit, applies=applies))


@dataclass(frozen=True)
class Design:
    """Base of the records: every field is an argument of a stage, declared with `knob`."""

    @classmethod
    def knobs(cls) -> Mapping[str, Knob]:
        """Give the arguments by name, those that go by position first."""
        return _knobs_of(cast("Hashable", cls))

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Check arguments, and give the design.

        Raises
        ------
        ParameterError
            If one is out of range.
        """
        known = cls.knobs()
        return cls(**{name: known[name].read(value) for name, value in given.items()})


@functools.cache
def _knobs_of(record: Any) -> Mapping[str, Knob]:
    hints = get_type_hints(record)
    found = [_knob_of(item, hints[item.name]) for item in fields(record) if _KEY in item.metadata]
    found.sort(key=lambda item: not item.positional)
    return MappingProxyType({item.name: item for item in found})


def _knob_of(item: Field[Any], kind: Any) -> Knob:
    return Knob(
        name=item.name,
        kind=kind,
        default=Knob.REQUIRED if item.default is MISSING else item.default,
        positional=not item.kw_only,
        **item.metadata[_KEY],
    )


def takes(
    record: Callable[P, D],
) -> Callable[[Callable[[S, D], R]], Callable[Concatenate[S, P], R]]:
    """Let a `solve` that is written over a record be called with the record's fields.

    Examples
    --------
    >>> from mlsysim.stages.domains import Whole
    >>> from mlsysim.stages.stage import ForwardModel
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Plan(Design):
    ...     days: int = knob(Whole(), "How long it takes.", default=7, unit="day")
    >>> class Planning(ForwardModel):
    ...     @takes(Plan)
    ...     def solve(self, design: Plan) -> dict[str, int]:
    ...         return {"hours": 24 * design.days}
    >>> Planning().solve(days=2)
    {'hours': 48}
    >>> Planning().solve(days=0)
    Traceback (most recent call last):
        ...
    mlsysim.errors.ParameterError: days is 0; it must be a whole number from 1
    """
    design = cast("type[Design]", record)
    known = design.knobs()

    def decorate(solve: Callable[[S, D], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(solve)
        def solved(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
            given = {**dict(zip(known, args, strict=False)), **kwargs}
            return solve(self, cast("D", design.read(given)))

        hints = {name: item.kind for name, item in known.items()}
        returned = get_type_hints(solve).get("return", Any)
        first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        solved.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [first, *(item.parameter for item in known.values())], return_annotation=returned
        )
        solved.__annotations__ = {**hints, "return": returned}
        solved.__doc__ = _documented(inspect.getdoc(solve) or "", known)
        solved.__design__ = design  # type: ignore[attr-defined]
        return cast("Callable[Concatenate[S, P], R]", solved)

    return decorate


def knobs_of(solve: Callable[..., Any]) -> Mapping[str, Knob]:
    """Give the arguments of a `solve`: from its record, else from its signature and docstring."""
    record = getattr(solve, "__design__", None)
    if record is not None:
        return cast("type[Design]", record).knobs()
    texts, hints = described(solve), get_type_hints(solve)
    parameters = list(inspect.signature(solve).parameters.values())[1:]
    return {
        item.name: Knob(
            name=item.name,
            kind=hints.get(item.name, Any),
            default=item.default,
            domain=Typed(hints.get(item.name, Any)),
            text=texts.get(item.name, ""),
            positional=item.kind is item.POSITIONAL_OR_KEYWORD,
        )
        for item in parameters
        if item.kind in {item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY}
    }


def _documented(text: str, known: Mapping[str, Knob]) -> str:
    """Put the section about parameters behind the summary."""
    head, returns, rest = text.partition("\n\nReturns\n-------")
    lines = [f"{item.name}\n{_PARAGRAPH.fill(item.documentation)}" for item in known.values()]
    return "\n".join([head, "", "Parameters", "----------", *lines]) + returns + rest
