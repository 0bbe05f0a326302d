"""The answer: a status, the best designs, or the explanation of why there are none.

Frozen records that know no solver; every search builds them.
"""

from mlsysim.results.answer import Answer as Answer
from mlsysim.results.candidate import Candidate as Candidate
from mlsysim.results.candidate import ParetoPoint as ParetoPoint
from mlsysim.results.conflict import minimal_conflict as minimal_conflict
from mlsysim.results.explained import Explanation as Explanation
from mlsysim.results.pareto import ParetoFront as ParetoFront
from mlsysim.results.relaxation import Relaxation as Relaxation
from mlsysim.results.relaxation import relaxation_of as relaxation_of
from mlsysim.results.result import SearchResult as SearchResult
from mlsysim.results.result import relative_gap as relative_gap
from mlsysim.results.sensitivity import Sensitivity as Sensitivity
from mlsysim.results.sensitivity import Trial as Trial
from mlsysim.results.statistics import Proof as Proof
from mlsysim.results.statistics import Statistics as Statistics
from mlsysim.results.status import Status as Status
