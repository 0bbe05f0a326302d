"""What a load does to a replica: prefills among decode passes, and waiting."""

from dataclasses import dataclass
from typing import Any

from mlsysim.expr.functions import minimum, where
from mlsysim.physics.serving_queue import (
    busy_share,
    chance_to_wait,
    mean_wait_of_waiting,
    wait_quantile,
)
from mlsysim.stages.serving.passes import ServingRun
from mlsysim.stages.serving.time import ServingTime


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A place where requests wait.

    Parameters
    ----------
    chance
        Chance to wait at all.
    mean
        Mean wait of those who do (s).
    """

    chance: Any
    mean: Any


@dataclass(frozen=True, kw_only=True)
class ServingLoad:
    """A replica under a load; times in s.

    Parameters
    ----------
    rate
        Requests per second that it answers.
    utilization
        The rate that is asked for over the most that it can answer.
    prefill_share
        Share of its time that goes into prefill.
    first_token
        From the arrival of a request to its first token if it does not wait.
    between
        Time between tokens, prefills of the others included.
    residence
        From its admission to its last token.
    queues
        Where it waits.
    """

    rate: Any
    utilization: Any
    prefill_share: Any
    first_token: Any
    between: Any
    residence: Any
    queues: tuple[Queue, ...]

    @property
    def mean_wait(self) -> Any:
        """The mean wait over all requests."""
        return sum(queue.chance * queue.mean for queue in self.queues)

    def wait(self, quantile: float) -> Any:
        """Give a quantile of the wait, each place taken at its worst."""
        return sum(wait_quantile(queue.chance, queue.mean, quantile) for queue in self.queues)


def serving_load_of(run: ServingRun, time: ServingTime, asked: Any) -> ServingLoad:
    """Put a replica under a load.

    Parameters
    ----------
    run
        The replica.
    time
        Its times without a load.
    asked
        Requests that arrive per second; None for users who ask again as soon as they are answered.
    """
    batch = run.design.batch_size
    utilization = 1.0 if asked is None else asked / time.rate
    rate = time.rate if asked is None else minimum(asked, time.rate)
    share = rate * time.occupied
    # Prefills of the others come in between, not those of the sequence itself.
    others = share * (batch - 1) / batch
    # However many wait, a pass carries one chunk of a prompt along, and no more.
    most = (time.step + where(batch > 1, time.chunk, 0.0)) / time.accepted
    between = minimum(time.between / (1 - busy_share(others)), most)
    # An arrival waits for half of the pass that is under way for others.
    passing = minimum(utilization, 1.0) * (batch - 1) / batch * time.step
    first = time.first_token + passing / 2
    residence = first + (run.design.output_tokens - 1) * between
    prefills = Queue(chance=others, mean=mean_wait_of_waiting(time.occupied, 1, others, 0.0))
    queues: tuple[Queue, ...] = (prefills,)
    if asked is not None:
        queues += (
            Queue(
                chance=chance_to_wait(utilization, batch),
                mean=mean_wait_of_waiting(residence, batch, utilization, 1.0),
            ),
        )
    return ServingLoad(
        rate=rate,
        utilization=utilization,
        prefill_share=share,
        first_token=first,
        between=between,
        residence=residence,
        queues=queues,
    )
