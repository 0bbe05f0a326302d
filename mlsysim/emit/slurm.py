"""A plan as batch scripts of Slurm: when a run begins, for how long, on what, by which command.

A run that pauses is a script for each piece: what is closed in between is closed to Slurm too, and
a script whose time does not end before a closure would never start.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mlsysim.emit.frameworks import emit
from mlsysim.errors import LaunchError
from mlsysim.files.plans.plan_file import FiledPlan
from mlsysim.launch.frameworks import Framework
from mlsysim.plans.answers.result import PlanResult
from mlsysim.plans.records.schedule import Run
from mlsysim.printable import one_line

MARGIN = 0.05
"""By how much longer than planned a run may take before Slurm ends it, relative."""

_COMMANDS = (Framework.MEGATRON, Framework.TORCHTITAN, Framework.DEEPSPEED)


@dataclass(frozen=True, kw_only=True)
class BatchScript:
    """A script for ``sbatch``.

    Parameters
    ----------
    name
        A name for its file.
    text
        What stands in it.
    """

    name: str
    text: str


def batch_scripts(
    plan: FiledPlan, found: PlanResult, framework: str, *, margin: float = MARGIN
) -> tuple[BatchScript, ...]:
    """Write a plan as batch scripts, and one that submits them all in their order.

    Parameters
    ----------
    plan
        The file: which models the runs are of.
    found
        The answer.
    framework
        Who runs them: one that torchrun launches.
    margin
        By how much longer than planned a run may take, relative.

    Raises
    ------
    LaunchError
        If the plan has no date, torchrun does not launch the framework, or it cannot run a design.
    NoAnswerError, InfeasibleError
        If there is no plan.
    """
    teller = Framework.named(framework)
    if teller not in _COMMANDS:
        told = ", ".join(item.name for item in _COMMANDS)
        raise LaunchError(f"{teller.name} is not launched by torchrun; write --for one of {told}")
    if found.question.origin is None:
        raise LaunchError(
            f"{plan.path}: begin: missing; batch scripts begin at dates, write e.g. "
            "begin = 2027-01-04"
        )
    jobs = {item.job.name: item for item in plan.jobs}
    names = _file_names(jobs)
    scripts: list[BatchScript] = []
    named: dict[str, list[str]] = {}
    for run in sorted(found.schedule or (), key=lambda item: (item.begin, item.job)):
        if run.job in jobs:
            own = [*_scripts(plan, found, names[run.job], run, teller, margin)]
            named[run.job] = [script.name for script in own]
            scripts += own
    return (*scripts, BatchScript(name="submit.sh", text=_submit(found, named)))


def _scripts(
    plan: FiledPlan,
    found: PlanResult,
    name: str,
    run: Run,
    framework: Framework,
    margin: float,
) -> Iterator[BatchScript]:
    """Write a script for each piece of a run."""
    nodes, options = plan.nodes[run.row.fleet], plan.nodes[run.row.fleet].slurm
    job = next(item for item in plan.jobs if item.job.name == run.job)
    evaluate = job.bound[run.row.fleet].evaluate
    stage = framework.require_stage(evaluate.pipeline.stages)
    arguments = {
        name: value
        for name, value in evaluate.arguments_of(run.row.params).items()
        if name in type(stage).knobs()
    }
    command = emit(framework, arguments, type(stage)).text
    if framework is Framework.DEEPSPEED:
        command = _configured(command, run.row.nodes, nodes.cluster.node.accelerators)
    origin = found.question.origin
    for place, (begin, end) in enumerate(run.pieces, start=1):
        several = f"-{place}" if len(run.pieces) > 1 else ""
        last = place == len(run.pieces)
        # A piece before a closure has to end with it; only the last may take longer.
        length = round((end - begin) * (1 + margin)) if last else end - begin
        directives = {
            "job-name": name + several,
            "begin": f"{origin + timedelta(seconds=begin):%Y-%m-%dT%H:%M:%S}" if origin else "now",
            "time": _span(length),
            "nodes": str(run.row.nodes),
            "ntasks-per-node": "1",
            "gpus-per-node": str(nodes.cluster.node.accelerators),
            "exclusive": "",
            **options,
        }
        told = f"# {one_line(f'{run.job}: piece {place} of {len(run.pieces)}, on {run.row.fleet}')}"
        yield BatchScript(
            name=f"{name}{several}.sbatch",
            text="\n".join(
                [
                    "#!/bin/bash",
                    *_directives(directives),
                    told,
                    *_launch(command),
                ]
            ),
        )


def _directives(options: Mapping[str, str]) -> Iterator[str]:
    for name, value in options.items():
        yield f"#SBATCH --{name}={shlex.quote(value)}" if value else f"#SBATCH --{name}"


def _configured(document: str, nodes: int, accelerators: int) -> str:
    """Write the command that runs the user's own script by a configuration file of DeepSpeed."""
    return "\n".join(
        [
            ': "${TRAIN:?set TRAIN to the script that calls deepspeed.initialize}"',
            'config="${TMPDIR:-/tmp}/deepspeed-$SLURM_JOB_ID.json"',
            "cat > \"$config\" <<'CONFIG'",
            document.rstrip("\n"),
            "CONFIG",
            f"torchrun --nnodes {nodes} --nproc-per-node {accelerators} \\",
            '    "$TRAIN" --deepspeed --deepspeed_config "$config"',
        ]
    )


def _launch(command: str) -> Iterator[str]:
    """Start the command once on each node; torchrun reads where to meet from its environment."""
    yield "set -euo pipefail"
    yield 'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)'
    yield 'export PET_RDZV_BACKEND=c10d PET_RDZV_ENDPOINT="$head:29500" PET_RDZV_ID="$SLURM_JOB_ID"'
    yield "launch=$(cat <<'LAUNCH'"
    yield command.rstrip("\n")
    yield "LAUNCH"
    yield ")"
    yield 'srun --kill-on-bad-exit=1 bash -c "$launch"'
    yield ""


def _submit(found: PlanResult, named: Mapping[str, list[str]]) -> str:
    """Write what submits all scripts: each after those that it waits for."""
    lines = ["#!/bin/bash", "set -euo pipefail", 'cd "$(dirname "$0")"']
    variables = {job: f"job_{place}" for place, job in enumerate(named)}
    for job, scripts in named.items():
        waits = [f"afterok:${variables[name]}" for name in found.question.job(job).after]
        for script in scripts:
            after = f"--dependency={','.join(waits)} " if waits else ""
            lines.append(f"{variables[job]}=$(sbatch --parsable {after}{shlex.quote(script)})")
            # A piece that ran into a closure was ended by its time: the next goes on anyhow.
            waits = [f"afterany:${variables[job]}"]
    return "\n".join([*lines, ""])


def _span(seconds: int) -> str:
    """Write a time as Slurm reads it, rounded up to a second: days-hours:minutes:seconds."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    return f"{days}-{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _file_names(jobs: Iterable[str]) -> dict[str, str]:
    """Give each job a name that every file system and shell takes, and no other job has."""
    found: dict[str, str] = {}
    for job in jobs:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", job).lstrip(".-") or "job"
        while name in found.values():
            name += "_"
        found[job] = name
    return found
