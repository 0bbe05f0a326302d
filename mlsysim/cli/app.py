"""The commands and their options.

Nothing but typer is imported here: what a command needs is loaded when it
runs, so that ``mlsysim --help`` answers at once.
"""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlsysim.cli.options import For, framework_names, searching

if TYPE_CHECKING:
    from mlsysim.cli.output import Output

app = typer.Typer(
    name="mlsysim",
    help="Proven-optimal configurations of ML systems.",
    epilog="Exit status: 0 answered, 1 a check failed, 2 bad input, 3 proven infeasible,"
    " 4 stopped by a limit without an answer, 5 an output could not be written, 130 stopped by"
    " Ctrl-C (143: SIGTERM) with what there was, 141 the pipe was closed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class LeaveOut(StrEnum):
    """What a fit can be made without, in turn."""

    SOURCE = "source"


class Template(StrEnum):
    """What a question may be about."""

    TRAINING = "training"
    SERVING = "serving"
    FLEET = "fleet"
    PLAN = "plan"


QuestionPath = Annotated[Path, typer.Argument(metavar="FILE", help="A question file (TOML).")]
Plot = Annotated[
    Path | None, typer.Option(metavar="PICTURE", help="Draw a picture, e.g. front.png.")
]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        from mlsysim import __version__

        print(f"mlsysim {__version__}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """Proven-optimal configurations of ML systems."""


@app.command()
@searching(dask=True)
def solve(
    file: QuestionPath,
    *,
    top: Annotated[int, typer.Option(help="How many of the best designs to show.")] = 5,
    emit: Annotated[
        str | None,
        typer.Option(
            metavar="FRAMEWORK",
            autocompletion=framework_names,
            help="Print what launches the best design, such as for megatron, and only that.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Write a proof that others can check by mlsysim verify: at most 10,000,000 parts"
            " of the space with what excludes each, 40 MB.",
        ),
    ] = None,
    options: dict[str, Any],
    output: "Output",
) -> int:
    """Answer a question: the proven best design, or the proof that there is none."""
    if emit is not None:
        from mlsysim.cli.emitting import emit_file

        return emit_file(file, emit, output=output, top=top, **options)
    from mlsysim.cli.answer import solve_file

    return solve_file(file, output=output, top=top, certificate=certificate, **options)


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="CERTIFICATE", help="What solve --certificate has written.")
    ],
    *,
    question: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The question file that it is to be about."),
    ] = None,
    run_by: For = None,
) -> None:
    """Check the proof of an answer, part by part, by a program of its own."""
    from mlsysim.cli.verifying import verify_file

    raise typer.Exit(verify_file(file, question=question, framework=run_by))


@app.command()
@searching(method=False, full=False)
def plan(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A plan's file (TOML): it has jobs.")
    ],
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A key of the file and another value, e.g. fleets.main.nodes=300 or"
            " jobs.chat.deadline=2027-03-15.",
        ),
    ] = None,
    why_not: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Force a key, and say what that costs."),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUES", help="Answer for each value of a key; print a table."),
    ] = None,
    pareto: Annotated[
        str | None,
        typer.Option(metavar="GOAL,GOAL", help="Print every plan that is not worse by both."),
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="JSON",
            help="An earlier answer (--json) to go on from, with --now; the fewest changes.",
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="How far it has come: 2027-02-01, or '28 day'."),
    ] = None,
    plot: Plot = None,
    ical: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the plan as a calendar (iCalendar).")
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option(
            metavar="slurm", help="Write a batch script for each job, with --for and --into."
        ),
    ] = None,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the batch scripts are written.")
    ] = None,
    options: dict[str, Any],
    output: "Output",
) -> int:
    """Plan jobs over time: which runs when, on how many nodes, in which layout; proven."""
    from mlsysim.cli.planning import (
        PlanOutputs,
        front_of_plans,
        plan_file,
        sweep_plan,
        why_not_plan,
    )

    outputs = PlanOutputs(plot=plot, ical=ical, emit=emit, into=into)
    if why_not:
        return why_not_plan(file, settings or [], why_not, output=output, **options)
    if over:
        return sweep_plan(file, settings or [], over, output=output, **options)
    if pareto:
        return front_of_plans(file, settings or [], pareto, output=output, plot=plot, **options)
    if earlier or now:
        options |= {"earlier": earlier, "now": now}
    return plan_file(file, settings or [], output=output, outputs=outputs, **options)


@app.command()
@searching()
def evaluate(
    file: QuestionPath,
    *,
    settings: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A choice, or an argument of a model; what is left out is taken from the best"
            " design.",
        ),
    ],
    options: dict[str, Any],
    output: "Output",
) -> int:
    """Evaluate one given design, and list which requirements it breaks."""
    from mlsysim.cli.what_if import evaluate_file

    return evaluate_file(file, settings, output=output, **options)


@app.command()
@searching(dask=True, page=False, full=False)
def sweep(
    file: QuestionPath,
    *,
    over: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUES",
            help="A constraint and its limits (sla=20ms,50ms), a choice, an argument of a model,"
            " or a new limit (DistributedModel.mfu>=0.3,0.4).",
        ),
    ],
    plot: Plot = None,
    options: dict[str, Any],
    output: "Output",
) -> int:
    """Answer a question once for each of several limits, and show the curve."""
    from mlsysim.cli.sweeping import sweep_file

    return sweep_file(file, over, output=output, plot=plot, **options)


@app.command()
@searching()
def pareto(
    file: QuestionPath, *, plot: Plot = None, options: dict[str, Any], output: "Output"
) -> int:
    """Find the exact Pareto front of the objectives that the file's table "pareto" names."""
    from mlsysim.cli.front import front_of_file

    return front_of_file(file, output=output, plot=plot, **options)


@app.command()
@searching(method=False, dask=True, printed=False)
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Question files, or folders of them.")
    ],
    *,
    options: dict[str, Any],
) -> int:
    """Compare CP-SAT, a walk over every design and the file's expected answer."""
    from mlsysim.cli.checking import check_files

    return check_files(files, **options)


@app.command()
@searching()
def explain(
    file: QuestionPath,
    *,
    why_not: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Force a choice, and say what that costs."),
    ] = None,
    options: dict[str, Any],
    output: "Output",
) -> int:
    """Say what binds the best design, or why nothing fits and what would have to give."""
    output = replace(output, heading=True)
    if why_not:
        from mlsysim.cli.what_if import why_not_file

        return why_not_file(file, why_not, output=output, **options)
    from mlsysim.cli.answer import explain_file

    return explain_file(file, output=output, **options)


@app.command()
def model(
    file: QuestionPath,
    *,
    run_by: For = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write it as a CP-SAT proto, as text."),
    ] = None,
) -> None:
    """Tell the CP-SAT model of a question in words: choices, requirements, how each went in."""
    from mlsysim.cli.model import describe_model

    raise typer.Exit(describe_model(file, export=export, framework=run_by))


@app.command()
def validate(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="CSV", help="Measured runs; the package's own if not given."),
    ] = None,
    *,
    plot: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Draw predicted against measured.")
    ] = None,
    fit: Annotated[
        Path | None,
        typer.Option(metavar="TOML", help="Write constants fitted to the runs; - prints them."),
    ] = None,
    leave_out: Annotated[
        LeaveOut | None,
        typer.Option(help="Fit without each source in turn, and predict it by that."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print every row as JSON.")] = False,
) -> None:
    """Predict measured runs and report how far off the predictions are."""
    from mlsysim.cli.validating import validate_file

    leaving = leave_out is not None
    raise typer.Exit(validate_file(file, as_json=json, plot=plot, fit=fit, leave_out=leaving))


@app.command()
def new(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="What to write; - prints it.")
    ] = Path("question.toml"),
    *,
    kind: Annotated[
        Template | None, typer.Option(help="What to ask about; training if not given.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="An ML model of the catalogue.")
    ] = None,
    fleet: Annotated[
        str | None, typer.Option(metavar="NAME", help="A cluster, node or accelerator of it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Write a commented question file that can be answered as it stands.

    In a terminal, without any of --kind, --model and --fleet, it asks for them.
    """
    from mlsysim.cli.starting import write_question

    named = None if kind is None else kind.value
    raise typer.Exit(write_question(file, named, overwrite=overwrite, model=model, fleet=fleet))


@app.command()
def serve(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A question file; one about serving if not given."),
    ] = None,
    *,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond this machine, a token is asked for.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8642,
) -> None:
    """Open a page on which a question is answered again as its limits move."""
    from mlsysim.cli.serving import serve_page

    raise typer.Exit(serve_page(file, host=host, port=port))


@app.command()
def mcp(
    *,
    http: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, metavar="PORT", help="Over HTTP instead, for this machine alone."
        ),
    ] = None,
) -> None:
    """Serve agents over standard input and output, by the Model Context Protocol."""
    from mlsysim.cli.agents import serve_agents

    raise typer.Exit(serve_agents(http))


@app.command()
def schema(
    *,
    kind: Annotated[Template, typer.Option(help="What the files are about.")] = Template.TRAINING,
) -> None:
    """Print the JSON Schema of question files, by which editors complete and check them."""
    from mlsysim.cli.starting import print_schema

    raise typer.Exit(print_schema(kind.value))


@app.command("list")
def list_entries(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND", help="For example accelerators or language; stages, knobs or metrics."
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Argument(metavar="STAGE", help="Whose knobs or metrics; those of all otherwise."),
    ] = None,
) -> None:
    """List the catalogue, one kind of entry in it, or the models with what they take and report."""
    from mlsysim.cli.browsing import print_kinds

    print_kinds(kind, stage)


@app.command()
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="For example H100_SXM or ServingModel.")
    ] = None,
    *,
    hf: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="A model's config.json of Hugging Face instead."),
    ] = None,
) -> None:
    """Show a catalogue entry, figure by figure with sources, or the arguments of a model."""
    from mlsysim.cli.importing import show_entry

    show_entry(name, hf)
