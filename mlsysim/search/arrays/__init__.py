"""The exhaustive search: every design of the grid, evaluated in arrays, by many if asked.

It shares no code with the tracer or the lowering, and is held against
`mlsysim.search.reference`, which does the same one design at a time.  The
evaluator is called on whole blocks of the grid as NumPy arrays where it can take
them, and point by point where it cannot; whatever is returned has been judged on
plain numbers.

====================  =====================================================
`layout`              cuts the grid into blocks of arrays
`block_reading`       evaluates one block, or says why it cannot be
`doubts`              finds the points of a block that plain numbers must judge
`opaque`              tells whether a whole block is impossible
`leaders`, `tally`    keep the designs asked for, and how the others fail
`scan`, `walk`        go through the grid
`others`              reads the objectives of a front besides the first
`task`                what is asked, in a form that can be sent elsewhere
`spans`, `part`       cut the grid into parts for an executor, and evaluate one
`shared`              goes through the grid by parts, and puts them together
====================  =====================================================
"""

from mlsysim.search.arrays.engine import front as front
from mlsysim.search.arrays.engine import search as search
