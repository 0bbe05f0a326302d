"""What the machine can do to numbers: one instruction each, over a block of lanes at a time.

An instruction's meaning is LLVM code over vectors.  Truth values are 1.0 and 0.0; whatever is
not zero counts as true, as it does for NumPy.  There are only operations that everybody rounds
alike: what libraries approximate is left to NumPy, so that results are the same to the last bit.
"""

from enum import StrEnum

# Lanes of a block, and of a vector: what AVX-512 takes at once.  Fewer take two or four.
LANES = 64
WIDTH = 8
VECTOR = f"<{WIDTH} x double>"
MASK = f"<{WIDTH} x i1>"


class Opcode(StrEnum):
    """An instruction, by the name of NumPy's function of the same meaning where there is one."""

    GATHER = "gather"
    LOAD = "load"
    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    NEGATIVE = "negative"
    ABSOLUTE = "absolute"
    SQRT = "sqrt"
    FLOOR = "floor"
    CEIL = "ceil"
    TRUNC = "trunc"
    RINT = "rint"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    LESS = "less"
    LESS_EQUAL = "less_equal"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    LOGICAL_AND = "logical_and"
    LOGICAL_OR = "logical_or"
    LOGICAL_XOR = "logical_xor"
    LOGICAL_NOT = "logical_not"
    ISNAN = "isnan"
    SIGNBIT = "signbit"
    WHERE = "where"
    FMOD = "fmod"


_ZERO = "zeroinitializer"
_WHOLE = f"<{WIDTH} x i64>"
_FROM_MASK = f"%r = uitofp {MASK} %m to {VECTOR}"


def _compared(relation: str, *operands: str) -> str:
    return f"%m = fcmp {relation} {VECTOR} {', '.join(operands)}\n{_FROM_MASK}"


def _called(name: str) -> str:
    return f"%r = call {VECTOR} @llvm.{name}.v{WIDTH}f64({VECTOR} %x)"


def _extreme(relation: str) -> str:
    # What is not a number wins.
    return (
        f"%c = fcmp {relation} {VECTOR} %x, %y\n%n = fcmp uno {VECTOR} %x, %x\n"
        f"%m = or {MASK} %c, %n\n%r = select {MASK} %m, {VECTOR} %x, {VECTOR} %y"
    )


def _joined(name: str) -> str:
    return (
        f"%a = fcmp une {VECTOR} %x, {_ZERO}\n%b = fcmp une {VECTOR} %y, {_ZERO}\n"
        f"%m = {name} {MASK} %a, %b\n{_FROM_MASK}"
    )


INTRINSICS = ("fabs", "sqrt", "floor", "ceil", "trunc", "rint")

ON_VECTORS = {
    Opcode.ADD: f"%r = fadd {VECTOR} %x, %y",
    Opcode.SUBTRACT: f"%r = fsub {VECTOR} %x, %y",
    Opcode.MULTIPLY: f"%r = fmul {VECTOR} %x, %y",
    Opcode.DIVIDE: f"%r = fdiv {VECTOR} %x, %y",
    Opcode.NEGATIVE: f"%r = fneg {VECTOR} %x",
    Opcode.ABSOLUTE: _called("fabs"),
    Opcode.SQRT: _called("sqrt"),
    Opcode.FLOOR: _called("floor"),
    Opcode.CEIL: _called("ceil"),
    Opcode.TRUNC: _called("trunc"),
    Opcode.RINT: _called("rint"),
    Opcode.MINIMUM: _extreme("ole"),
    Opcode.MAXIMUM: _extreme("oge"),
    Opcode.LESS: _compared("olt", "%x", "%y"),
    Opcode.LESS_EQUAL: _compared("ole", "%x", "%y"),
    Opcode.EQUAL: _compared("oeq", "%x", "%y"),
    Opcode.NOT_EQUAL: _compared("une", "%x", "%y"),
    Opcode.LOGICAL_AND: _joined("and"),
    Opcode.LOGICAL_OR: _joined("or"),
    Opcode.LOGICAL_XOR: _joined("xor"),
    Opcode.LOGICAL_NOT: _compared("oeq", "%x", _ZERO),
    Opcode.ISNAN: _compared("uno", "%x", "%x"),
    Opcode.SIGNBIT: (
        f"%i = bitcast {VECTOR} %x to {_WHOLE}\n%m = icmp slt {_WHOLE} %i, {_ZERO}\n{_FROM_MASK}"
    ),
    Opcode.WHERE: (
        f"%m = fcmp une {VECTOR} %x, {_ZERO}\n%r = select {MASK} %m, {VECTOR} %y, {VECTOR} %z"
    ),
}
"""The LLVM code that makes ``%r`` of ``%x``, ``%y`` and ``%z``."""
