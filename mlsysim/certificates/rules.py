"""The operations that formulas are made of, with what encloses their results.

An operation has the name, and the meaning, of NumPy's function.
"""

from collections.abc import Mapping

import numpy as np

from mlsysim.certificates import arithmetic, choosing
from mlsysim.certificates.arithmetic import Rule, rising, smooth

TRUTHS: Mapping[str, Rule] = {
    "less": choosing.less,
    "less_equal": choosing.less_equal,
    "greater": lambda scale, a, b: choosing.less(scale, b, a),
    "greater_equal": lambda scale, a, b: choosing.less_equal(scale, b, a),
    "equal": choosing.equal,
    "not_equal": lambda scale, a, b: choosing.logical_not(scale, choosing.equal(scale, a, b)),
    "logical_and": choosing.logical_and,
    "logical_or": choosing.logical_or,
    "logical_xor": choosing.logical_xor,
    "logical_not": choosing.logical_not,
}
"""The operations whose result is a truth value."""

INEXACT: Mapping[str, Rule] = {
    "power": arithmetic.power,
    "cbrt": smooth(np.cbrt),
    "exp": smooth(np.exp),
    "exp2": smooth(np.exp2),
    "expm1": smooth(np.expm1),
    "tanh": smooth(np.tanh),
    "log": smooth(np.log, least=0.0),
    "log2": smooth(np.log2, least=0.0),
    "log10": smooth(np.log10, least=0.0),
    "log1p": smooth(np.log1p, least=-1.0),
}
"""The operations that libraries may round differently, by an ulp or two."""

RULES: Mapping[str, Rule] = {
    "add": arithmetic.add,
    "subtract": arithmetic.subtract,
    "negative": arithmetic.negative,
    "multiply": arithmetic.multiply,
    "divide": arithmetic.divide,
    "floor_divide": arithmetic.floor_divide,
    "remainder": arithmetic.remainder,
    "square": arithmetic.square,
    "absolute": arithmetic.absolute,
    "sign": rising(np.sign),
    "floor": arithmetic.floor,
    "ceil": arithmetic.ceil,
    "trunc": rising(np.trunc),
    "rint": rising(np.rint),
    "sqrt": arithmetic.sqrt,
    "maximum": choosing.maximum,
    "minimum": choosing.minimum,
    "where": choosing.where,
    **INEXACT,
    **TRUTHS,
}
"""Every operation -> how its result is enclosed."""

_UNARY = {"negative", "square", "absolute", "sign", "floor", "ceil", "trunc", "rint", "sqrt"}
_UNARY |= {"logical_not", *INEXACT.keys() - {"power"}}

ARITY: Mapping[str, int] = {
    name: 3 if name == "where" else 1 if name in _UNARY else 2 for name in RULES
}
"""Every operation -> the number of its arguments."""
