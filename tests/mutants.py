"""A small mutation run: the package made wrong on purpose, to see that a test notices.

From the root of the repository::

    python -m tests.mutants                # every mutant; about ten minutes on two cores
    python -m tests.mutants margin bubble  # some of them

Each mutant changes one line in a copy of the repository, and the nearest quick tests run
against the copy.  A mutant that they pass survives: either a test is missing, or the line does
not matter.  The exit status is 1 if one survives.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PATIENCE = 600
"""Seconds for the tests of one mutant; what hangs is noticed, too."""


@dataclass(frozen=True)
class Mutant:
    """One wrong line.

    Parameters
    ----------
    file
        Where it stands, in the package.
    right, wrong
        A text that stands there once, and what takes its place.
    tests
        The nearest tests, in their folder.
    """

    file: str
    right: str
    wrong: str
    tests: str

    def applied(self, source: str) -> str:
        """Give the source with the wrong line.

        Raises
        ------
        ValueError
            If the right one does not stand there once.
        """
        if source.count(self.right) != 1:
            times = source.count(self.right)
            raise ValueError(f"{self.file}: {self.right!r} stands there {times} times, not once")
        return source.replace(self.right, self.wrong)


MUTANTS = {
    # Physics.
    "ring": Mutant(
        "physics/collectives.py",
        "message / (group * bandwidth) + latency",
        "message / bandwidth + latency",
        "physics/test_collectives.py",
    ),
    "bubble": Mutant(
        "physics/schedule.py",
        "return others / virtual_stages",
        "return others / 1",
        "physics",
    ),
    "waiting once for the other stages": Mutant(
        "stages/training/time.py",
        "alike = maximum(many - 1, 0)",
        "alike = maximum(many, 0)",
        "stages/test_uneven_stages.py",
    ),
    "microbatches of each stage": Mutant(
        "stages/training/memory.py",
        "alive=_alive(run, part.place.index)",
        "alive=_alive(run, 0)",
        "stages/test_uneven_stages.py",
    ),
    "fullest part": Mutant(
        "physics/partition.py",
        "return ceil(total / parts)\n",
        "return total / parts\n",
        "physics/test_partition.py",
    ),
    "causal half": Mutant(
        "physics/flops.py",
        "return reach - reach * (reach - 1) / (2 * seq_len)",
        "return reach / 1",
        "physics/test_flops.py",
    ),
    "sharding from a stage on": Mutant(
        "physics/state.py",
        "where(zero_stage >= from_stage, data_parallel, 1)",
        "where(zero_stage > from_stage, data_parallel, 1)",
        "physics/test_state.py",
    ),
    "replicated activations": Mutant(
        "physics/activations.py",
        "tokens * (replicated / shared + divided / tensor_parallel)",
        "tokens * (replicated + divided / tensor_parallel)",
        "physics/test_activations.py",
    ),
    "pages": Mutant(
        "physics/serving.py",
        "return ceil(tokens / page) * page",
        "return 1 * tokens",
        "physics/test_serving.py",
    ),
    "drafted tokens": Mutant(
        "physics/serving.py",
        "(1 - acceptance ** (drafted + 1)) / refused",
        "(1 - acceptance**drafted) / refused",
        "physics/test_serving.py",
    ),
    "young": Mutant(
        "physics/reliability.py",
        "return sqrt(2 * write * mtbf)",
        "return sqrt(write * mtbf)",
        "physics/test_reliability.py",
    ),
    "imbalance of training arithmetic": Mutant(
        "stages/training/compute.py",
        "run.calibration.imbalance * flops.matmul_flops(",
        "1 * flops.matmul_flops(",
        "stages/test_uneven_experts.py",
    ),
    "imbalance on the way to experts": Mutant(
        "stages/training/communication.py",
        "run.calibration.imbalance * work.tokens",
        "1 * work.tokens",
        "stages/test_uneven_experts.py",
    ),
    "imbalance of serving": Mutant(
        "stages/serving/passes.py",
        "where(ranks > 1, uneven, 1.0) * visits",
        "1 * visits",
        "stages/test_serving_experts.py",
    ),
    # The language of formulas, and proofs on it.
    "corners of a product": Mutant(
        "expr/ranges.py",
        "bound = _hull(*extremes([x * y for x in a for y in b]))",
        "bound = _hull(a.low * b.low, a.high * b.high)",
        "expr/test_operations.py",
    ),
    "where a ceiling comes from": Mutant(
        "expr/inverse.py",
        "Range(np.ceil(z.low) - 1.0, np.floor(z.high))",
        "Range(np.ceil(z.low), np.floor(z.high))",
        "expr/test_narrowing.py",
    ),
    "margin": Mutant(
        "search/cpsat/presolve.py",
        "MARGIN = 1e-10",
        "MARGIN = 1e-3",
        "search/cpsat/test_minimize.py",
    ),
    "dominance of a quotient": Mutant(
        "expr/operations.py",
        "return signs[1], -signs[0] * abs(signs[1])",
        "return signs[1], signs[0] * abs(signs[1])",
        "search/cpsat/test_minimize.py",
    ),
    "proven places": Mutant(
        "search/cpsat/engine.py",
        "placed += place < minimum.placed",
        "placed += 1",
        "search/cpsat/test_limits.py",
    ),
    "trace and plain numbers": Mutant(
        "search/cpsat/question/question.py",
        "return math.isclose(traced, plain,",
        "return True or math.isclose(traced, plain,",
        "search/test_disagreement.py",
    ),
    "minimal conflict": Mutant(
        "results/conflict.py",
        "            del kept[name]",
        "            pass",
        "results/test_result.py",
    ),
    "relaxations of wider questions": Mutant(
        "search/explain.py",
        "        if point.is_feasible:",
        "        if point:",
        "search/test_explain.py",
    ),
    "extremes": Mutant(
        "search/verify.py",
        "ends = [values.index(min(values)), values.index(max(values))]",
        "ends = [0]",
        "search/test_exhaustive.py",
    ),
    "doubtful ties of arrays": Mutant(
        "search/arrays/engine.py",
        "last + TOLERANCE * abs(last)",
        "last",
        "search/test_exhaustive.py",
    ),
    "nearest of arrays": Mutant(
        "search/arrays/nearest.py",
        "np.asarray(amount) / np.where(scale > 0, scale, 1.0)",
        "-np.asarray(amount) / np.where(scale > 0, scale, 1.0)",
        "search/test_reference.py",
    ),
    "dominance in the reference": Mutant(
        "search/reference.py",
        "mine <= yours",
        "mine < yours",
        "search/test_reference.py",
    ),
}


def survives(mutant: Mutant) -> bool:
    """Run the nearest tests against a copy with the wrong line; tell whether they pass.

    Raises
    ------
    RuntimeError
        If the tests could not be run at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        hidden = shutil.ignore_patterns(".*", "__pycache__", "build")
        shutil.copytree(ROOT, copy, ignore=hidden)
        file = copy / "mlsysim" / mutant.file
        file.write_text(mutant.applied(file.read_text(encoding="utf-8")), encoding="utf-8")
        command = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{mutant.tests}"]
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            ended = subprocess.run(  # noqa: S603 - our own interpreter on our own tests
                [sys.executable, *command],
                cwd=copy,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    if ended.returncode not in {0, 1}:
        raise RuntimeError(f"the tests of {mutant.file} did not run:\n{ended.stdout[-2000:]}")
    return ended.returncode == 0


def main() -> int:
    """Run the mutants named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of them; all if left out")
    names = parser.parse_args().names or list(MUTANTS)
    if unknown := [name for name in names if name not in MUTANTS]:
        parser.error(f"no mutant is called {unknown[0]!r}; there are {', '.join(MUTANTS)}")
    survivors = []
    for name in names:
        lives = survives(MUTANTS[name])
        survivors += [name] * lives
        where = f"{MUTANTS[name].file}, by tests/{MUTANTS[name].tests}"
        print(f"{'SURVIVES' if lives else 'killed':9} {name} ({where})", flush=True)  # noqa: T201
    print(f"{len(names) - len(survivors)} of {len(names)} killed")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
