"""The step ``synthesis/write`` with a model behind an endpoint: lineage, money, failures, and what a kill costs."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "llm"))

import chat_server
from chat_server import ChatServer, said
from writing import drops_of, pairs_of, shelf

from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.call_log import FILE, CallLog
from gnomon.runs import Output, Recipe, Workspace, run
from gnomon.synthesis.steps import write

APPROACH = "The Andromeda nebula approaches the Sun at a speed of about 300 km/s."


@pytest.fixture
def server() -> Iterator[ChatServer]:
    yield from chat_server.started()


WRITER = ModelRef(name="somebody/writer", revision="3", kind="instruct")


def answering(body: dict[str, Any], number: int) -> Any:
    """What a willing model says about the passage it is shown."""
    user = body["messages"][-1]["content"]
    passage = user.split("<passage>\n")[1].split("\n</passage>")[0]
    quote = next(
        (w for w in (APPROACH, "NGC 4565 turns at 250 km/s", "木星の磁場は赤道で約4ガウスである。") if w in passage),
        "?",
    )
    question = (
        "木星の磁場は赤道で約何ガウスか。"
        if "木星" in quote
        else f"What is known of {quote.split(' ')[1]} {quote[-3:-1]}?"
    )
    pair = {"question": f"{question} ({number})", "answer": quote, "quote": quote}
    wanted = body["response_format"]["json_schema"]["schema"]["properties"]
    if "questions" in wanted:
        row = {"question": question, "options": [quote, "So.", "Not so.", "Perhaps."], "answer": "A", "quote": quote}
        return said(json.dumps({"questions": [row]}))
    if "turns" in wanted:
        return said(json.dumps({"turns": [pair, pair]}))
    if "summary" in wanted:
        return said(json.dumps({"summary": quote, "quotes": [quote]}))
    return said(json.dumps(pair | ({"reasoning": "It follows."} if "reasoning" in wanted else {})))


def workspace(folder: Path, server: ChatServer) -> Workspace:
    place = ModelPlace(url=server.url, retries=0, timeout_seconds=5.0, usd_per_million_tokens=1.0,
                       usd_per_million_output_tokens=1.0)  # fmt: skip
    return Workspace(folder, Settings(models={WRITER.name: place}))


def test_the_step_writes_pairs_that_name_their_call(tmp_path: Path, server: ChatServer) -> None:
    server.answer = answering
    step, place = write(shelf(), writer=WRITER, per_fact=1.0, metadata=1), workspace(tmp_path, server)
    record = run(Recipe(name="toy", goals=(step,)), place)[step.address]
    pairs, drops = pairs_of(place.artifact(step.address)), drops_of(place.artifact(step.address))
    assert record.counts.taken == len(pairs) + len(drops)
    assert record.metrics["calls"] == len(server.requests)
    assert record.metrics["tokens_in"] == 7 * len(server.requests)
    assert record.cost_usd == pytest.approx(len(server.requests) * 10e-6)
    log = CallLog(tmp_path / "cache" / FILE)
    logged = {f"{call.key}#0" for call in log.calls()}
    log.close()
    by_model = [pair for pair in pairs if pair.kind != "metadata"]
    assert by_model
    assert {pair.call for pair in by_model} <= logged
    assert {pair.writer for pair in by_model} == {WRITER.name}
    assert len({pair.id for pair in pairs}) == len(pairs)


def test_a_killed_step_goes_on_from_the_call_log(
    tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = lambda body, number: answering(body, 0)
    step = write(shelf(per_file=1), writer=WRITER)
    whole_place = workspace(tmp_path / "whole", server)
    whole = run(Recipe(name="toy", goals=(step,)), whole_place)[step.address]
    needed = len(server.requests)
    real, shards = Output.done, 0

    def dying(out: Output, *arguments: Any, **more: Any) -> None:
        nonlocal shards
        shards += 1
        if shards == 3:  # the shelf's, the first of the writer, and then
            raise KeyboardInterrupt
        real(out, *arguments, **more)

    server.requests.clear()
    monkeypatch.setattr(Output, "done", dying)
    with pytest.raises(KeyboardInterrupt):
        run(Recipe(name="toy", goals=(step,)), workspace(tmp_path / "cut", server))
    assert 0 < len(server.requests) <= needed
    again = run(Recipe(name="toy", goals=(step,)), workspace(tmp_path / "cut", server))[step.address]
    assert len(server.requests) == needed
    assert {f.name: f.digest for f in again.files} == {f.name: f.digest for f in whole.files}
    assert again.metrics == whole.metrics


def test_failed_calls_are_counted_and_the_rest_is_kept(tmp_path: Path, server: ChatServer) -> None:
    def flaky(body: dict[str, Any], number: int) -> Any:
        faults: dict[int, Callable[[], Any]] = {
            1: lambda: said("I would rather not.", finish="content_filter"), 2: lambda: said('{"quest', finish="length"),
            3: lambda: said("Certainly!"),
        }  # fmt: skip
        return faults[number]() if number in faults else answering(body, number)

    server.answer = flaky
    step, place = write(shelf(), writer=WRITER, kinds=("open",), per_fact=2.0), workspace(tmp_path, server)
    record = run(Recipe(name="toy", goals=(step,)), place)[step.address]
    assert {name: record.counts.dropped[name] for name in ("refused", "truncated")} == {"refused": 1, "truncated": 1}
    assert record.counts.dropped["unreadable"] >= 1
    assert record.counts.kept > 0


def test_other_prompts_and_other_writers_are_other_steps() -> None:
    addresses = {write(shelf(), writer=WRITER, **more).address
                 for more in ({}, {"prompt": "2"}, {"temperature": 0.1}, {"seed": 1})}  # fmt: skip
    assert len(addresses | {write(shelf()).address}) == 5
