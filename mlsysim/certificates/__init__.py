"""Certificates: a proof that an answer is right, which others can check.

A `Certificate` holds the question as formulas, the answer, and a partition of the space into
parts with what excludes each.  `check` goes through it with arithmetic of its own.  Nothing here
knows the engine that found the answer, nor its expressions: what both share are operations by the
names that NumPy gives them.  ``docs/certificates.md`` describes the file.
"""

from mlsysim.certificates.certificate import Certificate, CertifiedAnswer
from mlsysim.certificates.checking import CheckedProof, check
from mlsysim.certificates.container import read_certificate, write_certificate
from mlsysim.certificates.proving import prove
from mlsysim.certificates.text import formulas_to

__all__ = [
    "Certificate",
    "CertifiedAnswer",
    "CheckedProof",
    "check",
    "formulas_to",
    "prove",
    "read_certificate",
    "write_certificate",
]
