"""Random small plans, in slots of one second, that can be enumerated."""

from random import Random

from mlsysim.plans.records.fleet import FREE, Block, Change, Fleet, Site
from mlsysim.plans.records.goal import Goal
from mlsysim.plans.records.job import Job, Row
from mlsysim.plans.records.question import PlanQuestion
from mlsysim.plans.records.series import Beyond, Series


def drawn(
    seed: int | Random, *, goals: tuple[Goal, ...] | None = None, tight: bool = False
) -> PlanQuestion:
    """Draw a plan of two or three jobs on one or two fleets."""
    random = Random(seed) if isinstance(seed, int) else seed  # noqa: S311 - no cryptography
    fleets = tuple(_fleet(random, name) for name in "ab"[: random.randint(1, 2)])
    names = [f"j{place}" for place in range(random.randint(2, 3))]
    jobs = tuple(_job(random, names, place, fleets, tight=tight) for place in range(len(names)))
    sites: tuple[Site, ...] = ()
    if random.random() < 0.3:
        changes = (Change(name="storm", begin=3, end=6, nodes=-random.randint(1, 4)),)
        sites = (
            Site(
                name="hall",
                fleets=tuple(fleet.name for fleet in fleets),
                watts=random.randint(4, 9),
                changes=changes if random.random() < 0.5 else (),
            ),
        )
    some = goals or (random.choice(list(Goal)),)
    return PlanQuestion(
        jobs=jobs,
        fleets=fleets,
        sites=sites,
        goals=some,
        horizon=random.randint(6, 9) if tight else random.randint(9, 14),
        budget=random.choice([None, None, 0.01 * random.randint(1, 9)]),
        slot=1,
    )


def _fleet(random: Random, name: str) -> Fleet:
    nodes = random.randint(2, 5)
    changes = []
    for place in range(random.randint(0, 2)):
        begin = random.randint(0, 8)
        end = random.choice([None, *range(begin + 1, begin + 4)]) if place else begin + 2
        few = random.choice([None, -random.randint(1, nodes), random.randint(1, 2)])
        changes.append(Change(name=f"c{place}", begin=begin, end=end, nodes=few))
    blocks: tuple[Block, ...] = ()
    if random.random() < 0.3:
        begin = random.randint(0, 5)
        end = begin + random.randint(2, 6)
        closes = random.choice([None, end - 1])
        block = Block(name="rent", begin=begin, end=end, closes=closes, nodes=1, lots=2, price=5.0)
        blocks = (block,)
    flat = Series((float(random.randint(1, 9)),))
    steps = Series(
        tuple(float(random.randint(1, 9)) for _ in range(3)), (0, 2, 5), 7, Beyond.REPEAT
    )
    return Fleet(
        name=name,
        nodes=nodes,
        changes=tuple(changes),
        blocks=blocks,
        price=random.choice([flat, steps]),
        electricity=random.choice([FREE, steps]),
        carbon=steps,
        reserved=random.random() < 0.2,
    )


def _job(
    random: Random, names: list[str], place: int, fleets: tuple[Fleet, ...], *, tight: bool
) -> Job:
    rows = {}
    for _ in range(random.randint(1, 3)):
        fleet = random.choice(fleets)
        row = Row(
            fleet=fleet.name,
            nodes=random.randint(1, fleet.nodes),
            seconds=random.randint(1, 5),
            watts=random.randint(0, 5),
            cost=random.choice([0.0, 0.005]),
        )
        rows[row.fleet, row.nodes, row.seconds] = row
    release = random.choice([0, 0, random.randint(1, 4)])
    return Job(
        name=names[place],
        rows=tuple(rows.values()),
        release=release,
        deadline=random.choice([None, random.randint(3, 6 if tight else 12)]),
        after=tuple(name for name in names[:place] if random.random() < 0.3),
        weight=random.randint(1, 3),
        pauses=random.random() < 0.7,
        restart=random.randint(0, 2),
        holds=random.random() < 0.1,
    )
