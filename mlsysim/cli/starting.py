"""``mlsysim new``: write a commented question file to start from."""

import json
import os
import shlex
import sys
from pathlib import Path

import typer

from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.cli.streams import say
from mlsysim.cli.writable import check_writable
from mlsysim.errors import ParameterError, QuestionError, suggest
from mlsysim.files.json_schema import plan_schema, question_schema
from mlsysim.files.question import question_of
from mlsysim.files.templates import kinds, named_in, template
from mlsysim.printable import one_line
from mlsysim.textfiles import write_text

SCHEMA = "mlsysim.schema.json"
PLAN_SCHEMA = "mlsysim.plan.schema.json"
"""The names of the schemas beside files, by which their first lines refer to them."""

TRAINING = "training"
PLAN = "plan"


def write_question(
    file: Path,
    kind: str | None,
    *,
    overwrite: bool,
    model: str | None = None,
    fleet: str | None = None,
) -> ExitStatus:
    """Write a question file that can be answered as it stands, and the schema beside it.

    The first line tells editors where the schema is (Taplo and what is built on it); one that
    stands there is replaced, for it is always made anew.

    Parameters
    ----------
    file
        What to write; ``-`` prints it.
    kind
        What to ask about: the stem of one of the templates; training if not given.
    overwrite
        Whether a file that exists may be replaced.
    model, fleet
        Entries of the catalogue in place of those in the template.  In a terminal they are asked
        for where none of the three is given.
    """
    with errors_to_status():
        to_file = str(file) != "-"
        if to_file:
            check_writable("FILE", file)
            if not overwrite and os.path.lexists(file):
                raise ParameterError(
                    f"{file}: exists; give another name, or replace it with --overwrite"
                )
        if kind is None and not (model or fleet) and to_file and _in_terminal():
            kind, model, fleet = _asked(file)
        kind = kind or TRAINING
        text = template(kind, model=model, fleet=fleet)
        if model or fleet:
            question_of(text, file)  # the names exist, and fit each other
        if not to_file:
            say(text)
            return ExitStatus.ANSWERED
        named = one_line(shlex.quote(str(file)))
        schema, verb = (PLAN_SCHEMA, "plan") if kind == PLAN else (SCHEMA, "solve")
        write_text(file, f"#:schema ./{schema}\n{text.replace('FILE', named)}")
        write_text(file.parent / schema, _schema(kind))
        say(f"{file}: written, beside {schema} for editors; now try: mlsysim {verb} {named}\n")
    return ExitStatus.ANSWERED


def _in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked(file: Path) -> tuple[str, str | None, str | None]:
    """Ask what the question is about, and which model and fleet; nothing keeps the template's."""
    say("Enter takes what is in brackets; mlsysim list shows the names that there are.\n")
    kind = typer.prompt(
        f"What is it about: {', '.join(kinds())}", default=TRAINING, value_proc=_kind
    )
    if kind == PLAN:  # whose models and fleets are those of its jobs
        return kind, None, None

    def ask(what: str, name: str, **given: str | None) -> str | None:
        def checked(text: str) -> str | None:
            if text == own:
                return None
            try:
                question_of(template(kind, **given, **{name: text}), file)
            except QuestionError as error:
                reason = str(error).removeprefix(f"{file}: ")
                raise typer.BadParameter(reason) from None
            return text

        own = named_in(kind, name)
        found: str | None = typer.prompt(what, default=own, value_proc=checked)
        return found

    model = ask("Which ML model", "model")
    return kind, model, ask("On which cluster, node or accelerator", "fleet", model=model)


def _kind(text: str) -> str:
    if text not in kinds():
        raise typer.BadParameter(f"there is no kind {text!r}{suggest(text, kinds())}")
    return text


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
