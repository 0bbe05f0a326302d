"""``mlsysim new``: write a commented question file to start from."""

import json
import os
import shlex
from pathlib import Path

from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.cli.writable import check_writable
from mlsysim.errors import ParameterError
from mlsysim.files.json_schema import plan_schema, question_schema
from mlsysim.files.question import question_of
from mlsysim.files.templates import template
from mlsysim.printable import one_line
from mlsysim.textfiles import write_text

SCHEMA = "mlsysim.schema.json"
PLAN_SCHEMA = "mlsysim.plan.schema.json"
"""The names of the schemas beside files, by which their first lines refer to them."""

PLAN = "plan"


def write_question(
    file: Path, kind: str, *, overwrite: bool, model: str | None = None, fleet: str | None = None
) -> ExitStatus:
    """Write a question file that can be answered as it stands, and the schema beside it.

    The first line tells editors where the schema is (Taplo and what is built on it); one that
    stands there is replaced, for it is always made anew.

    Parameters
    ----------
    file
        What to write; ``-`` prints it.
    kind
        What to ask about: the stem of one of the templates.
    overwrite
        Whether a file that exists may be replaced.
    model, fleet
        Entries of the catalogue in place of those in the template.
    """
    with errors_to_status():
        text = template(kind, model=model, fleet=fleet)
        if model or fleet:
            question_of(text, file)  # the names exist, and fit each other
        if str(file) == "-":
            say(text)
            return ExitStatus.ANSWERED
        check_writable("FILE", file)
        if not overwrite and os.path.lexists(file):
            raise ParameterError(
                f"{file}: exists; give another name, or replace it with --overwrite"
            )
        named = one_line(shlex.quote(str(file)))
        schema, verb = (PLAN_SCHEMA, "plan") if kind == PLAN else (SCHEMA, "solve")
        write_text(file, f"#:schema ./{schema}\n{text.replace('FILE', named)}")
        write_text(file.parent / schema, _schema(kind))
        say(f"{file}: written, beside {schema} for editors; now try: mlsysim {verb} {named}\n")
    return ExitStatus.ANSWERED


def print_schema(kind: str) -> ExitStatus:
    """Print the schema of question files, or of plans.

    Parameters
    ----------
    kind
        ``"plan"`` for the latter.
    """
    with errors_to_status():
        say(_schema(kind))
    return ExitStatus.ANSWERED


def _schema(kind: str) -> str:
    found = plan_schema() if kind == PLAN else question_schema()
    return json.dumps(found, indent=1) + "\n"
