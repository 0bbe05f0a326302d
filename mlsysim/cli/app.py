"""The commands and their options.

Nothing but typer is imported here: what a command needs is loaded when it
runs, so that ``mlsysim --help`` answers at once.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="mlsysim",
    help="Proven-optimal configurations of ML systems.",
    epilog="Exit status: 0 answered, 1 a check failed, 2 bad input, 3 proven infeasible,"
    " 4 stopped by a limit without an answer, 5 an output could not be written, 130 stopped by"
    " Ctrl-C (143: SIGTERM) with what there was, 141 the pipe was closed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Method(StrEnum):
    """The ways to answer a question."""

    AUTO = "auto"
    CP_SAT = "cp-sat"
    BRANCH_AND_BOUND = "branch-and-bound"
    EXHAUSTIVE = "exhaustive"
    REFERENCE = "reference"


class Kind(StrEnum):
    """What a question may be about."""

    TRAINING = "training"
    SERVING = "serving"
    FLEET = "fleet"


QuestionPath = Annotated[Path, typer.Argument(metavar="FILE", help="A question file (TOML).")]
MethodOption = Annotated[
    Method, typer.Option(help="auto takes CP-SAT where the models can be traced.")
]
TimeLimit = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Stop with the best found so far.")
]
Workers = Annotated[int | None, typer.Option(help="Threads of the solver; all cores if not given.")]
Seed = Annotated[int, typer.Option(help="Seed of the solver.")]
Dask = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Let a cluster of Dask evaluate, e.g. tcp://host:8786."),
]


def _frameworks() -> list[str]:
    from mlsysim.launch.frameworks import frameworks

    return [framework.name for framework in frameworks()]


For = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="FRAMEWORK",
        autocompletion=_frameworks,
        help="Who is to run the designs, such as megatron, torchtitan, deepspeed, vllm or sglang:"
        " what it cannot run is infeasible.",
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print data for programs, as JSON.")]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print the designs as a table for programs.")]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="PAGE", help="Write the report as one page of HTML."),
]
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
def solve(
    file: QuestionPath,
    *,
    run_by: For = None,
    method: MethodOption = Method.AUTO,
    top: Annotated[int, typer.Option(help="How many of the best designs to show.")] = 5,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    dask: Dask = None,
    json: JsonFlag = False,
    csv: CsvFlag = False,
    html: Page = None,
    emit: Annotated[
        str | None,
        typer.Option(
            metavar="FRAMEWORK",
            autocompletion=_frameworks,
            help="Print what launches the best design, such as for megatron, and only that.",
        ),
    ] = None,
) -> None:
    """Answer a question: the proven best design, or the proof that there is none."""
    from mlsysim.cli.answer import solve_file
    from mlsysim.cli.forms import Forms

    forms = Forms(as_json=json, as_csv=csv, page=html)
    options: dict[str, Any] = {
        "top": top,
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    if emit is not None:
        from mlsysim.cli.emitting import emit_file

        way = method.value
        raise typer.Exit(emit_file(file, emit, forms=forms, dask=dask, method=way, **options))
    raise typer.Exit(solve_file(file, forms=forms, dask=dask, method=method.value, **options))


@app.command()
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
    run_by: For = None,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    json: JsonFlag = False,
    csv: CsvFlag = False,
    html: Page = None,
) -> None:
    """Price one given design, and list which requirements it breaks."""
    from mlsysim.cli.forms import Forms
    from mlsysim.cli.what_if import evaluate_file

    forms = Forms(as_json=json, as_csv=csv, page=html)
    options: dict[str, Any] = {
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    raise typer.Exit(evaluate_file(file, settings, forms=forms, method=method.value, **options))


@app.command()
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
    run_by: For = None,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    dask: Dask = None,
    json: JsonFlag = False,
    csv: CsvFlag = False,
) -> None:
    """Answer a question once for each of several limits, and show the curve."""
    from mlsysim.cli.sweeping import sweep_file

    options: dict[str, Any] = {
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    raise typer.Exit(
        sweep_file(
            file,
            over,
            as_json=json,
            as_csv=csv,
            plot=plot,
            dask=dask,
            method=method.value,
            **options,
        )
    )


@app.command()
def pareto(
    file: QuestionPath,
    *,
    plot: Plot = None,
    run_by: For = None,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    json: JsonFlag = False,
    csv: CsvFlag = False,
    html: Page = None,
) -> None:
    """Find the exact Pareto front of the objectives that the file's table "pareto" names."""
    from mlsysim.cli.forms import Forms
    from mlsysim.cli.front import front_of_file

    forms = Forms(as_json=json, as_csv=csv, page=html)
    options: dict[str, Any] = {
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    raise typer.Exit(front_of_file(file, forms=forms, plot=plot, method=method.value, **options))


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Question files, or folders of them.")
    ],
    *,
    run_by: For = None,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    dask: Dask = None,
) -> None:
    """Compare CP-SAT, a walk over every design and the file's expected answer."""
    from mlsysim.cli.checking import check_files

    options: dict[str, Any] = {
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    raise typer.Exit(check_files(files, dask=dask, **options))


@app.command()
def explain(
    file: QuestionPath,
    *,
    run_by: For = None,
    method: MethodOption = Method.AUTO,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    seed: Seed = 0,
    why_not: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Force a choice, and say what that costs."),
    ] = None,
    json: JsonFlag = False,
    csv: CsvFlag = False,
    html: Page = None,
) -> None:
    """Say what binds the best design, or why nothing fits and what would have to give."""
    from mlsysim.cli.explanation import explain_file
    from mlsysim.cli.forms import Forms
    from mlsysim.cli.what_if import why_not_file

    forms = Forms(as_json=json, as_csv=csv, page=html, heading=True)
    options: dict[str, Any] = {
        "time_limit": time_limit,
        "workers": workers,
        "seed": seed,
        "framework": run_by,
    }
    if why_not:
        raise typer.Exit(why_not_file(file, why_not, forms=forms, method=method.value, **options))
    raise typer.Exit(explain_file(file, forms=forms, method=method.value, **options))


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
    json: Annotated[bool, typer.Option("--json", help="Print every row as JSON.")] = False,
) -> None:
    """Predict measured runs and report how far off the predictions are."""
    from mlsysim.cli.validating import validate_file

    raise typer.Exit(validate_file(file, as_json=json, plot=plot, fit=fit))


@app.command()
def new(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="What to write; - prints it.")
    ] = Path("question.toml"),
    *,
    kind: Annotated[Kind, typer.Option(help="What to ask about.")] = Kind.TRAINING,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file.")] = False,
) -> None:
    """Write a commented question file that can be answered as it stands."""
    from mlsysim.cli.starting import write_question

    raise typer.Exit(write_question(file, kind.value, overwrite=overwrite))


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
