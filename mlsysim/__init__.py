"""Proven-optimal configurations of ML systems.

Describe a question (a space of choices, models of an ML system, constraints,
an objective) and get the proven best design, or a proof that there is none::

    mlsysim.load("question.toml").solve()                    # a question file
    mlsysim.DSE(space, objective).search(evaluate)           # a question in Python
    mlsysim.Pipeline([mlsysim.DistributedModel()]).run(...)  # one design

The catalogue is at `Models`, `Systems` and `Infrastructure`; a stage of one's own is a subclass of
`ForwardModel`, written with the functions below, which serve numbers, arrays and traced choices.
"""

from importlib import import_module

from mlsysim.distribution import VERSION as __version__  # noqa: N811 - the customary name
from mlsysim.errors import CatalogError as CatalogError
from mlsysim.errors import CertificateError as CertificateError
from mlsysim.errors import ConfidenceError as ConfidenceError
from mlsysim.errors import ConstraintError as ConstraintError
from mlsysim.errors import DisagreementError as DisagreementError
from mlsysim.errors import Infeasible as Infeasible
from mlsysim.errors import InfeasibleError as InfeasibleError
from mlsysim.errors import InputError as InputError
from mlsysim.errors import LaunchError as LaunchError
from mlsysim.errors import MeasurementError as MeasurementError
from mlsysim.errors import MetricError as MetricError
from mlsysim.errors import MissingFigureError as MissingFigureError
from mlsysim.errors import MlsysimError as MlsysimError
from mlsysim.errors import NoAnswerError as NoAnswerError
from mlsysim.errors import ObjectiveError as ObjectiveError
from mlsysim.errors import ParameterError as ParameterError
from mlsysim.errors import PipelineError as PipelineError
from mlsysim.errors import QuestionError as QuestionError
from mlsysim.errors import SpaceError as SpaceError
from mlsysim.errors import TracingError as TracingError
from mlsysim.errors import UnitError as UnitError
from mlsysim.errors import UnknownNameError as UnknownNameError

# Typing itself takes long to load, and in that time Ctrl-C would end the command in a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlsysim.catalog import Infrastructure as Infrastructure
    from mlsysim.catalog import Models as Models
    from mlsysim.catalog import Systems as Systems
    from mlsysim.catalog import load_catalog as load_catalog
    from mlsysim.core.dse import DSE as DSE
    from mlsysim.core.dse import SearchSpace as SearchSpace
    from mlsysim.core.pipeline import Pipeline as Pipeline
    from mlsysim.core.solver import ContinuousBatchingModel as ContinuousBatchingModel
    from mlsysim.core.solver import DisaggregatedModel as DisaggregatedModel
    from mlsysim.core.solver import DistributedModel as DistributedModel
    from mlsysim.core.solver import EconomicsModel as EconomicsModel
    from mlsysim.core.solver import ForwardModel as ForwardModel
    from mlsysim.core.solver import GoodputModel as GoodputModel
    from mlsysim.core.solver import MixedFleetModel as MixedFleetModel
    from mlsysim.core.solver import ServingEconomicsModel as ServingEconomicsModel
    from mlsysim.core.solver import ServingModel as ServingModel
    from mlsysim.core.solver import SingleNodeModel as SingleNodeModel
    from mlsysim.expr.functions import absolute as absolute
    from mlsysim.expr.functions import ceil as ceil
    from mlsysim.expr.functions import exp as exp
    from mlsysim.expr.functions import expm1 as expm1
    from mlsysim.expr.functions import floor as floor
    from mlsysim.expr.functions import log as log
    from mlsysim.expr.functions import log2 as log2
    from mlsysim.expr.functions import logical_and as logical_and
    from mlsysim.expr.functions import logical_not as logical_not
    from mlsysim.expr.functions import logical_or as logical_or
    from mlsysim.expr.functions import maximum as maximum
    from mlsysim.expr.functions import minimum as minimum
    from mlsysim.expr.functions import select as select
    from mlsysim.expr.functions import sqrt as sqrt
    from mlsysim.expr.functions import where as where
    from mlsysim.files.plans.plan_file import load_plan as load_plan
    from mlsysim.files.question import Question as Question
    from mlsysim.files.question import load as load
    from mlsysim.plans.plan import Plan as Plan
    from mlsysim.report import report_of as report_of
    from mlsysim.results import ParetoFront as ParetoFront
    from mlsysim.results import SearchResult as SearchResult
    from mlsysim.results import Status as Status
    from mlsysim.units import quantity as quantity


# Loaded on first touch: the catalogue parses its files, the façade builds on everything, and
# NumPy and pint take a quarter of a second, which the plugin would cost every run of pytest.
_EXPORTS = {
    "mlsysim.catalog": "Infrastructure Models Systems load_catalog",
    "mlsysim.core.dse": "DSE SearchSpace",
    "mlsysim.core.pipeline": "Pipeline",
    "mlsysim.files.question": "Question load",
    "mlsysim.files.plans.plan_file": "load_plan",
    "mlsysim.core.solver": "ContinuousBatchingModel DisaggregatedModel DistributedModel"
    " EconomicsModel ForwardModel GoodputModel MixedFleetModel ServingEconomicsModel ServingModel"
    " SingleNodeModel",
    "mlsysim.expr.functions": "absolute ceil exp expm1 floor log log2 logical_and logical_not"
    " logical_or maximum minimum select sqrt where",
    "mlsysim.plans.plan": "Plan",
    "mlsysim.report": "report_of",
    "mlsysim.results": "ParetoFront SearchResult Status",
    "mlsysim.units": "quantity",
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mlsysim' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    public = {name for name in globals() if not name.startswith("_")} - {"import_module"}
    return sorted({*public, *_HOME, "__version__", "__doc__", "__all__"})


__all__ = [  # noqa: PLE0604 - names of strings above
    "__version__",
    *(name for name in globals() if name.endswith("Error") or name == "Infeasible"),
    *_HOME,
]
