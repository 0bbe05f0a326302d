"""``mlsysim verify``: check a certificate, and that it is about a question."""

from pathlib import Path

from mlsysim.certificates import Certificate, CheckedProof, check, formulas_to, read_certificate
from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.errors import CertificateError
from mlsysim.files.question import Question, load
from mlsysim.results.formatting import count

_SHOWN = 6


def verify_file(file: Path, *, question: Path | None, framework: str | None) -> ExitStatus:
    """Check a certificate, and print what it proves.

    Parameters
    ----------
    file
        The certificate.
    question
        A question file that it is to be about.
    framework
        Who is to run the designs, in place of what that file says.
    """
    with errors_to_status():
        certificate = read_certificate(file)
        if question is not None:
            _compare(certificate, load(question, framework=framework))
        say(_told(check(certificate), question))
    return ExitStatus.ANSWERED


def _compare(certificate: Certificate, question: Question) -> None:
    """See that a certificate is about a question, traced anew."""
    from mlsysim.search.cpsat import certifying  # noqa: PLC0415 - 0.2 s to import

    formulas = certifying.traced(question.problem, question.evaluate)
    mine, theirs = formulas_to(certificate.formulas), formulas_to(formulas)
    different = [key for key, value in theirs.items() if mine[key] != value]
    if different:
        raise CertificateError(
            f"the certificate (by mlsysim {certificate.version}) is not about {question.path}: "
            f"its {' and '.join(different)} are others"
        )


def _told(checked: CheckedProof, question: Path | None) -> str:
    """Write what is proven, and how."""
    certificate, formulas = checked.certificate, checked.certificate.formulas
    if certificate.design is None:
        claim = f"INFEASIBLE: {formulas.text}: no design meets all requirements"
    else:
        design = ", ".join(f"{name} = {value}" for name, value in certificate.design.items())
        value = f"{certificate.answer.objective:.10g} {formulas.unit}".rstrip()
        claim = f"OPTIMAL: {formulas.text} = {value} at {design}"
    listed = list(certificate.exclusions.items())
    parts = count(checked.parts, "part")
    seconds = f"{checked.seconds:.1f} s"
    about = "" if question is None else f"; about {question}, traced anew"
    lines = [
        f"VERIFIED  {claim}",
        f"{checked.designs:,.0f} designs in {parts}, all excluded in {seconds}:",
    ]
    lines += [f"  {count:>10,}  {name}" for name, count in listed[:_SHOWN]]
    if more := sum(count for _, count in listed[_SHOWN:]):
        lines.append(f"  {more:>10,}  others")
    return "\n".join([*lines, f"written by mlsysim {certificate.version}{about}", ""])
