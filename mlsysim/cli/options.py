"""The options that commands share: how to search, and in which form to print the answer."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from mlsysim.search.method import Method

Command = Callable[..., int]


def framework_names() -> list[str]:
    """List the frameworks that there are, for the completion of a shell."""
    from mlsysim.launch.frameworks import frameworks

    return [framework.name for framework in frameworks()]


For = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="FRAMEWORK",
        autocompletion=framework_names,
        help="Who is to run the designs, such as megatron, torchtitan, deepspeed, axolotl, vllm or "
        "sglang: what it cannot run is infeasible.",
    ),
]
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
JsonFlag = Annotated[bool, typer.Option("--json", help="Print data for programs, as JSON.")]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print the designs as a table for programs.")]
Full = Annotated[
    bool,
    typer.Option(
        "--full",
        help="Tell also the interval of every figure, and every condition of the models.",
    ),
]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="PAGE", help="Write the report as one page of HTML."),
]

_SEARCH = (
    ("framework", For, None),
    ("method", MethodOption, Method.AUTO),
    ("time_limit", TimeLimit, None),
    ("workers", Workers, None),
    ("seed", Seed, 0),
)
_DASK = ("dask", Dask, None)
_FORMS = (("as_json", JsonFlag, False), ("as_csv", CsvFlag, False))
_FULL = ("full", Full, False)
_PAGE = ("page", Page, None)


def searching(
    *,
    method: bool = True,
    dask: bool = False,
    printed: bool = True,
    page: bool = True,
    full: bool = True,
) -> Callable[[Command], Callable[..., None]]:
    """Give a command the options of a search, and those of what it prints.

    The command takes them as two arguments: ``options``, a dict of those of a search, and
    ``output``, an `mlsysim.cli.output.Output`.  Its exit status is what it returns.

    Parameters
    ----------
    method, dask
        Whether the way to search can be chosen, and whether a cluster can do it.
    printed, page, full
        Whether the answer can be printed for programs, written as a page, and told in full.
    """
    search = [item for item in _SEARCH if method or item[0] != "method"] + [_DASK] * dask
    forms = [*_FORMS, *[_FULL] * full, *[_PAGE] * page] if printed else []

    def shared(command: Command) -> Callable[..., None]:
        own = [item for name, item in signature(command).parameters.items() if name not in _TAKEN]
        added = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, kind, default in (*search, *forms)
        ]

        @wraps(command)
        def called(**given: Any) -> None:
            taken: dict[str, Any] = {"options": {name: given.pop(name) for name, *_ in search}}
            if forms:
                from mlsysim.cli.output import Output

                taken["output"] = Output(**{name: given.pop(name) for name, *_ in forms})
            raise typer.Exit(command(**given, **taken))

        listed = [*own, *added]
        called.__signature__ = signature(command).replace(parameters=listed)  # type: ignore[attr-defined]
        called.__annotations__ = {item.name: item.annotation for item in listed}
        return called

    return shared


_TAKEN = ("options", "output")
