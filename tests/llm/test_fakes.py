"""Fake language models do what they are told, by the same door as real ones."""

import pytest

from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.messages import Message
from gnomon.llm.chat import Chat, ChatOptions
from gnomon.llm.client import Client, Generation
from gnomon.llm.fakes import Echo, Scripted


def test_an_echo_repeats_its_prompt_as_far_as_it_may() -> None:
    model: Client = Echo()
    whole, short, cut = (
        model.complete(["the gas falls inward"], options)[0]
        for options in (Generation(), Generation(max_tokens=2), Generation(stop=(" falls",)))
    )
    assert (whole.text, whole.tokens, whole.finish) == (" the gas falls inward", 4, "stop")
    assert (short.text, short.tokens, short.finish) == (" the gas", 2, "length")
    assert (cut.text, cut.finish) == (" the gas", "stop")


def test_an_echo_believes_what_it_has_read() -> None:
    near, far, nothing = Echo().log_likelihoods([("A red giant.", "red giant"), ("A red giant.", "white"), ("A", "")])
    assert near.total > far.total
    assert (near.greedy, far.greedy, nothing.total) == (True, False, 0.0)


def test_a_script_answers_by_prompt_or_in_order_and_remembers() -> None:
    by_prompt = Scripted({"a": " one", "b": " two"})
    assert [one.text for one in by_prompt.complete(["b", "a", "b"], Generation())] == [" two", " one", " two"]
    in_order = Scripted([" one", " two"])
    assert [one.text for one in in_order.complete(["x", "y"], Generation())] == [" one", " two"]
    assert in_order.asked == ["x", "y"]


def test_a_script_without_a_reply_says_to_what() -> None:
    for script in (Scripted({"a": "one"}), Scripted([])):
        with pytest.raises(NotFound, match="why"):
            script.complete(["why"], Generation())


def test_a_script_believes_what_its_function_says() -> None:
    model = Scripted(likelihood=lambda context, after: -float(len(after)))
    found = model.log_likelihoods([("a", "b c"), ("a", "")])
    assert [(one.total, one.tokens) for one in found] == [(-3.0, 2), (0.0, 0)]


def turn(text: str) -> list[Message]:
    return [Message(role="user", text=text)]


def test_fakes_chat_as_real_models_do() -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}
    script: Chat = Scripted(lambda prompt: f'<think>hm</think>{{"score": {len(prompt)}}}')
    (reply,) = script.chat([turn("four")], ChatOptions(schema=schema))
    assert (reply.value, reply.thinking, reply.fault) == ({"score": 4}, "hm", "")
    assert [r.text for r in script.stream(turn("a b"), ChatOptions())][-1] == '{"score": 3}'
    assert Echo().chat([turn("so  it is")], ChatOptions(max_tokens=2))[0].text == "so it"


def test_fakes_stream_completions_word_by_word() -> None:
    for model in (Echo(), Scripted(lambda prompt: f" {prompt}")):
        grown = list(model.stream_complete("so it is", Generation(max_tokens=2)))
        assert [one.text for one in grown] == [" so", " so it"]
        assert grown[-1] == model.complete(["so it is"], Generation(max_tokens=2))[0]


def test_a_fake_refuses_what_a_real_model_would() -> None:
    with pytest.raises(ConfigError):
        Echo().chat([[Message(role="assistant", text="a")]], ChatOptions())
    for wrong in ({"max_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"thinking": "maybe"}, {"stop": ("",)}):
        with pytest.raises(ConfigError, match=str(next(iter(wrong)))):
            ChatOptions(**wrong)  # type: ignore[arg-type]
