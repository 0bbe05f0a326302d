"""One tab of the browser: its question, its process, and what it shows."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from nicegui import background_tasks, ui

from mlsysim.errors import MlsysimError
from mlsysim.live.answer_panel import AnswerPanel
from mlsysim.live.control_panel import ControlPanel, Edit
from mlsysim.live.controls import Controls
from mlsysim.live.design_panel import DesignPanel
from mlsysim.live.draft import TabDraft
from mlsysim.live.editor_panel import EditorPanel
from mlsysim.live.export_panel import ExportPanel
from mlsysim.live.front_panel import FrontPanel
from mlsysim.live.opening import Open
from mlsysim.live.plan_panel import PlanPanel
from mlsysim.live.planning import ForcePlan, OpenPlan, SolvePlan
from mlsysim.live.status_panel import StatusPanel
from mlsysim.live.why_panel import WhyPanel
from mlsysim.report import Report
from mlsysim.report.page import fact_tiles, verdict_line
from mlsysim.worker.jobs import EmitLaunch, ForceChoices, Front, Page, Solve, WorkerJob
from mlsysim.worker.process import DefectError
from mlsysim.worker.worker import Worker

PAUSE = 0.12
"""Seconds without a movement after which the question is answered."""

_log = logging.getLogger("mlsysim.live")

Step = Callable[[], Coroutine[Any, Any, None]]


class Tab:
    """What one tab asks and shows; nothing of it is shared with another.

    At most one thing is under way.  A movement cancels it; what was not yet answered then (the
    question, its front) is answered after.

    Parameters
    ----------
    draft
        The question that it begins with.
    """

    def __init__(self, draft: TabDraft) -> None:
        self._draft = draft
        self._controls: Controls | None = None
        self._answer: Report | None = None
        self._front: Report | None = None
        self._due: list[Step] = []
        self._task: asyncio.Task[None] | None = None
        self._worker: Worker | None = None

    def build(self) -> None:
        """Lay the page out."""
        with ui.element("div").classes("mlsysim live"):
            with ui.element("aside").props("aria-label='what is asked'"):
                self._movable = ControlPanel(self._change)
            with ui.element("div").classes("answers") as answers:
                self._status = StatusPanel(self._stop)
                with ui.element("div").classes("parts") as self._of_question:
                    self._design = DesignPanel()
                    self._weighed = FrontPanel(self._choose_point, self._weigh)
                    self._why = WhyPanel(self._ask_why)
                    self._found = AnswerPanel(self._choose_design, self._apply)
                    self._export = ExportPanel(
                        lambda: self._draft, self._ask_page, self._ask_launch
                    )
                self._plan = PlanPanel(lambda: self._draft, self._ask_plan, self._apply)
                self._editor = EditorPanel(self._open)
        ui.skip_link("Skip to the answer", target=answers)

    def start(self) -> None:
        """Begin to answer; called once the tab is connected."""
        if self._worker is None:
            self._worker = Worker()
            self._open(self._draft.text)

    def close(self) -> None:
        """End the process: the tab is closed."""
        if self._task is not None:
            self._task.cancel()
        if self._worker is not None:
            self._worker.close()

    def _open(self, text: str) -> None:
        """Ask about another text."""
        self._draft = replace(self._draft, text=text)
        self._begin(self._opened, *self._answering)

    @property
    def _answering(self) -> tuple[Step, ...]:
        """What answers the draft: a plan is one step, a question is followed by its front."""
        return (self._planned,) if self._draft.is_plan else (self._solved, self._front_found)

    def _change(self, edit: Edit) -> None:
        """Take a movement, and answer once nothing moves any more."""
        draft = edit(self._draft)
        if draft != self._draft:
            self._draft = draft
            self._begin(self._rested, *self._answering)

    def _apply(self, edit: Edit) -> None:
        """Take a cure, and show where the controls stand with it."""
        self._open(edit(self._draft).text)

    def _weigh(self) -> None:
        self._front = None
        self._begin(*[step for step in self._due if step == self._solved], self._front_found)

    def _ask_why(self, forced: Any) -> None:
        async def told() -> None:
            self._why.tell(
                await self._ask(ForceChoices(draft=self._draft, forced=forced), "Why not?")
            )

        self._begin(told, *self._due)

    def _ask_plan(self, forced: Any) -> None:
        async def told() -> None:
            job = ForcePlan(draft=self._draft, forced=forced)
            self._plan.tell(await self._ask(job, "Why not?"))

        self._begin(told, *self._due)

    def _ask_page(self) -> None:
        async def told() -> None:
            page = await self._ask(Page(draft=self._draft), "Writing the report")
            ui.download.content(page, "report.html", "text/html")

        self._begin(told, *self._due)

    def _ask_launch(self, framework: str) -> None:
        async def told() -> None:
            job = EmitLaunch(draft=self._draft, framework=framework)
            self._export.tell(framework, await self._ask(job, f"Launching with {framework}"))

        self._begin(told, *self._due)

    def _stop(self) -> None:
        """End what is under way, and all that was to come."""
        if self._task is not None:
            self._task.cancel()
        self._due = []
        self._status.rest()
        self._status.complain("Stopped; move something to go on.")

    def _begin(self, *steps: Step) -> None:
        """Do these steps, instead of what is under way."""
        if self._task is not None:
            self._task.cancel()
        self._due = list(steps)
        work = self._work(self._due)
        self._task = background_tasks.create(work, context=self._status.place)

    async def _work(self, steps: list[Step]) -> None:
        """Do steps, and keep only those that are still to be done."""
        try:
            while steps:
                await steps[0]()
                del steps[0]
        except MlsysimError as error:
            steps.clear()
            self._status.complain(str(error))
        except DefectError as error:
            steps.clear()
            _log.error("%s", error)
            last = str(error).strip().splitlines()[-1]
            self._status.complain(f"A model failed: {last}; the log has more.")
        except Exception:
            steps.clear()
            self._status.complain("The page failed at this; the log has more.")
            self._status.rest()
            raise
        self._status.rest()

    async def _ask(self, job: WorkerJob, what: str) -> Any:
        assert self._worker is not None  # noqa: S101 - for the type checker: started
        self._status.work(what)
        return await self._worker.ask(job, self._status.progress)

    async def _rested(self) -> None:
        await asyncio.sleep(PAUSE)
        self._editor.show(self._draft.text)

    async def _opened(self) -> None:
        job = (OpenPlan if self._draft.is_plan else Open)(draft=self._draft)
        controls = await self._ask(job, "Reading the question")
        self._controls = controls
        self._of_question.set_visibility(not self._draft.is_plan)
        self._plan.place.set_visibility(self._draft.is_plan)
        self._movable.show(controls)
        self._weighed.offer(controls)
        self._editor.show(self._draft.text)

    async def _planned(self) -> None:
        view = await self._ask(SolvePlan(draft=self._draft), "Planning, and proving")
        self._status.show(view.verdict, view.facts)
        self._plan.show(view)

    async def _solved(self) -> None:
        report = await self._ask(Solve(draft=self._draft), "Searching, and proving")
        assert self._controls is not None  # noqa: S101 - for the type checker: opened
        self._answer, self._front = report, None
        self._status.show(verdict_line(report), fact_tiles(report))
        self._found.show(report, self._controls)
        self._why.show(report, self._controls)
        self._export.show(report)
        self._weighed.hide(there_is_one=bool(report.designs))
        if report.designs:
            self._design.show(report.designs[0], report.title)
        else:
            self._design.hide()

    async def _front_found(self) -> None:
        objectives = self._weighed.objectives
        if not objectives or self._answer is None or not self._answer.designs:
            return
        job = Front(draft=self._draft, objectives=objectives)
        self._front = await self._ask(job, "Finding every best compromise")
        self._weighed.show(self._front)

    def _choose_design(self, place: int) -> None:
        self._look(self._answer, place, "Design")

    def _choose_point(self, place: int) -> None:
        self._look(self._front, place, "Point")

    def _look(self, report: Report | None, place: int, what: str) -> None:
        """Show one of the designs of a report."""
        if report is not None and place < len(report.designs):
            self._design.show(report.designs[place], f"{what} {place + 1}")
