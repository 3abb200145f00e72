"""Chat with local weights: what is asked of ``generate`` for a conversation, and what its text says.

A structured answer is asked for in words and read as an endpoint's would be; the model is not held to the schema.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from gnomon.core.hashing import canonical_json
from gnomon.llm.chat import ChatOptions, Conversation, Reply, check_conversation
from gnomon.llm.client import Completion, Generation
from gnomon.llm.requests import whole_reply
from gnomon.llm.sampling import Decoding
from gnomon.llm.structured import in_words
from gnomon.llm.templated import encode_chat, turn_ends, turns, writes_channels
from gnomon.llm.tokens import Tokens

WATCH_SECONDS = 0.05
"""Between two looks at a text that grows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A conversation, ready for the model."""

    ids: list[int]
    """Its tokens, up to where the model answers."""
    seed: str
    """What the randomness hangs on."""
    tokens: Tokens
    """How the answer is decoded, and where it ends."""
    opened: str
    """What the template wrote to open the thinking, in which the answer then begins; else empty."""


def speaking(tokens: Tokens) -> Tokens:
    """A tokenizer as chats use it: an answer ends where the template ends a turn too, and Harmony's marks are shown.

    Some models name only the end of a text as theirs (Llama 3 as it first came out), and would go on to the next turn.
    """
    ends = tokens.ends | turn_ends(tokens)
    return Tokens(tokens.tokenizer, sorted(ends), marks=writes_channels(tokens.tokenizer))


def asked_of(tokens: Tokens, conversation: Conversation, options: ChatOptions) -> Asked:
    """A conversation as the model reads it.

    Args:
        tokens: The tokenizer, as ``speaking`` gives it.
        conversation: The turns.
        options: Whether to think first, and the schema of a structured answer.

    Raises:
        ConfigError: The model has no chat template, or it cannot render these turns.
    """
    check_conversation(conversation)
    asked = list(conversation)
    if options.schema is not None:
        asked[-1] = replace(asked[-1], text=f"{asked[-1].text}\n\n{in_words(options.schema)}")
    ids, opened = encode_chat(tokens, asked, options.thinking)
    return Asked(ids=ids, seed=canonical_json(turns(asked)), tokens=tokens, opened=opened)


def generation(options: ChatOptions) -> Generation:
    """How the reply's text is generated."""
    return Generation(
        max_tokens=options.max_tokens, temperature=options.temperature, top_p=options.top_p, stop=options.stop,
        seed=options.seed,
    )  # fmt: skip


def reply_to(asked: Asked, made: Completion, options: ChatOptions) -> Reply:
    """The reply that a generated text is."""
    text = made.text if asked.opened in made.text else asked.opened + made.text
    return whole_reply(text, "", made.finish, (len(asked.ids), made.tokens), options)


def growing(decoding: Decoding, generate: Callable[[], list[Completion]]) -> Generator[Completion]:
    """The text so far, again and again while it grows, and the whole at the end; closed, it ends the generating too."""
    ended: queue.Queue[list[Completion] | BaseException] = queue.Queue()

    def work() -> None:
        try:
            ended.put(generate())
        except BaseException as error:  # noqa: BLE001 -- handed to whoever listens
            ended.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from _watched(decoding, ended)
    finally:
        decoding.halt()
        thread.join()


def _watched(decoding: Decoding, ended: "queue.Queue[list[Completion] | BaseException]") -> Iterator[Completion]:
    shown = ""
    while True:
        try:
            result = ended.get(timeout=WATCH_SECONDS)
        except queue.Empty:
            now = decoding.completions()[0]
            if now.text != shown:
                shown = now.text
                yield now
            continue
        if isinstance(result, BaseException):
            raise result
        yield result[0]
        return
