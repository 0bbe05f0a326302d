"""The tools: each asks the process, tells its progress, and gives the answer."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from mlsysim.agents.answers import AgentAnswer, Varied
from mlsysim.agents.catalogue import entries, entry, kinds
from mlsysim.agents.jobs import CheckQuestion, Evaluate, Explain, Vary
from mlsysim.errors import MlsysimError, ParameterError
from mlsysim.files.reading import written
from mlsysim.files.templates import template
from mlsysim.search.options import Progress
from mlsysim.validation.measured import TRAINING, path_of
from mlsysim.validation.report import report_of as validation_of
from mlsysim.worker.draft import Draft
from mlsysim.worker.jobs import ForceChoices, Front, Solve, WorkerJob
from mlsysim.worker.process import DefectError
from mlsysim.worker.worker import Worker

Text = Annotated[
    str,
    Field(description="The text of a question file (TOML), as the tool template writes it"),
]
File = Annotated[str, Field(description="The path of a question file, in place of its text")]
Seconds = Annotated[float, Field(gt=0, description="Seconds after which each search stops")]
Full = Annotated[bool, Field(description="Give the whole report as data, too")]
Top = Annotated[int, Field(ge=1, description="How many of the best designs to list")]
Settings = Annotated[
    dict[str, str],
    Field(description="Choice or argument of a model -> value as text: {'tp_size': '8'}"),
]
Objectives = Annotated[
    Sequence[str],
    Field(description="'minimize: METRIC' or 'maximize: METRIC'; those of [pareto] if empty"),
]
Over = Annotated[
    dict[str, list[str]],
    Field(
        description="What to vary -> values as text: a constraint and its limits"
        " ({'sla': ['20 ms', '50 ms']}), a choice, an argument, or a new limit ('METRIC<=')"
    ),
]
Kind = Annotated[str, Field(description="training, serving, fleet, or plan for jobs over time")]
Name = Annotated[str, Field(description="An entry or a model, such as H100_SXM or ServingModel")]
Group = Annotated[str, Field(description="A kind of entries, such as accelerators, or stages")]
Runs = Annotated[str, Field(description="A CSV of measured runs; the package's own if empty")]


class Tools:
    """What can be called; one process answers, started at the first call."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._told: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()

    async def solve(
        self,
        context: Context,
        *,
        question: Text = "",
        file: File = "",
        top: Top = 5,
        time_limit: Seconds = 60,
        full: Full = False,
    ) -> AgentAnswer:
        """Find the proven best design, or the proof that none fits and what would have to give."""
        job = Solve(draft=_draft(question, file), time_limit=time_limit, top=top)
        return AgentAnswer.of(await self._ask(job, context), full=full)

    async def pareto(
        self,
        context: Context,
        *,
        question: Text = "",
        file: File = "",
        objectives: Objectives = (),
        time_limit: Seconds = 60,
        full: Full = False,
    ) -> AgentAnswer:
        """Find the exact Pareto front: every best compromise between objectives."""
        goals = tuple(objectives)
        job = Front(draft=_draft(question, file), time_limit=time_limit, objectives=goals)
        return AgentAnswer.of(await self._ask(job, context), full=full)

    async def evaluate(
        self,
        context: Context,
        *,
        settings: Settings,
        question: Text = "",
        file: File = "",
        time_limit: Seconds = 60,
        full: Full = False,
    ) -> AgentAnswer:
        """Price one given design, and list the requirements that it breaks.

        What is not given is taken from the best design.
        """
        job = Evaluate(draft=_draft(question, file), time_limit=time_limit, settings=settings)
        return AgentAnswer.of(await self._ask(job, context), full=full)

    async def explain(
        self,
        context: Context,
        *,
        question: Text = "",
        file: File = "",
        time_limit: Seconds = 60,
        full: Full = False,
    ) -> AgentAnswer:
        """Say what binds the best design and what each requirement costs, or why nothing fits."""
        job = Explain(draft=_draft(question, file), time_limit=time_limit)
        return AgentAnswer.of(await self._ask(job, context), full=full)

    async def why_not(
        self,
        context: Context,
        *,
        forced: Settings,
        question: Text = "",
        file: File = "",
        time_limit: Seconds = 60,
        full: Full = False,
    ) -> AgentAnswer:
        """Force some choices, and say what that costs against the best, or what it breaks."""
        job = ForceChoices(draft=_draft(question, file), time_limit=time_limit, forced=forced)
        return AgentAnswer.of(await self._ask(job, context), full=full)

    async def sweep(
        self,
        context: Context,
        *,
        over: Over,
        question: Text = "",
        file: File = "",
        time_limit: Seconds = 60,
    ) -> Varied:
        """Answer a question once for each of several values of a limit, a choice, an argument."""
        job = Vary(draft=_draft(question, file), time_limit=time_limit, over=over)
        found = await self._ask(job, context)
        header, *rows = found.rows()
        return Varied(text=str(found), rows=[dict(zip(header, row, strict=True)) for row in rows])

    async def check(
        self, context: Context, *, question: Text = "", file: File = ""
    ) -> dict[str, Any]:
        """Check every name, value and unit of a question without answering it.

        What is wrong is an error with file, key and the nearest valid words.
        """
        found: dict[str, Any] = await self._ask(
            CheckQuestion(draft=_draft(question, file)), context
        )
        return found

    async def validate(self, *, runs: Runs = "") -> dict[str, Any]:
        """Predict measured runs, and report how far off the predictions are, by source."""
        with _errors():
            report = await asyncio.to_thread(validation_of, runs or path_of(TRAINING))
            told = report.to_dict()
            return {name: value for name, value in told.items() if name != "rows"}

    def catalogue(self, *, kind: Group = "", name: Name = "") -> dict[str, Any]:
        """Read the catalogue: its kinds, the entries of one kind, or one entry.

        An entry has all its figures with sources; a model its arguments and metrics.
        """
        with _errors():
            return entry(name) if name else entries(kind) if kind else kinds()

    def template(self, *, kind: Kind = "training") -> str:
        """Write a commented question file that can be answered as it stands, to start from."""
        with _errors():
            return template(kind)

    async def _ask(self, job: WorkerJob, context: Context) -> Any:
        """Have a job done; if the client gives the call up, the search ends."""
        if self._worker is None:
            self._worker = Worker()

        def tell(progress: Progress) -> None:
            task = asyncio.ensure_future(
                context.report_progress(progress.done, progress.total, str(progress))
            )
            self._told.add(task)
            task.add_done_callback(self._told.discard)

        with _errors():
            return await self._worker.ask(job, tell)


def _draft(question: str, file: str) -> Draft:
    """Take the text or the path of a question, whichever is given."""
    with _errors():
        if bool(question) == bool(file):
            raise ParameterError("give either question, the text of a file, or file, its path")
        if file:
            return Draft(text=written(Path(file)), path=Path(file))
        return Draft(text=question, path=Path("question.toml"))


@contextmanager
def _errors() -> Iterator[None]:
    """Tell the agent what is wrong, as the command line tells people."""
    try:
        yield
    except (MlsysimError, DefectError) as error:
        raise ToolError(str(error)) from None
