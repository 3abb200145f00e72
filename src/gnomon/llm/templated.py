"""Conversations as token ids: a model's own chat template, and what it must not be tricked into.

A *chat template* (Jinja, in the tokenizer) writes the marks of turns around texts. Its marks are special tokens, so a
text that holds one (``<|im_end|>``) could end its turn and open another. Such texts are therefore encoded apart, as the
plain characters they are; a conversation without them is encoded exactly as transformers does it.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.llm.chat import Conversation
from gnomon.llm.tokens import Tokens

CHATML = Path(__file__).parent / "templates" / "chatml.jinja"
HARMONY_MARK = "<|channel|>"
THINK = "<think>"
_SENTINEL = "\ue000{}\ue001"
"""Private-use characters: they stand for a text while the template is rendered."""
SWITCHES = {"on": {"enable_thinking": True, "thinking": True}, "off": {"enable_thinking": False, "thinking": False}}
"""What templates call the switch: Qwen, SmolLM and ours the first, DeepSeek and Granite the second."""


@cache
def chatml() -> str:
    """Gnomon's own template, for models that have none."""
    return CHATML.read_text(encoding="utf-8")


def turns(conversation: Conversation) -> list[dict[str, str]]:
    """Messages as templates want them; thinking under the names that are in use."""
    found = []
    for message in conversation:
        turn = {"role": message.role, "content": message.text}
        if message.thinking:
            turn |= {"thinking": message.thinking, "reasoning_content": message.thinking}
        found.append(turn)
    return found


def encode_chat(tokens: Tokens, conversation: Conversation, thinking: str) -> tuple[list[int], bool]:
    """A conversation's ids up to where the model answers.

    Args:
        tokens: The tokenizer, with its template.
        conversation: Turns; thinking of earlier turns is left out, as models are used to.
        thinking: ``auto``, ``on`` or ``off``.

    Returns:
        (ids, whether the template has opened the thinking).

    Raises:
        ConfigError: The model has no template, or it cannot render these turns.
    """
    shown = [Message(role=m.role, text=m.text) for m in conversation]
    marks = special_texts(tokens.tokenizer)
    hidden = {_SENTINEL.format(i): m.text for i, m in enumerate(shown) if any(mark in m.text for mark in marks)}
    names = {text: name for name, text in hidden.items()}
    rendered = render(tokens.tokenizer, [Message(role=m.role, text=names.get(m.text, m.text)) for m in shown], thinking)
    ids: list[int] = []
    for stretch, plain in _stretches(rendered, hidden):
        ids += tokens.encode(stretch, bos=False) if plain else with_marks(tokens.tokenizer, stretch)
    return ids, rendered.rstrip().endswith(THINK)


def render(tokenizer: Any, conversation: Conversation, thinking: str = "auto") -> str:
    """The text of a conversation, marks and all, up to where the model answers.

    Raises:
        ConfigError: The model has no template, or it cannot render these turns.
    """
    if not tokenizer.chat_template:
        raise ConfigError(
            say("The model has no chat template: it is a base model.", "チャットテンプレートがない（ベースモデル）。"),
            say("Fine-tune it (training.sft), or name an instruct model.",
                "指示調整（training.sft）を行うか、instruct モデルを指定する。"),
        )  # fmt: skip
    try:
        return str(
            tokenizer.apply_chat_template(
                turns(conversation), tokenize=False, add_generation_prompt=True, **SWITCHES.get(thinking, {})
            )
        )
    except Exception as error:  # Jinja and templates raise what they like
        raise ConfigError(
            say(f"The model's chat template cannot write these turns: {error}.",
                f"チャットテンプレートでこの会話を表せない: {error}。"),
            say("Some templates know no system message.", "system メッセージに対応しないテンプレートもある。"),
        ) from error  # fmt: skip


def special_texts(tokenizer: Any) -> tuple[str, ...]:
    """The strings that the tokenizer reads as one token of their own, wherever they stand."""
    return tuple(str(token) for token in tokenizer.added_tokens_decoder.values())


def with_marks(tokenizer: Any, text: str) -> list[int]:
    """Ids of a rendered text, its marks read as special tokens; nothing is added."""
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def writes_channels(tokenizer: Any) -> bool:
    """Whether a model answers in Harmony's channels, whose marks are needed to read the answer."""
    return HARMONY_MARK in special_texts(tokenizer)


def _stretches(rendered: str, hidden: dict[str, str]) -> Sequence[tuple[str, bool]]:
    """The rendered text in parts: (text, whether it is a user's and plain)."""
    parts = [(rendered, False)]
    for name, text in hidden.items():
        parts = [piece for part in parts for piece in ([part] if part[1] else _parted(part[0], name, text))]
    return [part for part in parts if part[0]]


def _parted(text: str, name: str, own: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    for number, piece in enumerate(text.split(name)):
        found += [(own, True)] if number else []
        found.append((piece, False))
    return found
