"""The question: a space of designs, constraints, an objective.

Plain values that know no evaluator and no solver.  `reading.read` is the one
bridge: it reads off an evaluator's result the numbers that a question asks for.
"""

from mlsysim.problem.constraint import Constraint as Constraint
from mlsysim.problem.expression import Expression as Expression
from mlsysim.problem.objective import Objective as Objective
from mlsysim.problem.objective import Sense as Sense
from mlsysim.problem.problem import Problem as Problem
from mlsysim.problem.reading import Condition as Condition
from mlsysim.problem.reading import Reading as Reading
from mlsysim.problem.reading import read as read
from mlsysim.problem.relation import Relation as Relation
from mlsysim.problem.space import Domain as Domain
from mlsysim.problem.space import SearchSpace as SearchSpace
from mlsysim.problem.verdict import Check as Check
