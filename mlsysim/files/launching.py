"""Which frameworks can run the answer to a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlsysim.files.question import Question
from mlsysim.launch.cures import Asked, Given, Refusal, refusals
from mlsysim.launch.frameworks import Framework, complete, frameworks
from mlsysim.problem.reading import resolver


@dataclass(frozen=True, kw_only=True)
class Launched:
    """Whether a framework can run a design.

    Parameters
    ----------
    framework
        Which one.
    refusals
        What stands against it; nothing where it can.
    """

    framework: Framework
    refusals: tuple[Refusal, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "framework": self.framework.name,
            "runs": not self.refusals,
            "refusals": [
                {
                    "name": item.rule.name,
                    "reason": item.rule.reason,
                    "constraints": list(item.cure.constraints),
                }
                for item in self.refusals
            ],
        }


def launched_by(question: Question, result: Any) -> tuple[Launched, ...]:
    """Ask every framework that runs designs of a question's models."""
    stages = question.evaluate.pipeline.stages
    asked = asked_of(question)
    found = []
    for framework in frameworks():
        stage = framework.stage_among(stages)
        if stage is not None:
            arguments: Mapping[str, Any] = complete(type(stage), result.arguments)
            if framework.tunes and not _tunes(arguments):
                continue
            resolve = resolver(arguments, {stage.name: result[stage.name]})
            broken = refusals(
                framework.rules_of(type(stage), stage.name), Given(resolve=resolve, asked=asked)
            )
            found.append(Launched(framework=framework, refusals=broken))
    return tuple(found)


def launched_by_all(question: Question, results: Sequence[Any]) -> tuple[Launched, ...]:
    """Ask every framework whether it runs all of some designs.

    Returns
    -------
    tuple
        For each framework what stands against any of them, each rule once.
    """
    found: dict[str, Launched] = {}
    for result in results:
        for item in launched_by(question, result):
            before = found.get(item.framework.name)
            known = before.refusals if before is not None else ()
            rules = {refusal.rule.name for refusal in known}
            more = (refusal for refusal in item.refusals if refusal.rule.name not in rules)
            found[item.framework.name] = replace(item, refusals=(*known, *more))
    return tuple(found.values())


def _tunes(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a training design leaves weights as they are."""
    return arguments["adapter_rank"] is not None or arguments["frozen_layers"] > 0


def asked_of(question: Question) -> Asked:
    """Say what a question leaves open, for the constraints that cure a refusal."""
    evaluate, space = question.evaluate, question.problem.space
    return Asked(
        named={*evaluate.fixed, *evaluate.chosen, *evaluate.listed},
        chosen=evaluate.chosen,
        values=lambda name: space[evaluate.chosen[name]].values if name in evaluate.chosen else (),
    )
