"""The commands and their options.

Nothing but typer is imported here: what a command needs is loaded when it
runs, so that ``mlsysim --help`` answers at once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="mlsysim",
    help="Proven-optimal configurations of ML systems.",
    epilog="Exit status: 0 answered, 1 a check failed, 2 bad input, 3 proven infeasible,"
    " 4 stopped by a limit without an answer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Method(StrEnum):
    """The ways to answer a question."""

    AUTO = "auto"
    CP_SAT = "cp-sat"
    EXHAUSTIVE = "exhaustive"


QuestionPath = Annotated[Path, typer.Argument(metavar="FILE", help="A question file (TOML).")]
MethodOption = Annotated[
    Method, typer.Option(help="auto takes CP-SAT where the models can be traced.")
]
TimeLimit = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Stop with the best found so far.")
]
Workers = Annotated[int | None, typer.Option(help="Threads of the solver; all cores if not given.")]
Seed = Annotated[int, typer.Option(help="Seed of the solver.")]


def main() -> None:
    """Run the command line."""
    app(prog_name="mlsysim")


@app.command()
def solve(
    file: QuestionPath,
    *,
    method: MethodOption = Method.AUTO,
    top: Annotated[int, typer.Option(help="How many of the best designs to show.")] = 5,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Answer a question: the proven best design, or the proof that there is none."""
    from mlsysim.cli.answer import solve_file

    options = {"top": top, "time_limit": time_limit, "workers": workers, "seed": seed}
    raise typer.Exit(solve_file(file, as_json=json, method=method.value, **options))


@app.command()
def pareto(
    file: QuestionPath,
    *,
    plot: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Draw the front, e.g. front.png.")
    ] = None,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the front as JSON.")] = False,
) -> None:
    """Find the exact Pareto front of the objectives in the file's [pareto] table."""
    from mlsysim.cli.front import front_of_file

    options = {"time_limit": time_limit, "workers": workers, "seed": seed}
    raise typer.Exit(front_of_file(file, as_json=json, plot=plot, method=method.value, **options))


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Question files, or folders of them.")
    ],
    *,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
) -> None:
    """Compare CP-SAT, the exhaustive reference and the file's expected answer."""
    from mlsysim.cli.checking import check_files

    raise typer.Exit(check_files(files, time_limit=time_limit, workers=workers, seed=seed))


@app.command()
def explain(
    file: QuestionPath,
    *,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Say what binds the best design, or why nothing fits and what would have to give."""
    from mlsysim.cli.explanation import explain_file

    options = {"time_limit": time_limit, "workers": workers, "seed": seed}
    raise typer.Exit(explain_file(file, as_json=json, method=method.value, **options))


@app.command("list")
def list_entries(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="For example accelerators or language.")
    ] = None,
) -> None:
    """List the catalogue, or one kind of entry in it."""
    from mlsysim.cli.browsing import print_kinds

    print_kinds(kind)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For example H100_SXM.")],
) -> None:
    """Show every figure of a catalogue entry with its unit, source and confidence."""
    from mlsysim.cli.browsing import print_entry

    print_entry(name)
