"""A model behind an endpoint, through the official library, against a server that misbehaves."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chat_server
import pytest
from chat_server import ChatServer, Chunks, Cut, Status, chunk, said

from gnomon.core.errors import ConfigError, OfflineError, RunError
from gnomon.core.messages import Message
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.call_log import CallLog, spent
from gnomon.llm.chat import ChatOptions, Reply
from gnomon.llm.client import Generation
from gnomon.llm.remote import RemoteModel

REF = ModelRef(name="somebody/writer", revision="3", kind="instruct")
SCHEMA = {
    "type": "object", "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}}, "required": ["score"],
}  # fmt: skip
PLAIN = ChatOptions(max_tokens=50)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    yield from chat_server.started()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[CallLog]:
    found = CallLog(tmp_path / "calls.sqlite")
    yield found
    found.close()


opened: list[RemoteModel] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes the models of a test, since an open connection is a warning."""
    yield
    while opened:
        opened.pop().close()


def model(server: ChatServer, log: CallLog | None = None, **place: Any) -> RemoteModel:
    place = {"retries": 2, "timeout_seconds": 5.0, **place}
    opened.append(RemoteModel(REF, Settings(models={REF.name: ModelPlace(url=server.url, **place)}), log))
    return opened[-1]


def asked(*texts: str) -> list[list[Message]]:
    return [[Message(role="user", text=text)] for text in texts]


def test_replies_come_in_order_and_at_most_so_many_at_once(server: ChatServer) -> None:
    def answer(body: dict[str, Any], number: int) -> Any:
        time.sleep(0.01 * (number % 3))
        return said(body["messages"][-1]["content"].upper())

    server.answer = answer
    replies = model(server, concurrency=4).chat(asked(*"abcdefghijkl"), PLAIN)
    assert [reply.text for reply in replies] == list("ABCDEFGHIJKL")
    assert server.most <= 4
    assert {(r.tokens_in, r.tokens_out, r.finish, r.fault) for r in replies} == {(7, 3, "stop", "")}


def test_what_can_change_a_reply_is_sent(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITER_KEY", "secret")
    options = ChatOptions(max_tokens=9, temperature=0.5, top_p=0.9, stop=("END",), seed=4, thinking="off")
    turns = [Message(role="system", text="Be brief."), *asked("why?")[0]]
    model(server, key_env="WRITER_KEY", model="served-name").chat([turns], options)
    body = server.requests[0]
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "why?"}]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("served-name", 9, 0.5)
    assert (body["top_p"], body["stop"], body["seed"]) == (0.9, ["END"], 4)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert server.headers[0]["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ("effort", {"reasoning_effort": "medium"}),
        ("none", {}),
        ("template", {"chat_template_kwargs": {"enable_thinking": True}}),
    ],
)
def test_thinking_is_switched_as_the_place_says(server: ChatServer, how: str, field: dict[str, Any]) -> None:
    model(server, thinking=how).chat(asked("why?"), ChatOptions(thinking="on"))
    known = ("reasoning_effort", "chat_template_kwargs")
    assert {name: server.requests[0][name] for name in known if name in server.requests[0]} == field


def test_thinking_can_be_switched_by_a_system_message(server: ChatServer) -> None:
    model(server, thinking="system").chat(asked("why?"), ChatOptions(thinking="on"))
    assert server.requests[0]["messages"][0] == {"role": "system", "content": "thinking: on"}


@pytest.mark.parametrize(
    "answer",
    [
        said("42", reasoning="Six by seven."),
        said("42", reasoning_content="Six by seven."),
        said("<think>Six by seven.</think>42"),
        said(
            "<|channel|>analysis<|message|>Six by seven.<|end|><|start|>assistant<|channel|>final<|message|>42<|return|>"
        ),
    ],
)
def test_thinking_is_a_field_of_its_own_however_it_is_sent(server: ChatServer, answer: Any) -> None:
    server.answer = lambda body, number: answer
    (reply,) = model(server).chat(asked("6 * 7"), PLAIN)
    assert (reply.thinking, reply.text) == ("Six by seven.", "42")
    assert reply.message == Message(role="assistant", text="42", thinking="Six by seven.")


def test_a_reply_cut_while_thinking_is_a_fault_and_no_empty_answer(server: ChatServer) -> None:
    server.answer = lambda body, number: said("<think>Six by", finish="length")
    (reply,) = model(server).chat(asked("6 * 7"), PLAIN)
    assert (reply.thinking, reply.text, reply.finish, reply.fault) == ("Six by", "", "length", "cut while thinking")


# Structured answers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 4}',
        '```json\n{"score": 4}\n```',
        'Here it is: {"score": 4,}',
        "{'score': 4}",
        '<think>hm</think>{"score": 4}',
    ],
)
def test_structured_answers_are_read_and_mended(server: ChatServer, text: str) -> None:
    server.answer = lambda body, number: said(text)
    (reply,) = model(server).chat(asked("rate"), ChatOptions(schema=SCHEMA))
    assert (reply.value, reply.fault) == ({"score": 4}, "")
    assert server.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize(
    ("text", "finish", "why"),
    [
        ('{"score": 9}', "stop", "at score: 9 is greater than the maximum"),
        ("I would rather not.", "stop", "no JSON object"),
        ('{"score": 4, "why": "bec', "length", "cut by the limit"),
        ("[]", "stop", "no JSON object"),
    ],
)
def test_a_structured_answer_that_does_not_fit_is_a_fault(server: ChatServer, text: str, finish: str, why: str) -> None:
    server.answer = lambda body, number: said(text, finish=finish)
    (reply,) = model(server).chat(asked("rate"), ChatOptions(schema=SCHEMA))
    assert reply.value is None
    assert why in reply.fault


@pytest.mark.parametrize("how", ["json", "words"])
def test_endpoints_without_schemas_are_told_in_words(server: ChatServer, how: str) -> None:
    model(server, structured=how).chat(asked("rate"), ChatOptions(schema=SCHEMA))
    assert '"score": 1 to 5' in server.requests[0]["messages"][-1]["content"]
    assert server.requests[0].get("response_format") == ({"type": "json_object"} if how == "json" else None)


# Faults of servers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Status(429, retry_after="0"),
        Status(500),
        Status(503),
        Cut(b'{"id"'),
        b'{"broken": ',
        b'{"choices": []}',
        b"<html>",
    ],
)
def test_a_busy_or_broken_answer_is_asked_for_again(server: ChatServer, fault: Any) -> None:
    server.answer = lambda body, number: fault if number == 1 else said("at last")
    assert model(server).chat(asked("now?"), PLAIN)[0].text == "at last"
    assert len(server.requests) == 2


def test_slow_bytes_are_waited_for_only_so_long(server: ChatServer) -> None:
    def answer(body: dict[str, Any], number: int) -> Any:
        time.sleep(1.0 if number == 1 else 0)
        return said("at last")

    server.answer = answer
    assert model(server, timeout_seconds=0.3).chat(asked("now?"), PLAIN)[0].text == "at last"


def test_a_server_that_stays_busy_ends_the_work_and_keeps_what_was_done(server: ChatServer, log: CallLog) -> None:
    server.answer = lambda body, number: Status(503) if "bad" in str(body) else said("fine")
    with pytest.raises(RunError, match=r"after 1 attempts.*finished calls are kept"):
        model(server, log, retries=0, concurrency=1).chat(asked("good", "bad", "other"), PLAIN)
    assert len(log.calls()) == 1


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_wrong_key_or_name_is_said_at_once(server: ChatServer, code: int) -> None:
    server.answer = lambda body, number: Status(code, '{"error": {"message": "no such thing"}}')
    with pytest.raises(ConfigError, match=r"no such thing.*gnomon.toml"):
        model(server).chat(asked("a"), PLAIN)
    assert len(server.requests) == 1


def test_one_refused_request_is_counted_and_the_others_go_on(server: ChatServer, log: CallLog) -> None:
    server.answer = lambda body, number: Status(400, "too long") if "bad" in str(body) else said("fine")
    good, bad = model(server, log).chat(asked("good", "bad"), PLAIN)
    assert (good.text, bad.finish, bad.text) == ("fine", "refused", "")
    assert "too long" in bad.fault


def test_an_endpoint_that_refuses_everything_is_an_error_of_the_settings(server: ChatServer) -> None:
    server.answer = lambda body, number: Status(400, "unknown field response_format")
    with pytest.raises(ConfigError, match=r"response_format.*structured"):
        model(server).chat(asked("a", "b"), ChatOptions(schema=SCHEMA))


def test_nothing_leaves_the_machine_when_offline(server: ChatServer) -> None:
    with pytest.raises(OfflineError):
        RemoteModel(REF, Settings(offline=True, models={REF.name: ModelPlace(url=server.url)}))


def test_a_place_that_makes_no_sense_is_refused(server: ChatServer) -> None:
    with pytest.raises(ConfigError, match="structured = 'maybe'"):
        model(server, structured="maybe")


# Streams --------------------------------------------------------------------------------------


def test_a_stream_grows_and_ends_whole(server: ChatServer, log: CallLog) -> None:
    server.answer = lambda body, number: Chunks([
        chunk(reasoning="Six "), chunk(reasoning="by seven."), 0.01, chunk("4"), chunk("2", finish="stop"),
        {**chunk(), "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}},
    ])  # fmt: skip
    teller = model(server, log, usd_per_million_tokens=1.0, usd_per_million_output_tokens=2.0)
    replies = list(teller.stream(asked("6 * 7")[0], PLAIN))
    assert [(r.thinking, r.text) for r in replies[:3]] == [("Six ", ""), ("Six by seven.", ""), ("Six by seven.", "4")]
    assert (replies[-1].text, replies[-1].tokens_out, replies[-1].cost_usd) == ("42", 9, pytest.approx(23e-6))
    assert list(teller.stream(asked("6 * 7")[0], PLAIN)) == [replies[-1]]
    assert len(server.requests) == 1


def test_a_conversation_that_is_refused_has_a_fault_as_a_stream_too(server: ChatServer) -> None:
    server.answer = lambda body, number: Status(400, "too long")
    (reply,) = model(server).stream(asked("6 * 7")[0], PLAIN)
    assert (reply.finish, reply.text) == ("refused", "")
    assert "too long" in reply.fault


def test_who_stops_reading_a_stream_leaves_the_endpoint(server: ChatServer) -> None:
    server.answer = lambda body, number: Chunks([chunk("4"), *[0.01, chunk("2")] * 3_000])
    stream = model(server).stream(asked("6 * 7")[0], PLAIN)
    assert next(stream).text == "4"
    stream.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5
    while server.now and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not server.now


@pytest.mark.parametrize("parts", [[chunk("4"), None], [chunk("4")]])
def test_a_cut_stream_is_an_error_and_not_an_answer(server: ChatServer, log: CallLog, parts: list[Any]) -> None:
    server.answer = lambda body, number: Chunks(parts)
    with pytest.raises(RunError, match="stream"):
        list(model(server, log).stream(asked("6 * 7")[0], PLAIN))
    assert log.calls() == []


def written(text: str = "", *, finish: str | None = None) -> dict[str, Any]:
    """A chunk of a streamed completion."""
    choice = {"index": 0, "finish_reason": finish, "text": text, "logprobs": None}
    return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}


def test_a_streamed_completion_grows_and_ends_whole(server: ChatServer) -> None:
    used = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    server.answer = lambda body, number: Chunks([
        written(" of"), written(" two"), written(finish="length"), {**written(), "choices": [], "usage": used},
    ])  # fmt: skip
    grown = list(model(server).stream_complete("We report", Generation(max_tokens=5, seed=2)))
    assert [one.text for one in grown] == [" of", " of two", " of two"]
    assert (grown[-1].finish, grown[-1].tokens_in, grown[-1].tokens) == ("length", 3, 5)
    assert (server.requests[0]["prompt"], server.requests[0]["seed"]) == ("We report", 2)


def test_a_streamed_completion_that_is_cut_or_refused_is_an_error(server: ChatServer) -> None:
    server.answer = lambda body, number: Chunks([written(" of")])
    with pytest.raises(RunError, match="stream"):
        list(model(server).stream_complete("We", Generation()))
    server.answer = lambda body, number: Status(400, "too long")
    with pytest.raises(ConfigError, match="too long"):
        list(model(server).stream_complete("We", Generation()))


# The log --------------------------------------------------------------------------------------


def test_a_finished_call_is_replayed_and_priced(server: ChatServer, log: CallLog) -> None:
    server.answer = lambda body, number: said(f"answer {number}")
    first = model(server, log, usd_per_million_tokens=10.0, usd_per_million_output_tokens=20.0)
    replies = first.chat(asked("a", "b"), PLAIN)
    again = model(server, log).chat(asked("b", "a"), PLAIN)
    assert [reply.text for reply in again] == [replies[1].text, replies[0].text]
    assert len(server.requests) == 2
    assert spent(again).cost_usd == pytest.approx(2 * 130e-6)
    assert log.request((replies[0].call.partition("#")[0], 0))["messages"] == [{"role": "user", "content": "a"}]


def test_equal_requests_are_different_draws_and_each_is_replayed(server: ChatServer, log: CallLog) -> None:
    server.answer = lambda body, number: said(f"answer {number}")
    drawn = model(server, log, concurrency=1).chat(asked("a", "a", "a"), PLAIN)
    assert [reply.text for reply in drawn] == ["answer 1", "answer 2", "answer 3"]
    assert [r.text for r in model(server, log).chat(asked("a", "a"), PLAIN)] == ["answer 1", "answer 2"]


def test_where_a_model_runs_is_no_part_of_a_request(server: ChatServer, log: CallLog) -> None:
    model(server, log).chat(asked("a"), PLAIN)
    model(server, log, model="other-name", concurrency=2, timeout_seconds=9.0).chat(asked("a"), PLAIN)
    assert len(server.requests) == 1
    model(server, log).chat(asked("a"), ChatOptions(max_tokens=50, seed=1))
    assert len(server.requests) == 2


def _work(url: str, path: Path) -> None:
    settings = Settings(models={REF.name: ModelPlace(url=url, concurrency=8)})
    RemoteModel(REF, settings, CallLog(path)).chat(asked(*map(str, range(200))), PLAIN)


def test_after_a_kill_no_logged_call_is_made_again(server: ChatServer, tmp_path: Path) -> None:
    def answer(body: dict[str, Any], number: int) -> Any:
        time.sleep(0.005)
        return said(body["messages"][-1]["content"])

    server.answer = answer
    path = tmp_path / "calls.sqlite"
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(server.url, path))
    worker.start()
    while len(server.requests) < 60:
        time.sleep(0.01)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    time.sleep(0.05)
    sent, log = len(server.requests), CallLog(path)
    logged = len(log.calls())
    assert sent - 8 <= logged <= sent
    replies: list[Reply] = model(server, log, concurrency=8).chat(asked(*map(str, range(200))), PLAIN)
    assert [reply.text for reply in replies] == [str(n) for n in range(200)]
    assert len(server.requests) - sent == 200 - logged
    log.close()


# Completions ----------------------------------------------------------------------------------


def test_completions_and_log_likelihoods_of_an_endpoint_that_echoes(server: ChatServer) -> None:
    def answer(body: dict[str, Any], number: int) -> Any:
        text, scored = body["prompt"], None
        if body.get("echo"):
            words = [word + " " for word in text.split()] + ["next"]
            offsets = [sum(map(len, words[:i])) for i in range(len(words))]
            values = [None, *[-0.5] * (len(words) - 1)]
            tops = [None, *[{word: -0.5} for word in words[1:]]]
            scored = {"tokens": words, "token_logprobs": values, "text_offset": offsets, "top_logprobs": tops}
        choice = {"index": 0, "finish_reason": "stop", "text": " and so on", "logprobs": scored}
        usage = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}
        return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}

    server.answer = answer
    found = model(server)
    (completion,) = found.complete(["once"], Generation(max_tokens=4))
    assert (completion.text, completion.tokens, completion.finish) == (" and so on", 3, "stop")
    (scored,) = found.log_likelihoods([("one two ", "three four")])
    assert (scored.total, scored.tokens, scored.greedy) == (-1.0, 2, True)


def test_an_endpoint_without_scores_of_prompts_says_so(server: ChatServer) -> None:
    choice = {"index": 0, "finish_reason": "stop", "text": "x", "logprobs": None}
    server.answer = lambda body, number: {
        "id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice],
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"no log-probabilities.*vLLM"):
        model(server).log_likelihoods([("a", "b")])
