"""Certificates as files: a zip archive of three members.

``certificate.json`` tells the answer, the version of mlsysim and the digests of the others;
``question.json`` the space, the formulas and the requirements; ``parts`` holds one number of 16
bits, the lower byte first, for each box (see `mlsysim.certificates.parts`).
"""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mlsysim.certificates.certificate import Certificate, CertifiedAnswer
from mlsysim.certificates.text import formulas_from, formulas_to
from mlsysim.errors import CertificateError
from mlsysim.textfiles import replacing

_FORMAT = "mlsysim certificate, 1"
_MOST_BYTES = 1 << 28
_STAMP = (1980, 1, 1, 0, 0, 0)  # so that equal certificates are equal files


def write_certificate(certificate: Certificate, path: Path) -> int:
    """Write a certificate.

    Returns
    -------
    int
        The size of the file, in bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    question = question_bytes(certificate)
    parts = certificate.codes.astype("<u2").tobytes()
    answer = certificate.answer
    head = {
        "format": _FORMAT,
        "mlsysim": certificate.version,
        "status": answer.status,
        "objective": answer.objective,
        "design": certificate.design,
        "positions": None if answer.positions is None else list(answer.positions),
        "parts": certificate.parts,
        "exclusions": dict(certificate.exclusions),
        "digests": {"question.json": _digest(question), "parts": _digest(parts)},
    }
    head["seal"] = _seal(head)
    with (
        replacing(path, f"the certificate {path}") as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        members = {"certificate.json": _json(head), "question.json": question, "parts": parts}
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return path.stat().st_size


def question_bytes(certificate: Certificate) -> bytes:
    """Write the question of a certificate, the same for the same question."""
    return _json(formulas_to(certificate.formulas))


def read_certificate(path: Path) -> Certificate:
    """Read a certificate, and see that it is as it was written.

    Raises
    ------
    CertificateError
        If it cannot be read, or anything in it has been changed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_BYTES:
                raise CertificateError(f"{path}: has more than {_MOST_BYTES >> 20} MiB")
            read = {item.filename: archive.read(item) for item in archive.infolist()}
    except OSError as reason:
        raise CertificateError(f"{path}: cannot be read: {reason.strerror}") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as reason:
        raise CertificateError(
            f"{path}: is no certificate, which mlsysim solve --certificate writes: {reason}"
        ) from None
    try:
        return _certificate(read)
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from None


def _certificate(read: dict[str, bytes]) -> Certificate:
    if missing := {"certificate.json", "question.json", "parts"} - read.keys():
        raise CertificateError(f"is no certificate: {min(missing)} is missing")
    head = _parsed("certificate.json", read["certificate.json"])
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise CertificateError(f"certificate.json: is not of the format {_FORMAT!r}")
    if head.pop("seal", None) != _seal(head):
        raise CertificateError("certificate.json: has been changed: its seal is another")
    for name, digest in head["digests"].items():
        if _digest(read.get(name, b"")) != digest:
            raise CertificateError(f"{name}: has been changed: its digest is another")
    formulas = formulas_from(_parsed("question.json", read["question.json"]))
    certificate = Certificate(
        formulas=formulas,
        answer=_answer(head, formulas.lengths),
        codes=np.frombuffer(read["parts"], "<u2").astype(np.uint16),
        version=str(head["mlsysim"]),
    )
    told = {
        "parts": certificate.parts,
        "design": certificate.design,
        "status": certificate.answer.status,
    }
    for key, value in told.items():
        if head[key] != value:
            raise CertificateError(f"certificate.json: {key} is {value!r}, not {head[key]!r}")
    return certificate


def _answer(head: dict[str, Any], lengths: dict[str, int]) -> CertifiedAnswer:
    positions, objective = head["positions"], head["objective"]
    if positions is None:
        return CertifiedAnswer()
    fits = isinstance(positions, list) and len(positions) == len(lengths)
    whole = fits and all(type(position) is int for position in positions)
    if not whole or any(not 0 <= p < n for p, n in zip(positions, lengths.values(), strict=True)):
        raise CertificateError("certificate.json: positions: is no design of the space")
    if not isinstance(objective, float):
        raise CertificateError("certificate.json: objective: is no number")
    return CertifiedAnswer(positions=tuple(positions), objective=objective)


def _parsed(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as reason:
        raise CertificateError(f"{name}: is not JSON: {reason}") from None


def _json(content: object) -> bytes:
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _seal(head: dict[str, Any]) -> str:
    return _digest(_json(head))
