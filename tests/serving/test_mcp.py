"""Tools for agents: the official client over real pipes, against ``gnomon mcp``."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client

from gnomon.research.opened import OpenExpert

T = TypeVar("T")
COMMAND = [sys.executable, "-m", "gnomon.cli.main", "mcp", "--workspace"]
HUBBLE = "What did Hubble find about the velocities of nebulae?"


def agent(workspace: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    """What an agent gets that starts ``gnomon mcp`` and talks to it."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    parameters = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], str(workspace)], env=keep | {"GNOMON_LANG": "en"}
    )

    async def talk() -> T:
        async with Client(stdio_client(parameters)) as client:
            return await work(client)

    return asyncio.run(talk())


def test_an_agent_searches_asks_traces_and_reads(workspace: Path, opened: OpenExpert) -> None:
    async def work(client: Client) -> list[Any]:
        found = (await client.call_tool("search", {"query": "velocities of nebulae", "k": 2})).structured_content
        answer = (await client.call_tool("ask", {"question": HUBBLE})).structured_content
        assert found
        assert answer
        traced = await client.call_tool(
            "trace", {"text": f"I copy: {answer['citations'][0]['quote']} And this is new."}
        )
        span = answer["citations"][0]["span"]
        part = await client.call_tool("read", {name: span[name] for name in ("doc_id", "start", "end")})
        whole = await client.read_resource(span["uri"])
        return [found, answer, traced.structured_content, part.structured_content, whole.contents[0]]

    found, answer, traced, part, whole = agent(workspace, work)
    assert len(found["documents"]) == 2
    for document in found["documents"]:
        text = opened.library.document(document["id"]).text
        for passage in document["passages"]:
            assert text[passage["span"]["start"] : passage["span"]["end"]] == passage["text"]
    assert not answer["refused"]
    assert answer["quotes_verbatim"] == 1
    for citation in answer["citations"]:
        assert f"[{citation['id']}]" in answer["text"]
    first = answer["citations"][0]
    assert part["text"] == first["quote"] == whole.text[first["span"]["start"] : first["span"]["end"]]
    assert part["span"]["text_hash"] == first["span"]["text_hash"]
    assert traced["stretches"][0]["documents"][0]["span"]["doc_id"] == first["span"]["doc_id"]
    assert 0 < traced["coverage"] < 1


def test_tools_say_what_they_take_and_what_they_change(workspace: Path) -> None:
    async def work(client: Client) -> tuple[Any, Any]:
        return (await client.list_tools()).tools, (await client.list_resource_templates()).resource_templates

    tools, templates = agent(workspace, work)
    told = {tool.name: tool for tool in tools}
    assert set(told) == {"search", "ask", "trace", "read"}
    for tool in tools:
        assert tool.description
        assert tool.output_schema
        assert all("description" in field for field in tool.input_schema["properties"].values())
    assert told["search"].annotations.read_only_hint
    assert not told["ask"].annotations.read_only_hint, "it keeps the answer"
    assert templates[0].uri_template == "gnomon://document/{+doc_id}"


def test_what_goes_wrong_is_told_with_its_cure(workspace: Path) -> None:
    async def work(client: Client) -> list[Any]:
        asked: list[tuple[str, dict[str, Any]]] = [
            ("ask", {"question": HUBBLE, "voice": "/etc"}), ("ask", {"question": " "}),
            ("search", {"query": "a", "year": "soon"}), ("search", {"query": "a", "k": 1_000}),
            ("read", {"doc_id": "nobody:1"}), ("trace", {}),
        ]  # fmt: skip
        results = [await client.call_tool(name, arguments) for name, arguments in asked]
        with pytest.raises(MCPError, match="nobody:1"):
            await client.read_resource("gnomon://document/nobody:1")
        return results

    results = agent(workspace, work)
    assert all(result.is_error for result in results)
    told = [result.content[0].text for result in results]
    for words, text in zip(
        ("Ask one of: extractive", "Write one", "1990..2000", "less than or equal to 50", "nobody:1", "Field required"),
        told, strict=True,
    ):  # fmt: skip
        assert words in text, text
    assert not any("Traceback" in text for text in told)


def test_nothing_but_the_protocol_is_printed(workspace: Path) -> None:
    calls = [
        {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {},
         "clientInfo": {"name": "test", "version": "0"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": HUBBLE}}},
    ]  # fmt: skip
    with subprocess.Popen(
        [*COMMAND, str(workspace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for call in calls:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **call}) + "\n")
            process.stdin.flush()
        replies = [json.loads(process.stdout.readline()) for call in calls if "id" in call]
        rest, errors = process.communicate()
    assert [reply["id"] for reply in replies] == [1, 2]
    assert replies[1]["result"]["structuredContent"]["citations"]
    assert rest == ""
    assert HUBBLE not in errors, "what is asked is not logged"
    assert process.returncode == 0


def test_without_an_expert_the_command_says_so(tmp_path: Path) -> None:
    ended = subprocess.run([*COMMAND, str(tmp_path)], capture_output=True, text=True, input="", check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "gnomon run quickstart" in ended.stderr or "gnomon build" in ended.stderr
