"""A plugin of pytest: every question file is a test of its answer.

``pytest models/`` answers each question by CP-SAT and, where the space is not
too large, by evaluating every design; a plan over time is answered, replayed on exact times, and
its designs are evaluated anew.  A test fails, and prints the explanation, if

- the answer is not the one of the file's ``[expected]`` block,
- CP-SAT and a walk over every design disagree, or
- no design meets the requirements, although the file does not expect that.

A ``*.toml`` file is taken for a question file if at least three of the keys
``question``, ``objective``, ``pipeline`` and ``space`` stand in it, so that one
that is misspelt in a fourth is tested, and refused, rather than passed over;
other files are left alone.  The settings of pytest say more::

    [tool.pytest.ini_options]
    mlsysim_questions = ["plans/*.toml"]  # these files, and no others
    mlsysim_walk = "10000000"             # designs up to which each is evaluated as well
    mlsysim_time_limit = "60"             # seconds for each answer
    mlsysim_workers = "1"                 # threads of the solver

``-p no:mlsysim`` switches the plugin off.  Nothing of mlsysim is loaded before
a question is answered.
"""

import re
import signal
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from mlsysim.errors import MlsysimError

if TYPE_CHECKING:
    from mlsysim.files.question import Question
    from mlsysim.files.verification import Verified

_KEYS = re.compile(r"^\s*\[?\s*(question|objective|pipeline|space)\s*[].=]", re.MULTILINE)
_PLAN = re.compile(r"^\s*\[\s*jobs\s*\.", re.MULTILINE)
_FRONT = re.compile(r"^\s*\[?\s*pareto\s*[].=]", re.MULTILINE)
_ENOUGH = 3
"""A file with so many of the keys is a question file."""

_TERMINATED = 128 + signal.SIGTERM

_Number = TypeVar("_Number", int, float)


class UnexpectedAnswerError(Exception):
    """A question file does not keep its word; the message says how."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    parser.addini(
        "mlsysim_questions",
        "mlsysim: patterns of the question files to test; those that look like one if not given",
        type="args",
        default=[],
    )
    parser.addini(
        "mlsysim_walk", "mlsysim: evaluate each of up to so many designs, too", default=""
    )
    parser.addini("mlsysim_time_limit", "mlsysim: seconds for each answer (no limit)", default="")
    parser.addini("mlsysim_workers", "mlsysim: threads of the solver (all cores)", default="")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "QuestionModule | None":
    """Collect a file if it is a question file."""
    if (
        file_path.suffix != ".toml"
        or not file_path.is_file()
        or not _is_wanted(file_path, parent.config)
    ):
        return None
    return QuestionModule.from_parent(parent, path=file_path)


class QuestionModule(pytest.File):
    """A question file; its tests are the answer, and the front if it names one."""

    def collect(self) -> Iterator["QuestionItem"]:
        """Give the tests of the file."""
        if _PLAN.search(_text(self.path)):
            yield QuestionItem.from_parent(self, name="plan", test=_test_plan)
            return
        yield QuestionItem.from_parent(self, name="answer", test=_test_answer)
        if _FRONT.search(_text(self.path)):
            yield QuestionItem.from_parent(self, name="front", test=_test_front)


class QuestionItem(pytest.Item):
    """One test of a question file."""

    def __init__(self, *, test: Callable[["QuestionItem"], None], **options: Any) -> None:
        super().__init__(**options)
        self._test = test

    def runtest(self) -> None:
        """Run the test; where an interrupt cuts it short, nothing is compared, and pytest ends."""
        from mlsysim.search.interruption import interruptible  # noqa: PLC0415

        with interruptible(signals=(signal.SIGINT, signal.SIGTERM)) as interruption:
            try:
                self._test(self)
            finally:
                if interruption.number == signal.SIGTERM:
                    pytest.exit("mlsysim: interrupted by SIGTERM", returncode=_TERMINATED)
                if interruption.came:
                    raise KeyboardInterrupt

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,
    ) -> Any:
        """Tell what is wrong with the file or its answer; a traceback would tell nothing."""
        error = excinfo.value
        if isinstance(error, (UnexpectedAnswerError, MlsysimError)):
            from mlsysim.printable import printable  # noqa: PLC0415 - only a failure needs it

            return printable("\n".join([str(error), *getattr(error, "__notes__", ())]))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the test in reports."""
        return self.path, None, f"{self.name} of {self.path.name}"

    def load(self) -> "Question":
        """Read the question file."""
        from mlsysim.files.question import load  # noqa: PLC0415 - takes 0.5 s to import

        return load(self.place())

    def place(self) -> Path:
        """Give the path of the file as messages are to show it."""
        here = Path.cwd()
        return self.path.relative_to(here) if self.path.is_relative_to(here) else self.path

    def options(self) -> dict[str, Any]:
        """Read the settings."""
        limits: dict[str, Any] = {
            "time_limit": _setting(self.config, "mlsysim_time_limit", float),
            "workers": _setting(self.config, "mlsysim_workers", int),
        }
        walk = _setting(self.config, "mlsysim_walk", int)
        return limits if walk is None else limits | {"walk": walk}


def _test_answer(item: QuestionItem) -> None:
    from mlsysim.files.verification import verify  # noqa: PLC0415

    question = item.load()
    checked = verify(question, **item.options())
    item.user_properties.append(("status", checked.result.status.value))
    if checked.result:
        item.user_properties.append(("objective", checked.result.best_objective))
    if checked.failures:
        raise UnexpectedAnswerError("\n".join(_explanation(question, checked)))


def _test_plan(item: QuestionItem) -> None:
    from mlsysim.files.plans.plan_file import load_plan  # noqa: PLC0415
    from mlsysim.files.plans.verification import expected_block, verify_plan  # noqa: PLC0415

    plan = load_plan(item.place())
    limits = {name: value for name, value in item.options().items() if name != "walk"}
    checked = verify_plan(plan, **limits)
    item.user_properties.append(("status", checked.result.status.value))
    if checked.failures or (plan.expected is None and checked.result.schedule is None):
        lines = [*checked.failures, "", f"{plan.path}: {' '.join(plan.text.split())}"]
        lines += [str(checked.result), "", expected_block(checked.result)]
        raise UnexpectedAnswerError("\n".join(lines))


def _test_front(item: QuestionItem) -> None:
    from mlsysim.files.verification import verify_front  # noqa: PLC0415

    question = item.load()
    failures = verify_front(question, **item.options())
    if failures:
        raise UnexpectedAnswerError("\n".join([*failures, _asked(question)]))


def _explanation(question: "Question", checked: "Verified") -> Iterator[str]:
    """Say what is not as it should be, what the answer is, and why."""
    from mlsysim.files.verification import expected_block  # noqa: PLC0415

    result = checked.result
    yield from checked.failures  # the first line is all that the summary of pytest shows
    yield ""
    yield _asked(question)
    yield str(result)
    reasons = [name for name in result.conflict if name in question.reasons]
    if reasons:
        yield "Why they are required:"
        yield from (f"  {name}: {question.reasons[name]}" for name in reasons)
    if not checked.was_walked:
        size = f"{question.problem.space.size:,}"
        yield f"(CP-SAT's answer; the space of {size} designs is too large to evaluate each)"
    if question.expected is not None and checked.agrees:
        yield "\nIf the models have changed on purpose, the file is to say:"
        yield expected_block(result)


def _asked(question: "Question") -> str:
    return f"{question.path}: {' '.join(question.text.split())}"


def _is_wanted(file: Path, config: pytest.Config) -> bool:
    patterns = config.getini("mlsysim_questions")
    if patterns:
        inside = file.is_relative_to(config.rootpath)
        name = file.relative_to(config.rootpath).as_posix() if inside else file.as_posix()
        return any(fnmatch(name, pattern) for pattern in patterns)
    return len(set(_KEYS.findall(_text(file)))) >= _ENOUGH


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _setting(config: pytest.Config, name: str, kind: type[_Number]) -> _Number | None:
    """Read a number from the settings of pytest; nothing if it is not given."""
    text = str(config.getini(name)).replace("_", "")
    try:
        return kind(text) if text else None
    except ValueError:
        raise pytest.UsageError(f"{name} = {text!r} is not a number; write e.g. '60'") from None
