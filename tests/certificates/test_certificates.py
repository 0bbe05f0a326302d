"""A certificate proves the best design, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Case, cases, examples

import mlsysim
from mlsysim.certificates import CertifiedAnswer, check, prove, read_certificate
from mlsysim.certificates.judging import TOLERANCE
from mlsysim.core.dse import DSE
from mlsysim.errors import CertificateError, MetricError, TracingError
from mlsysim.search.cpsat.certifying import traced

SPACE = {"tp": [1, 2, 4, 8], "batch": range(1, 101), "kind": ["slow", "fast"]}
LIMITS = {"room": "load <= 900", "whole": "batch % tp == 0"}


def evaluate(params: dict[str, Any]) -> dict[str, Any]:
    """Compute a cost that falls with the batch until it does not, and a load."""
    rate = mlsysim.select(params["kind"], {"slow": 1.0, "fast": 3.0})
    steps = mlsysim.ceil(params["batch"] / params["tp"])
    cost = (40.0 + rate * params["tp"] + steps) / (rate * params["batch"]) + 0.01 * params["batch"]
    return {"cost": cost, "load": 9 * params["batch"] + params["tp"] ** 2}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Give the certificate of a small question."""
    path = tmp_path / "small.cert"
    found = DSE(SPACE, "minimize: cost", LIMITS).search(evaluate, certificate=path)
    assert found.statistics.extra["certificate"]["bytes"] == path.stat().st_size
    assert not found.unfinished
    return path


def test_a_certificate_is_written_and_checked(written: Path) -> None:
    """The parts cover all 800 designs, and the best is that of the reference."""
    checked = check(read_certificate(written))
    best = DSE(SPACE, "minimize: cost", LIMITS).search(evaluate, method="reference")
    assert checked.designs == 800
    assert checked.certificate.design == best.best_params
    assert checked.certificate.answer.objective == best.best_objective
    assert sum(checked.exclusions.values()) == checked.parts > 1


def test_the_same_question_has_the_same_file(written: Path, tmp_path: Path) -> None:
    """Nothing of the time or the machine is in it."""
    again = tmp_path / "again.cert"
    DSE(SPACE, "minimize: cost", LIMITS).search(evaluate, certificate=again)
    assert again.read_bytes() == written.read_bytes()


def test_an_infeasible_question_is_certified(tmp_path: Path) -> None:
    """Every part has a requirement that cannot hold."""
    path = tmp_path / "none.cert"
    found = DSE(SPACE, "minimize: cost", {"room": "load <= 5"}).search(evaluate, certificate=path)
    assert found.status == "INFEASIBLE"
    checked = check(read_certificate(path))
    assert checked.certificate.design is None
    assert set(checked.exclusions) <= {"room", "design by design"}


def test_what_cannot_be_traced_is_not_certified(tmp_path: Path) -> None:
    """An evaluator that branches is answered all the same, and why there is no proof is told."""

    def branching(params: dict[str, Any]) -> dict[str, Any]:
        return {"cost": 1.0 if params["tp"] > 2 else 2.0}

    path = tmp_path / "none.cert"
    found = DSE({"tp": [1, 2, 4]}, "minimize: cost").search(branching, certificate=path)
    assert found.best_objective == 1.0
    assert found.unfinished[0].startswith("the certificate: ")
    assert not path.exists()


def test_what_is_not_proven_is_not_certified(tmp_path: Path) -> None:
    """Where time was over before the proof, there is nothing to certify."""
    path = tmp_path / "none.cert"
    space = {name: range(1, 2000) for name in "abcdef"}
    found = DSE(space, "minimize: cost").search(
        lambda p: {"cost": p["a"] % 7 + p["b"] * p["c"] % 11 + p["d"] * p["e"] % 13 * p["f"]},
        time_limit=0.05,
        certificate=path,
    )
    assert any(item.startswith("the certificate") for item in found.unfinished)
    assert not path.exists()


@given(case=cases(), data=st.data())
@examples(60)
def test_random_answers_are_certified(case: Case, data: st.DataObject) -> None:
    """The best design of nested loops is proven; that another were, or none, is refused."""
    points = [point for point in case.points() if point.is_feasible]
    try:
        formulas = traced(case.problem, case)
    except (MetricError, TracingError):
        return
    if not points:
        check(prove(formulas, CertifiedAnswer(), version="0"))
        return
    sign = 1 if case.sense == "minimize" else -1
    worth = [point.objective_in(formulas.unit) for point in points]
    best = min(worth, key=lambda value: sign * value)

    def answer(place: int) -> CertifiedAnswer:
        space, params = case.problem.space, points[place].params
        positions = tuple(space[name].index(value) for name, value in params.items())
        return CertifiedAnswer(positions=positions, objective=worth[place])

    check(prove(formulas, answer(worth.index(best)), version="0"))
    with pytest.raises(CertificateError):
        prove(formulas, CertifiedAnswer(), version="0")
    other = data.draw(st.integers(0, len(points) - 1))
    if abs(worth[other] - best) > 2 * TOLERANCE * max(abs(best), abs(worth[other])):
        with pytest.raises(CertificateError, match="better than the answer"):
            prove(formulas, answer(other), version="0")
