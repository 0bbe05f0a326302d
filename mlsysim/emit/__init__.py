"""From an answer to a launch: a design in the options of the frameworks that run it.

An emitter takes the arguments of the model that priced the design, and states
each of them: as an option that the framework documents, as something that the
framework does anyway, or as a comment where it has no counterpart.  A design
that the framework cannot run is refused, with the constraint to add.
"""

from mlsysim.emit.answers import emit_answer as emit_answer
from mlsysim.emit.answers import require_stage as require_stage
from mlsysim.emit.frameworks import Emission as Emission
from mlsysim.emit.frameworks import emit as emit
from mlsysim.launch.frameworks import Framework as Framework
