"""The machine: a loop over instructions, as LLVM assembly.

It is written once and knows no question; a question is a list of instructions.  Each works on
a block of `LANES` numbers that stand in a row of memory, so that what an instruction costs
besides its arithmetic is shared by all of them.
"""

from mlsysim.expr.compiled.opcodes import (
    INTRINSICS,
    LANES,
    ON_VECTORS,
    VECTOR,
    WIDTH,
    Opcode,
)

# Numbers of an instruction: the opcode, the slot of the result, three operands.
FIELDS = 5
ENTRY = "mlsysim_run"

_HEAD = f"""
define void @{ENTRY}(i64 %count, ptr noalias %code, ptr noalias %tables, ptr noalias %places,
    ptr noalias %numbers, i64 %lanes, ptr noalias %slots, i64 %outputs, ptr noalias %wanted,
    ptr noalias %results) {{
entry:
  br label %block
block:
  %at = phi i64 [0, %entry], [%at.next, %stored]
  %more = icmp slt i64 %at, %lanes
  br i1 %more, label %fetch, label %done
done:
  ret void
fetch:
  %i = phi i64 [0, %block], [%i.next, %next]
  %working = icmp slt i64 %i, %count
  br i1 %working, label %decode, label %store
decode:
  %start = mul i64 %i, {FIELDS}
  %op.at = getelementptr i32, ptr %code, i64 %start
  %op = load i32, ptr %op.at
"""
_TAIL = f"""
next:
  %i.next = add i64 %i, 1
  br label %fetch
store:
  %o = phi i64 [0, %fetch], [%o.next, %copied]
  %storing = icmp slt i64 %o, %outputs
  br i1 %storing, label %find, label %stored
find:
  %wanted.at = getelementptr i32, ptr %wanted, i64 %o
  %slot.short = load i32, ptr %wanted.at
  %slot = sext i32 %slot.short to i64
  %slot.first = mul i64 %slot, {LANES}
  %slot.row = getelementptr double, ptr %slots, i64 %slot.first
  br label %copy
copied:
  %o.next = add i64 %o, 1
  br label %store
stored:
  %at.next = add i64 %at, {LANES}
  br label %block
}}
"""


def assembly() -> str:
    """Write the machine."""
    cases = "\n".join(f"i32 {place}, label %op{place}" for place in range(len(Opcode)))
    body = "\n".join(_case(place, op) for place, op in enumerate(Opcode))
    text = [
        *(f"declare {VECTOR} @llvm.{name}.v{WIDTH}f64({VECTOR})" for name in INTRINSICS),
        "declare double @fmod(double, double)",
        _HEAD,
        *(_operand(name, place) for place, name in enumerate(("d", "x", "y", "z"), 1)),
        f"switch i32 %op, label %next [{cases}]",
        body,
        _copy(),
        _TAIL,
    ]
    return "\n".join(text)


def _operand(name: str, place: int) -> str:
    """Read an operand, and where the row of that slot begins."""
    return f"""
  %{name}.at = getelementptr i32, ptr %op.at, i64 {place}
  %{name}.short = load i32, ptr %{name}.at
  %{name} = sext i32 %{name}.short to i64
  %{name}.first = mul i64 %{name}, {LANES}
  %{name}.row = getelementptr double, ptr %slots, i64 %{name}.first
"""


def _loop(name: str, step: int, body: str, after: str) -> str:
    """Write a loop over the lanes of a block, `step` at a time."""
    return f"""
{name}:
  br label %{name}.loop
{name}.loop:
  %{name}.k = phi i64 [0, %{name}], [%{name}.next, %{name}.loop]
{body}
  %{name}.next = add i64 %{name}.k, {step}
  %{name}.again = icmp slt i64 %{name}.next, {LANES}
  br i1 %{name}.again, label %{name}.loop, label %{after}
"""


def _case(place: int, op: Opcode) -> str:
    name = f"op{place}"
    match op:
        case Opcode.LOAD:
            body = [
                _row(name, "%numbers"),
                f"%{name}.r = load {VECTOR}, ptr %{name}.x.ptr, align 8",
                _to_slot(name, VECTOR),
            ]
            return _loop(name, WIDTH, "\n".join(body), "next")
        case Opcode.GATHER:
            body = [
                _row(name, "%places"),
                f"%{name}.p = load i64, ptr %{name}.x.ptr",
                f"%{name}.q = add i64 %{name}.p, %y",
                f"%{name}.e = getelementptr double, ptr %tables, i64 %{name}.q",
                f"%{name}.r = load double, ptr %{name}.e",
                _to_slot(name, "double"),
            ]
            return _loop(name, 1, "\n".join(body), "next")
        case Opcode.FMOD:  # of the C library, a lane at a time
            body = [
                *(_from_slot(name, operand, "double") for operand in "xy"),
                f"%{name}.r = call double @fmod(double %{name}.x, double %{name}.y)",
                _to_slot(name, "double"),
            ]
            return _loop(name, 1, "\n".join(body), "next")
        case _:
            code = ON_VECTORS[op]
            read = [_from_slot(name, operand, VECTOR) for operand in "xyz" if f"%{operand}" in code]
            body = [*read, code.replace("%", f"%{name}."), _to_slot(name, VECTOR)]
            return _loop(name, WIDTH, "\n".join(body), "next")


def _from_slot(name: str, operand: str, kind: str) -> str:
    return (
        f"%{name}.{operand}.ptr = getelementptr double, ptr %{operand}.row, i64 %{name}.k\n"
        f"%{name}.{operand} = load {kind}, ptr %{name}.{operand}.ptr, align 8"
    )


def _to_slot(name: str, kind: str) -> str:
    return (
        f"%{name}.d.ptr = getelementptr double, ptr %d.row, i64 %{name}.k\n"
        f"store {kind} %{name}.r, ptr %{name}.d.ptr, align 8"
    )


def _row(name: str, base: str) -> str:
    """Point at lanes of an input, of which the machine sees a block at a time."""
    return _lanes(name, base, "%x", f"%{name}.x.ptr")


def _lanes(name: str, base: str, row: str, pointer: str) -> str:
    return (
        f"%{name}.row = mul i64 {row}, %lanes\n"
        f"%{name}.block = add i64 %{name}.row, %at\n"
        f"%{name}.lane = add i64 %{name}.block, %{name}.k\n"
        f"{pointer} = getelementptr double, ptr {base}, i64 %{name}.lane"
    )


def _copy() -> str:
    """Copy what is wanted out of its slot."""
    body = [
        "%copy.from = getelementptr double, ptr %slot.row, i64 %copy.k",
        f"%copy.r = load {VECTOR}, ptr %copy.from, align 8",
        _lanes("copy", "%results", "%o", "%copy.to"),
        f"store {VECTOR} %copy.r, ptr %copy.to, align 8",
    ]
    return _loop("copy", WIDTH, "\n".join(body), "copied")
