"""Question files that somebody broke, by accident or on purpose."""

import random
import re
from pathlib import Path

MODELS = Path(__file__).parents[2] / "models"

_KEY = re.compile(r"^(?P<key>[A-Za-z_][\w.\"' -]*?)\s*=\s*(?P<value>.*)$", re.MULTILINE)

VALUES = (
    "0",
    "-1",
    "1",
    "3.5",
    "-0.0",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-320",
    "9007199254740993",
    "9223372036854775807",
    "9" * 40,
    "9" * 5001,
    "0x" + "f" * 400,
    "true",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "[]",
    "[[]]",
    "[" * 5000 + "]" * 5000,
    "[" * 40 + "1" + "]" * 40,
    "[1, 'a', true]",
    "[1, 1, 1]",
    "[nan]",
    "[inf, -inf]",
    "[1e400]",
    "[9007199254740992, 9007199254740993]",
    "{}",
    "{ a = 1 }",
    "{ from = 1, to = 10 }",
    "{ from = 0, to = 9007199254740993, step = 9007199254740993 }",
    "{ from = -9223372036854775808, to = 9223372036854775807 }",
    "{ from = 1, to = 8, step = 0 }",
    "{ from = 1, to = 8, step = -1 }",
    "''",
    "' '",
    "'x'",
    "'H100_SXM'",
    "'Llama3_70B'",
    "'Frontier_8K'",
    "'nan'",
    "'inf GB'",
    "'1e999 GB'",
    "'5 GB ** 99999999'",
    "'9**9**9**9'",
    "'5 GB**9**9**9'",
    "'1 second ** 0.5'",
    "'((((((((('",
    "'" + "(" * 3000 + "'",
    "'%s%n{0}'",
    "'maximize: '",
    "'maximize: x.__class__.__init__.__globals__'",
    "'minimize: DistributedModel.solve.__globals__'",
    "'tp <= nan'",
    "'tp <= np.float64(nan)'",
    "'" + "tp + " * 10_000 + "tp <= 4'",
    "'" + "a." * 3000 + "b <= 4'",
    "'tp ** tp ** tp ** 99999 <= 1'",
    "'tp / 0 <= 1'",
    "'tp % 0 == 0'",
    "'tp // 0 <= 1'",
    "'max(tp) <= 3'",
    "'[red]bold[/red] [/nothing]'",
    "'=cmd|calc!A0'",
    r'"\u001b[31mred\u0007"',
    r'"line\nbreak\r\ttab"',
    r'"\u202eturned"',
    r'"\u0000"',
    "'" + "x" * 30_000 + "'",
    "'../../../../etc/passwd'",
    "'/dev/zero'",
    "['/dev/zero']",
    "['.']",
    r'["a\u0000b"]',
    "unquoted",
    "'unclosed",
    "= 3",
)


def mutated(source: str, rng: random.Random) -> tuple[str, list[str]]:
    """Break a question file in one or a few places.

    Parameters
    ----------
    source
        A file in order.
    rng
        Chooses places and faults.

    Returns
    -------
    tuple
        The file, and the keys that were touched.
    """
    touched = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_KEY.finditer(source))
        if not places:
            break
        place = rng.choice(places)
        key, value = place["key"], rng.choice(VALUES)
        touched.append(key)
        line = rng.choice(
            (
                f"{key} = {value}",
                f"{key} = {value}",
                f"{key} = {value}",
                "",  # the key is missing
                f"{key}x = {place['value']}",  # misspelt
                f"{place[0]}\n{place[0]}",  # twice
                f"{place[0]}\nnew_key = {value}",
                f"{key}.{'a.' * rng.choice((1, 30, 900))}b = 1",
            )
        )
        source = source[: place.start()] + line + source[place.end() :]
    return source, touched


def nonsense(rng: random.Random) -> str:
    """Write valid TOML that follows the schema by chance only."""
    tables = (
        "space",
        "fixed",
        "pipeline",
        "constraints",
        "expected",
        "pareto",
        "fleet",
        "jobs",
        "x",
    )
    keys = (
        "question",
        "objective",
        "source",
        "stages",
        "catalog",
        "tp",
        "batch_size",
        "status",
        "of",
    )
    usable = [value for value in VALUES if value not in {"unquoted", "'unclosed", "= 3"}]
    lines = []
    used: set[str] = set()
    for key in rng.sample(keys, rng.randint(0, 5)):
        lines.append(f"{key} = {rng.choice(usable)}")
        used.add(key)
    for table in rng.sample(tables, rng.randint(0, 5)):
        lines.append(f"[{table}]")
        lines += [f"{key} = {rng.choice(usable)}" for key in rng.sample(keys, rng.randint(0, 4))]
    return "\n".join(lines) + "\n"
