"""The server: tools, and the schemas as resources."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.resources import FunctionResource
from mcp_types import ToolAnnotations

from mlsysim import __version__
from mlsysim.agents.tools import Tools
from mlsysim.files.json_schema import plan_schema, question_schema
from mlsysim.report import schema as report_schema

_INSTRUCTIONS = """\
Answers planning questions about ML systems (parallel layout, batch, precision, accelerators,
fleets, prices) with proofs. Write a question with `template`, name entries from `catalogue`,
`check` it, then `solve`. OPTIMAL and INFEASIBLE are proven about the models, whose measured error
each answer tells.
"""
_SCHEMAS = {"question": question_schema, "plan": plan_schema, "report": report_schema}


def server() -> MCPServer[Any]:
    """Make the server."""
    tools = Tools()

    @asynccontextmanager
    async def lifespan(_: MCPServer[Any]) -> AsyncIterator[None]:
        try:
            yield
        finally:
            tools.close()

    made: MCPServer[Any] = MCPServer(
        "mlsysim",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",
        lifespan=lifespan,
    )
    for tool in (
        tools.solve,
        tools.pareto,
        tools.evaluate,
        tools.explain,
        tools.why_not,
        tools.sweep,
        tools.check,
        tools.validate,
        tools.catalogue,
        tools.template,
    ):
        annotations = ToolAnnotations(read_only_hint=True, open_world_hint=False)
        made.add_tool(tool, annotations=annotations)

    for name, schema in _SCHEMAS.items():
        made.add_resource(
            FunctionResource(
                uri=f"mlsysim://schema/{name}",
                name=f"schema of a {name}",
                mime_type="application/schema+json",
                fn=schema,
            )
        )
    return made


def serve(port: int | None = None) -> None:
    """Speak the protocol until the client goes, or over HTTP until Ctrl-C.

    Parameters
    ----------
    port
        Where to listen for HTTP, on the loopback address alone: the SDK refuses other names.
        Standard input and output unless given.
    """
    if port is None:
        server().run("stdio")
    else:
        server().run("streamable-http", host="127.0.0.1", port=port)
