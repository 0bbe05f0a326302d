"""Whoever changes a certificate is found out: by its digests, or else because it is still true."""

import copy
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

import mlsysim
from mlsysim.certificates import Certificate, check, read_certificate
from mlsysim.certificates.container import _digest, _json, _seal
from mlsysim.certificates.judging import TOLERANCE
from mlsysim.certificates.rules import ARITY
from mlsysim.core.dse import DSE
from mlsysim.errors import CertificateError

SPACE = {"tp": [1, 2, 4, 8], "batch": range(1, 41), "kind": ["slow", "fast"]}
LIMITS = {"room": "load <= 300", "whole": "batch % tp == 0"}
Members = dict[str, Any]


def evaluate(params: dict[str, Any]) -> dict[str, Any]:
    """Compute a cost that falls with the batch until it does not, and a load."""
    rate = mlsysim.select(params["kind"], {"slow": 1.0, "fast": 3.0})
    steps = mlsysim.ceil(params["batch"] / params["tp"])
    cost = (40.0 + rate * params["tp"] + steps) / (rate * params["batch"]) + 0.01 * params["batch"]
    return {"cost": cost, "load": 9 * params["batch"] + params["tp"] ** 2}


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """Give what a certificate is made of."""
    path = tmp_path_factory.mktemp("certificates") / "small.cert"
    DSE(SPACE, "minimize: cost", LIMITS).search(evaluate, certificate=path)
    with zipfile.ZipFile(path) as archive:
        head, question = (
            json.loads(archive.read(f"{n}.json")) for n in ("certificate", "question")
        )
        parts = np.frombuffer(archive.read("parts"), "<u2").tolist()
    return {"head": head, "question": question, "parts": parts}


def _packed(members: Members, path: Path, *, sealed: bool) -> Path:
    """Write what was changed; sealed anew, as a forger would."""
    head = dict(members["head"])
    question = _json(members["question"])
    parts = np.array(members["parts"], "<u2").tobytes()
    if sealed:
        head["digests"] = {"question.json": _digest(question), "parts": _digest(parts)}
        head["parts"] = sum(code >= len(SPACE) for code in members["parts"])
        if head["positions"] is not None:
            values = [_values(choice) for choice in members["question"]["choices"]]
            pairs = zip(SPACE, values, head["positions"], strict=False)
            head["design"] = {name: own[at] for name, own, at in pairs if at < len(own)}
        head.pop("seal")
        head["seal"] = _seal(head)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (
            ("certificate.json", _json(head)),
            ("question.json", question),
            ("parts", parts),
        ):
            archive.writestr(name, content)
    return path


def _values(choice: dict[str, Any]) -> list[Any]:
    values = choice["values"]
    if isinstance(values, dict):
        return [values["start"] + values["step"] * place for place in range(values["count"])]
    return list(values)


def _leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the ways to all values in plain data."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from _leaves(value, (*path, place))
    else:
        yield path


def _changed(data: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    result = copy.deepcopy(data)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = change(inner[path[-1]])
    return result


def test_any_value_that_is_changed_is_found(members: Members, tmp_path: Path) -> None:
    """Every single value of the file, another in its place: the file is refused."""

    def other(value: Any) -> Any:
        return value + 1 if isinstance(value, (int, float)) else f"{value}x"

    path = tmp_path / "changed.cert"
    assert check(read_certificate(_packed(members, path, sealed=False))).parts > 1
    for way in _leaves(members):
        changed = _changed(members, way, other)
        with pytest.raises(CertificateError):
            read_certificate(_packed(changed, path, sealed=False))


@given(data=st.data())
@examples(250)
def test_what_is_forged_and_passes_is_true(
    members: Members, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Sealed anew, a changed certificate is refused, or its claim holds at every design."""
    path = tmp_path_factory.mktemp("forged") / "forged.cert"
    kind = data.draw(st.sampled_from(["question", "question", "parts", "head"]))
    way: tuple[Any, ...]
    if kind == "parts":
        way = ("parts", data.draw(st.integers(0, len(members["parts"]) - 1)))
        changed = _changed(members, way, lambda _: data.draw(st.integers(0, len(SPACE) + 5)))
    elif kind == "head":
        ways: list[tuple[Any, ...]] = [("head", "positions", place) for place in range(len(SPACE))]
        way = data.draw(st.sampled_from([*ways, ("head", "objective")]))
        change = st.integers(0, 3) if "positions" in way else st.floats(0.1, 9)
        changed = _changed(members, way, lambda _: data.draw(change))
    else:
        way = data.draw(st.sampled_from(list(_leaves(members["question"], ("question",)))))
        changed = _changed(members, way, lambda value: data.draw(_others(value)))
    try:
        certificate = read_certificate(_packed(changed, path, sealed=True))
        check(certificate)
    except CertificateError:
        return
    _assert_true(certificate)


def _others(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, str):
        same = [name for name, count in ARITY.items() if count == ARITY.get(value)]
        return st.sampled_from([*same, "maximize", "minimize", "nothing"])
    if isinstance(value, int):
        return st.integers(0, 40)
    return st.floats(-5, 50).map(lambda number: round(number, 2))


def _assert_true(certificate: Certificate) -> None:
    """Look at every design in floats."""
    formulas, answer = certificate.formulas, certificate.answer
    grid = itertools.product(*(range(count) for count in formulas.lengths.values()))
    designs = np.array(list(grid), np.int64)
    (value,) = formulas.at(designs, [formulas.objective])
    value = value if formulas.sense == "minimize" else -value
    feasible = np.isfinite(value)
    for requirement in formulas.requirements:
        holds, *sides = formulas.at(designs, [requirement.holds, *requirement.sides])
        feasible &= (holds != 0) & np.logical_and.reduce([np.isfinite(side) for side in sides])
    mine = np.all(designs == np.array(answer.positions), axis=1)
    assert feasible[mine].all()
    best = value[mine][0]
    assert np.all(value[feasible] >= best - 2 * TOLERANCE * abs(best))
    assert answer.objective == pytest.approx(abs(best) if best > 0 else best, rel=TOLERANCE) or (
        formulas.sense == "maximize" and answer.objective == pytest.approx(-best, rel=TOLERANCE)
    )


def test_a_certificate_that_is_too_large_or_odd_is_refused(
    members: Members, tmp_path: Path
) -> None:
    """Missing members, other formats and numbers out of range are told, and never a traceback."""
    path = tmp_path / "odd.cert"
    odd: list[Members] = [
        _changed(members, ("head", "format"), lambda _: "another"),
        _changed(members, ("question", "steps"), lambda _: []),
        _changed(members, ("question", "choices"), lambda value: [*value, value[0]]),
        _changed(members, ("question", "choices", 0, "values"), lambda _: []),
        _changed(members, ("question", "objective", "step"), lambda _: 10**6),
        _changed(members, ("parts", 0), lambda _: 60_000),
        _changed(members, ("parts",), lambda value: value[:-1]),
        _changed(members, ("parts",), lambda value: [*value, value[-1]]),
        _changed(members, ("head", "positions"), lambda _: [0, 0, 99]),
        _changed(members, ("head", "objective"), lambda _: "much"),
    ]
    for changed in odd:
        with pytest.raises(CertificateError):
            check(read_certificate(_packed(changed, path, sealed=True)))
    path.write_bytes(b"PK\x05\x06 nothing")
    with pytest.raises(CertificateError, match="is no certificate"):
        read_certificate(path)
