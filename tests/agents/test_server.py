"""The server for agents, asked by the protocol's own client over standard input and output."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from mcp import Client, StdioServerParameters

from mlsysim.files.question import load

ROOT = Path(__file__).parents[2]
SERVING = str(ROOT / "models" / "serving" / "chat_on_one_accelerator.toml")
NOTHING_FITS = str(ROOT / "models" / "infeasible" / "pace_within_budget.toml")
METRICS = ("ServingEconomicsModel.usd_per_million_tokens", "ServingModel.inter_token_latency")
TOOLS = {
    *("solve", "pareto", "evaluate", "explain", "why_not", "sweep"),
    *("check", "validate", "catalogue", "template"),
}


def with_client(use: Callable[[Client], Awaitable[Any]]) -> Any:
    """Start the server as an agent does, and ask it something."""

    async def run() -> Any:
        command = "from mlsysim.cli import main; main()"
        server = StdioServerParameters(command=sys.executable, args=["-c", command, "mcp"])
        async with Client(server, read_timeout_seconds=120) as client:
            return await use(client)

    return asyncio.run(run())


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """Call a tool that answers."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    return found.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that refuses, and give what it says."""
    found = await client.call_tool(tool, arguments)
    assert found.is_error
    return "".join(getattr(item, "text", "") for item in found.content)


def test_every_tool_says_what_it_takes_and_gives() -> None:
    """Each tool has a sentence, and schemas of what it takes and gives, by which clients check."""

    async def use(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == TOOLS
        for tool in tools.values():
            assert tool.description
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            assert tool.output_schema is not None
            described = tool.input_schema["properties"].values()
            assert all("description" in item for item in described), tool.name
        uris = [str(item.uri) for item in (await client.list_resources()).resources]
        assert "mlsysim://schema/question" in uris
        read = await client.read_resource("mlsysim://schema/question")
        schema = json.loads(getattr(read.contents[0], "text", ""))
        jsonschema.Draft202012Validator.check_schema(schema)

    with_client(use)


def test_an_agent_gets_the_answers_of_the_command_line() -> None:
    """Each question about a question, with the numbers that the library gives itself."""
    best = load(SERVING).solve(top=1)

    async def use(client: Client) -> None:
        solved = await call(client, "solve", file=SERVING, full=True)
        assert solved["status"] == "OPTIMAL"
        assert solved["report"]["best_objective"] == best.best_objective
        assert "OPTIMAL (proven)" in solved["text"]
        priced = await call(client, "evaluate", file=SERVING, settings=_texts(solved["best"]))
        assert priced["measures"].keys() >= {"usd_per_million_tokens"}
        assert priced["measures"]["usd_per_million_tokens"]["value"] == best.best_objective
        assert (
            "what relaxing it would gain" in (await call(client, "explain", file=SERVING))["text"]
        )
        other = await call(client, "why_not", file=SERVING, forced={"precision": "bf16"})
        assert other["best"]["precision"] == "bf16"
        assert "COSTS" in other["text"]
        goals = [f"minimize: {metric}" for metric in METRICS]
        front = await call(client, "pareto", file=SERVING, objectives=goals)
        assert "Pareto front" in front["text"]
        swept = await call(client, "sweep", file=SERVING, over={"reading_speed": ["20ms", "40ms"]})
        assert [row["status"] for row in swept["rows"]] == ["OPTIMAL", "OPTIMAL"]
        dear, cheap = (row["usd_per_million_tokens"] for row in swept["rows"])
        assert dear >= cheap == best.best_objective

    with_client(use)


def _texts(params: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}


def test_what_does_not_fit_comes_with_what_would() -> None:
    """The proof that nothing fits is an answer, with the conflict and what can be reached."""

    async def use(client: Client) -> None:
        found = await call(client, "solve", file=NOTHING_FITS)
        assert found["status"] == "INFEASIBLE"
        assert found["best"] == {}
        nearest = load(NOTHING_FITS).solve().relaxations
        assert len(nearest) == 2
        for item in nearest:
            assert f"best reachable {item.value:,.1f}" in found["text"]

    with_client(use)


def test_an_agent_begins_without_knowing_anything() -> None:
    """A template, changed by a name from the catalogue, is checked and answered as text."""

    async def use(client: Client) -> None:
        text = (await call(client, "template", kind="serving"))["result"]
        kinds = await call(client, "catalogue")
        assert "accelerators" in kinds["kinds"]
        names = (await call(client, "catalogue", kind="accelerators"))["accelerators"]
        assert "MI300X" in names
        entry = await call(client, "catalogue", name="MI300X")
        assert entry["figures"]["memory_capacity"]["value"] == 192
        stage = await call(client, "catalogue", name="ServingModel")
        assert {"model", "batch_size"} <= stage["arguments"].keys()
        changed = text.replace('"L40S", ', '"L40S", "MI300X", ')
        asked = await call(client, "check", question=changed)
        assert asked["choices"]["fleet"] == 5
        assert (await call(client, "solve", question=changed))["status"] == "OPTIMAL"

    with_client(use)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("solve", {}, "give either question"),
        ("solve", {"file": "/none/such.toml"}, "cannot be read"),
        ("check", {"question": "objective = 3"}, "question: missing"),
        ("evaluate", {"file": SERVING, "settings": {"tp": "8"}}, "'tp' is no choice"),
        ("catalogue", {"name": "H100_SMX"}, "H100_SXM"),
        ("template", {"kind": "trainings"}, "training"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(
    tool: str, arguments: dict[str, Any], said: str
) -> None:
    """An error of the package arrives as the command line tells it, and the server lives on."""

    async def use(client: Client) -> None:
        assert said in await refused(client, tool, **arguments)
        await call(client, "catalogue")

    with_client(use)


def test_measured_runs_are_validated() -> None:
    """The errors of the package's own training runs, by source; rows are left out."""

    async def use(client: Client) -> None:
        found = await call(client, "validate")
        assert "rows" not in found
        assert json.dumps(found)

    with_client(use)


def test_the_same_over_http() -> None:
    """Several clients, one after the other and at once; another name of the machine is refused."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/mcp"
    command = [sys.executable, "-m", "mlsysim", "mcp", "--http", str(port)]

    async def ask() -> str:
        async with Client(address, read_timeout_seconds=120) as client:
            found: str = (await call(client, "solve", file=SERVING))["status"]
            return found

    async def several() -> list[str]:
        return [await ask(), *await asyncio.gather(ask(), ask())]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            wait_for(port)
            assert asyncio.run(several()) == ["OPTIMAL"] * 3
            assert httpx.get(address, headers={"Host": "a.example"}).status_code == 421
        finally:
            process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=60)
    assert "Traceback" not in log


def wait_for(port: int) -> None:
    """Wait until something listens at a port."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(port)
