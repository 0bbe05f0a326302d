"""Show the CP-SAT model of a question file."""

from pathlib import Path

from mlsysim.cli.status import ExitStatus, errors_to_status
from mlsysim.files.question import load


def describe_model(file: Path, *, export: Path | None, framework: str | None) -> ExitStatus:
    """Build the model of a question file, tell it in words, and write it where that is asked.

    Parameters
    ----------
    file
        The question file.
    export
        Where to write the model as a CP-SAT proto in text form, without the designs that are
        worse than one that is known.
    framework
        Who is to run the designs, in place of what the file says.
    """
    with errors_to_status(file):
        question = load(file, framework=framework)
        model = question.explorer.compile(question.evaluate)
        if export is not None:
            # What a file holds is solved as it is.
            question.explorer.compile(question.evaluate, optimum_only=True).export(export)
        print(model.describe(), end="")
    return ExitStatus.ANSWERED
