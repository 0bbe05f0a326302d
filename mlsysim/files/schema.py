"""What a question file may hold: one record per table of the file.

The records are plain data.  What the names in them mean (catalogue entries,
stages, metrics) is decided by `mlsysim.files.binding`.
"""

from typing import Annotated, ClassVar, Literal

import msgspec

from mlsysim.numeric import TOLERANCE

Scalar = str | int | float | bool
"""What a choice or a fixed argument may be."""

Fixed = Scalar | dict[str, Scalar] | tuple[Scalar, ...]
"""What a fixed argument may be: one value, values by name, or one for each stage of a pipeline."""


class RangeTable(msgspec.Struct, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """The whole numbers from ``from`` up to and including ``to``, in equal steps.

    Parameters
    ----------
    first
        Written ``from``: the first value.
    last
        Written ``to``: the last value, which must be met exactly.
    step
        The distance of neighbours, 1 unless said otherwise.
    """

    first: int
    last: int
    step: int = 1


class PipelineTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which models are chained, and which choice feeds which of their arguments.

    Parameters
    ----------
    stages
        Names of models, in the order in which they run.
    arguments
        Argument of a model -> name of the choice that it takes, where the two names differ; or
        the names of several, for an argument that takes a list.
    """

    stages: tuple[str, ...]
    arguments: dict[str, str | tuple[str, ...]] = {}


class ConstraintTable(msgspec.Struct, frozen=True, kw_only=True):
    """A hard constraint and the reason for it; text alone stands for ``require``.

    Parameters
    ----------
    require
        The constraint, such as ``"EconomicsModel.tco_usd <= 2e6"``.
    because
        Why the planner insists on it, if there is more to say; shown by ``mlsysim explain``.
    confidence
        Share of the measured runs with whose errors it still has to hold, from 0.5 to 0.95; of
        what is predicted unless given.
    """

    SHORT: ClassVar[str] = "require"

    require: str
    because: str = ""
    confidence: float | None = None

    @property
    def in_python(self) -> str | dict[str, str | float]:
        """The constraint as `Problem.of` takes it."""
        if self.confidence is None:
            return self.require
        return {"require": self.require, "confidence": self.confidence}


class FleetTable(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of accelerators of a mixed fleet.

    Parameters
    ----------
    of
        The cluster, node or accelerator; the name of the table unless given.
    available
        How many accelerators there are; no limit unless given.
    price
        USD per accelerator and hour; the catalogue's unless given.
    space
        The choices of a replica of this kind, where they differ from the file's ``[space]``.
    because
        Why there are no more.
    """

    of: str | None = None
    available: int | None = None
    price: float | str | None = None
    space: dict[str, tuple[Scalar, ...] | RangeTable] = {}
    because: str = ""


class DemandTable(msgspec.Struct, frozen=True, kw_only=True):
    """One class of requests that a mixed fleet has to serve.

    Parameters
    ----------
    rate
        Requests per second.
    require
        What a replica that serves it must keep, such as
        ``"ServingModel.inter_token_latency <= 50 ms"``.
    fixed
        Arguments of the models for this class, such as its lengths.
    utilization
        Share of a replica's rate that is planned on.
    because
        Where the demand comes from.
    confidence
        Share of the measured runs with whose errors the fleet still has to carry it, from 0.5 to
        0.95; as predicted unless given.
    """

    rate: float | str
    require: tuple[str, ...] = ()
    fixed: dict[str, Scalar] = {}
    utilization: float = 1.0
    because: str = ""
    confidence: float | None = None


class ParetoTable(msgspec.Struct, frozen=True, kw_only=True):
    """What ``mlsysim pareto`` weighs against each other.

    Parameters
    ----------
    objectives
        Two or more, each ``"maximize: <metric>"`` or ``"minimize: <metric>"``.
    """

    objectives: tuple[str, ...]


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that the file is known to have; ``mlsysim check`` compares with it.

    Parameters
    ----------
    status
        ``"OPTIMAL"`` or ``"INFEASIBLE"``.
    objective
        The best value, in the metric's own unit.
    parameters
        The best design.
    conflict
        The names in the minimal conflict of an infeasible question.
    points
        How many points the Pareto front has.
    tolerance
        The relative difference at which two objectives still count as equal; less than 1.
    """

    status: Literal["OPTIMAL", "INFEASIBLE"]
    objective: float | None = None
    parameters: dict[str, Scalar] = {}
    conflict: tuple[str, ...] = ()
    points: int | None = None
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=1)] = TOLERANCE


class QuestionFile(msgspec.Struct, frozen=True, kw_only=True, rename={"framework": "for"}):
    """A whole question file.

    Parameters
    ----------
    question
        The question in prose.
    source
        Where the question comes from.
    catalog
        Files for `mlsysim.load_catalog`, from the folder of this one: accelerators, clusters and
        models of the user's own.
    framework
        Written ``for``: who is to run the designs; what it cannot run is infeasible.
    objective
        ``"maximize: <metric>"`` or ``"minimize: <metric>"``.
    pipeline
        The models that answer it.
    space
        The choices: a list of values each, or a range; of a mixed fleet, those of a replica.
    fixed
        The arguments of the models that are no choice.
    fleet
        Of a mixed fleet: the kinds of accelerators.
    demand
        Of a mixed fleet: the classes of requests.
    constraints
        Name -> what has to hold.
    pareto
        The objectives of the Pareto front, if one is of interest.
    expected
        The known answer, if there is one.
    """

    question: str
    objective: str
    pipeline: PipelineTable
    space: dict[str, tuple[Scalar, ...] | RangeTable] = {}
    source: str = ""
    framework: str | None = None
    catalog: tuple[str, ...] = ()
    fixed: dict[str, Fixed] = {}
    fleet: dict[str, FleetTable] = {}
    demand: dict[str, DemandTable] = {}
    constraints: dict[str, ConstraintTable] = {}
    pareto: ParetoTable | None = None
    expected: Expected | None = None
