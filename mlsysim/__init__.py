"""Proven-optimal configurations of ML systems.

Describe a question (a space of choices, models of an ML system, constraints,
an objective) and get the proven best design, or a proof that there is none.
See `mlsysim.core.dse.DSE`, `mlsysim.core.pipeline.Pipeline` and
`mlsysim.core.solver`; the catalogue is at `Models`, `Systems` and
`Infrastructure`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlsysim.errors import Infeasible as Infeasible
from mlsysim.errors import InfeasibleError as InfeasibleError
from mlsysim.errors import MlsysimError as MlsysimError

if TYPE_CHECKING:
    from mlsysim.catalog import Infrastructure as Infrastructure
    from mlsysim.catalog import Models as Models
    from mlsysim.catalog import Systems as Systems
    from mlsysim.catalog import load_catalog as load_catalog
    from mlsysim.core.dse import DSE as DSE
    from mlsysim.core.pipeline import Pipeline as Pipeline
    from mlsysim.expr.functions import absolute as absolute
    from mlsysim.expr.functions import ceil as ceil
    from mlsysim.expr.functions import exp as exp
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
    from mlsysim.report import report_of as report_of
    from mlsysim.units import quantity as quantity

__version__ = "0.1.0"

# Loaded on first touch: the catalogue parses its files, the façade builds on everything, and
# NumPy and pint take a quarter of a second, which the plugin would cost every run of pytest.
_FUNCTIONS = (
    "absolute",
    "ceil",
    "exp",
    "floor",
    "log",
    "log2",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "select",
    "sqrt",
    "where",
)
_LAZY = {
    **dict.fromkeys(_FUNCTIONS, "mlsysim.expr.functions"),
    "quantity": "mlsysim.units",
    "Infrastructure": "mlsysim.catalog",
    "Models": "mlsysim.catalog",
    "Systems": "mlsysim.catalog",
    "load_catalog": "mlsysim.catalog",
    "DSE": "mlsysim.core.dse",
    "Pipeline": "mlsysim.core.pipeline",
    "report_of": "mlsysim.report",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'mlsysim' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
