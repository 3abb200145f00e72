"""Who is asked, and what: names become models, and what cannot be met is refused in the protocol's words."""

from collections.abc import Iterator

from gnomon.core.errors import ConfigError, DataError, NotFound
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.llm.client import TooLong
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.opened import OpenExpert
from gnomon.serving.api.openai.parameters import ASK, ChatRequest, CompletionRequest
from gnomon.serving.facts.models import ModelFacts, model_facts
from gnomon.serving.facts.voices import voice
from gnomon.serving.facts.writing import Piece
from gnomon.serving.house import Limits
from gnomon.serving.problems import Problem, Refused

UNUSED = ("temperature", "top_p", "seed", "max_tokens", "max_completion_tokens", "reasoning_effort",
          "chat_template_kwargs")  # fmt: skip
"""Parameters that `gnomon-ask` takes no notice of: how it writes is part of what its answers can be held to."""


def refused(param: str, code: str, detail: str, cure: str = "", status: int = 400) -> Refused:
    """A refusal.

    Args:
        param: The field that it is about.
        code: The protocol's word.
        detail: What is wrong.
        cure: How to mend it.
        status: The HTTP status.
    """
    return Refused(Problem(status=status, code=code, param=param, detail=detail, cure=cure, kind="InvalidRequest"))


def model_of(opened: OpenExpert, name: str) -> ModelFacts:
    """The expert's model of a name.

    Raises:
        Refused: There is none.
    """
    try:
        return model_facts(opened, name)
    except NotFound as error:
        raise no_model(name) from error


def no_model(name: str) -> Refused:
    """There is no model of this name."""
    return refused(
        "model", "model_not_found", say(f"There is no model {name!r} here.", f"モデル {name!r} はここにない。"),
        say("GET /v1/models lists them.", "GET /v1/models に一覧がある。"), 404,
    )  # fmt: skip


def chat_model(opened: OpenExpert, name: str) -> ModelFacts:
    """The expert's model of a name, which holds conversations.

    Raises:
        Refused: There is none, or it only continues texts.
    """
    found = model_of(opened, name)
    if not found.chats:
        raise refused(
            "model", "unsupported_model",
            say(f"{found.id} ({found.name}) is a base model: it continues texts and holds no conversation.",
                f"{found.id}（{found.name}）はベースモデルで、文章を続けるだけで会話はしない。"),
            say("Use /v1/completions, or a model that can chat.",
                "/v1/completions を使うか、会話できるモデルを選ぶ。"),
        )  # fmt: skip
    return found


def writing_model(opened: OpenExpert, name: str) -> ModelFacts:
    """The expert's model of a name, which continues texts.

    Raises:
        Refused: There is none, or it only answers.
    """
    if name == ASK:
        raise refused(
            "model",
            "unsupported_model",
            say(f"{ASK} answers questions; it continues no texts.", f"{ASK} は質問に答えるもので、文章を続けない。"),
            say("Use /v1/chat/completions.", "/v1/chat/completions を使う。"),
        )
    return model_of(opened, name)


def fits(param: str, texts: list[str], most: int) -> None:
    """Refuse texts that are longer together than this server reads.

    Raises:
        Refused: They are.
    """
    found = sum(map(len, texts))
    if found > most:
        raise refused(
            param, "context_length_exceeded",
            say(f"There are {found:,} characters; {most:,} are read here.",
                f"{found:,} 文字ある。ここで読めるのは {most:,} 文字まで。"),
            say("Shorten it.", "短くする。"),
        )  # fmt: skip


def scorable(body: CompletionRequest) -> None:
    """Refuse what of probabilities and of empty continuations cannot be told.

    Raises:
        Refused: Probabilities are wanted in a stream, or nothing is to be written and nothing to be echoed.
    """
    if body.stream and (body.logprobs is not None or body.max_tokens == 0):
        name = "logprobs" if body.logprobs is not None else "max_tokens"
        raise refused(
            name, "unsupported_parameter",
            say(f"{name} = {getattr(body, name)} is not supported in a stream.",
                f"{name} = {getattr(body, name)} はストリームでは使えない。"),
            say("Ask for the whole text.", "stream を外す。"),
        )  # fmt: skip
    if body.max_tokens == 0 and not body.echo:
        raise refused(
            "max_tokens", "invalid_value",
            say("max_tokens = 0 writes nothing.", "max_tokens = 0 では何も書かれない。"),
            say("Set echo to have the prompt's tokens told, or ask for 1 or more.",
                "echo でプロンプトのトークンを得るか、1 以上にする。"),
        )  # fmt: skip


def held(param: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; what a model cannot read is refused in the protocol's words.

    Args:
        param: The field that it would be about.
        pieces: What is written.

    Raises:
        Refused: The model cannot read what it was given.
    """
    try:
        yield from pieces
    except (ConfigError, DataError) as error:
        code = "context_length_exceeded" if isinstance(error, TooLong) else "invalid_value"
        raise refused(param, code, error.message, error.hint) from error


# Conversations ---------------------------------------------------------------------------------


def conversation(body: ChatRequest, limits: Limits) -> list[Message]:
    """The turns of a request.

    Raises:
        Refused: They are too long together, or nobody is to be answered.
    """
    found = []
    for turn in body.messages:
        role = "system" if turn.role == "developer" else turn.role
        thinking = (turn.reasoning_content or "") if role == "assistant" else ""
        found.append(Message(role=role, text=turn.text, thinking=thinking))
    fits("messages", [m.text + m.thinking for m in found], limits.text_characters)
    if found[-1].role != "user":
        raise refused(
            "messages", "invalid_value",
            say(f"The last message is the {found[-1].role}'s.", f"最後の発言が {found[-1].role} のものである。"),
            say("End with what the user says.", "最後は user の発言とする。"),
        )  # fmt: skip
    return found


def thinking(body: ChatRequest) -> str:
    """Whether the model thinks first: ``on``, ``off``, or ``auto`` when nothing was said.

    Raises:
        Refused: The two ways of saying it contradict each other.
    """
    effort = None if body.reasoning_effort is None else body.reasoning_effort != "none"
    kwargs = body.chat_template_kwargs
    switch = kwargs.enable_thinking if kwargs is not None else None
    if None not in (effort, switch) and effort != switch:
        raise refused(
            "reasoning_effort", "invalid_value",
            say(f"reasoning_effort = {body.reasoning_effort!r} and enable_thinking = {switch} contradict each other.",
                f"reasoning_effort = {body.reasoning_effort!r} と enable_thinking = {switch} が矛盾する。"),
            say("Give one of them.", "どちらか一方だけ指定する。"),
        )  # fmt: skip
    wanted = switch if effort is None else effort
    return "auto" if wanted is None else "on" if wanted else "off"


# Cited answers ---------------------------------------------------------------------------------


def question_of(body: ChatRequest, turns: list[Message], limits: Limits) -> str:
    """What `gnomon-ask` is asked.

    Raises:
        Refused: There is no question, it is too long, or the text is to be cut at a string.
    """
    question = turns[-1].text
    if not question.strip():
        raise refused("messages", "invalid_value", say("There is no question.", "質問がない。"))
    fits("messages", [question], limits.query_characters)
    if body.stops:
        raise refused(
            "stop", "unsupported_parameter",
            say(f"{ASK} gives whole sentences with their evidence and stops at no string.",
                f"{ASK} は根拠付きの文をそのまま返し、途中で止めない。"),
            say("Leave it out.", "この項目を外す。"),
        )  # fmt: skip
    return question


def voice_of(opened: OpenExpert, body: ChatRequest) -> str:
    """The id of the voice that is to answer.

    Raises:
        Refused: There is no such voice.
    """
    wanted = body.gnomon.voice if body.gnomon is not None else EXTRACTIVE
    try:
        return voice(opened, wanted).id
    except NotFound as error:
        raise refused("gnomon.voice", "invalid_value", error.message, error.hint) from error


def ignored(body: ChatRequest, turns: list[Message]) -> list[str]:
    """What of a request `gnomon-ask` takes no notice of."""
    systems = ["messages (system)"] if any(m.role == "system" for m in turns) else []
    return [name for name in UNUSED if getattr(body, name) is not None] + systems
