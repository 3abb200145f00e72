"""``ask --voice`` and ``talk``: a model behind an endpoint, over a real little library, through the command line."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "llm"))

import chat_server
from chat_server import ChatServer, said
from test_reading import BLUE, RED

from gnomon.cli.main import main

QUESTION = "How fast does the blue galaxy move away from us?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "papers").mkdir()
    (folder / "papers" / "red.md").write_text(RED, encoding="utf-8")
    (folder / "papers" / "blue.md").write_text(BLUE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "home"))
        assert main(["build", str(folder / "papers"), "--workspace", str(folder / "ws")]) == 0
    return folder / "ws"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    yield from chat_server.started()


@pytest.fixture
def run(library: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    toml = f'[models."my/writer"]\nurl = "{server.url}"\nretries = 0\nusd_per_million_tokens = 1.0\n'
    (library / "gnomon.toml").write_text(toml, encoding="utf-8")
    (library / "cache" / "calls.sqlite").unlink(missing_ok=True)

    def call(*words: str) -> SimpleNamespace:
        capsys.readouterr()
        code = main([*words, "--workspace", str(library)])
        shown = capsys.readouterr()
        rows = [json.loads(line) for line in shown.out.splitlines() if line] if "--json" in words else []
        return SimpleNamespace(code=code, out=shown.out, err=shown.err, rows=rows)

    return call


def cited(body: dict[str, Any], number: int) -> Any:
    """A model that quotes the first quote it is shown that speaks of 1090 km/s, and adds a lie."""
    line = next(line for line in body["messages"][-1]["content"].splitlines() if "1090" in line)
    name = line[1 : line.index("]")]
    return said(f"The blue galaxy moves away from us at 1090 km/s [{name}]. It is 900 years old [{name}].")


def test_a_model_answers_and_what_it_made_up_is_marked(run: Any, server: ChatServer) -> None:
    server.answer = cited
    (row,) = run("ask", QUESTION, "--voice", "my/writer", "--json").rows
    assert (row["voice"], row["refused"]) == ("my/writer", False)
    assert row["answer"].count("[?]") == 1
    assert [doubt["text"] for doubt in row["doubts"]] == ["It is 900 years old."]
    assert row["citations"][0]["quote"].startswith("The blue galaxy")


def test_the_same_question_is_not_paid_for_twice(run: Any, server: ChatServer) -> None:
    server.answer = cited
    first = run("ask", QUESTION, "--voice", "my/writer", "--json").rows
    assert run("ask", QUESTION, "--voice", "my/writer", "--json").rows == first
    assert len(server.requests) == 1


def test_an_endpoint_that_fails_is_an_error_and_no_other_voice_answers(run: Any, server: ChatServer) -> None:
    server.answer = lambda body, number: chat_server.Status(503)
    done = run("ask", QUESTION, "--voice", "my/writer")
    assert (done.code, done.out) == (3, "")
    assert "did not answer" in done.err


def test_a_conversation_goes_on(run: Any, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = cited
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{QUESTION}\n\nAnd how fast?\n/quit\nnever asked\n"))
    rows = run("talk", "--voice", "my/writer", "--json").rows
    assert len(rows) == len(server.requests) == 2
    asked = [message["content"] for message in server.requests[1]["messages"]]
    assert asked[1] == QUESTION
    assert "[?]" not in asked[2]


def test_talk_without_a_model_quotes(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{QUESTION}\n"))
    done = run("talk")
    assert done.code == 0
    assert "1090 km/s" in done.out
    assert "extractive" in done.out


def test_a_voice_that_is_nowhere_is_named(run: Any) -> None:
    done = run("ask", QUESTION, "--voice", "nobody")
    assert (done.code, "nobody" in done.err) == (2, True)
