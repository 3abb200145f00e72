"""Conversations as token ids: a model's own chat template, and what it must not be tricked into.

A *chat template* (Jinja, in the tokenizer) writes the marks of turns around texts. Its marks are special tokens, so a
text that holds one (``<|im_end|>``) could end its turn and open another. Such texts are therefore encoded apart, as the
plain characters they are; a conversation without them is encoded exactly as transformers does it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.core.messages import Message
from gnomon.core.wording import say
from gnomon.llm.chat import Conversation
from gnomon.llm.tokens import Tokens

FOLDER = Path(__file__).parent / "templates"
TEMPLATE = "chat_template.jinja"
"""Where transformers keeps a model's template today; folders of older models have it among the tokenizer's settings."""
OPENINGS = ("<think>", "<|channel|>analysis<|message|>")
"""What a template ends with when it has opened the thinking."""
HARMONY_MARK = "<|channel|>"
OWN = {"chatml": "<|im_start|>", "llama3": "<|start_header_id|>", "harmony": "<|start|>"}
"""Gnomon's own templates, and the token by which a tokenizer shows that it knows their marks."""
_SENTINEL = "\ue000{}\ue001"
"""Private-use characters: they stand for a text while the template is rendered."""
SWITCHES = {"on": {"enable_thinking": True, "thinking": True}, "off": {"enable_thinking": False, "thinking": False}}
"""What templates call the switch: Qwen, SmolLM and ours the first, DeepSeek and Granite the second."""
Spans = Sequence[tuple[int, int]]


@cache
def own_template(name: str) -> str:
    """One of Gnomon's own templates: ``chatml``, ``llama3`` or ``harmony``."""
    return (FOLDER / f"{name}.jinja").read_text(encoding="utf-8")


def template_in(folder: Path) -> str:
    """The chat template in a model's folder: a file of its own, or a setting of its tokenizer; empty without one."""
    own, settings = folder / TEMPLATE, folder / "tokenizer_config.json"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    found = read_json(settings).get("chat_template") if settings.is_file() else None
    if isinstance(found, list):  # several, by name
        found = next((one["template"] for one in found if one["name"] == "default"), None)
    return str(found or "")


def template_of(tokenizer: Any) -> str:
    """A tokenizer's own chat template, else the one of Gnomon's whose marks it knows.

    Raises:
        ConfigError: It has none and knows no marks.
    """
    if tokenizer.chat_template:
        return str(tokenizer.chat_template)
    marks = special_texts(tokenizer)
    found = next((name for name, mark in OWN.items() if mark in marks), "")
    if not found:
        raise ConfigError(
            say("The tokenizer has no chat template and no marks of turns.",
                "トークナイザーにチャットテンプレートも発話の区切りもない。"),
            say(f"Add the special tokens of one of these, and its embedding rows: {', '.join(OWN)}.",
                f"次のいずれかの特殊トークンと埋め込みの行を加える: {', '.join(OWN)}。"),
        )  # fmt: skip
    return own_template(found)


def turns(conversation: Conversation) -> list[dict[str, str]]:
    """Messages as templates want them; thinking under the names that are in use."""
    found = []
    for message in conversation:
        turn = {"role": message.role, "content": message.text}
        if message.thinking:
            turn |= {"thinking": message.thinking, "reasoning_content": message.thinking}
        found.append(turn)
    return found


def encode_chat(tokens: Tokens, conversation: Conversation, thinking: str) -> tuple[list[int], str]:
    """A conversation's ids up to where the model answers.

    Args:
        tokens: The tokenizer, with its template.
        conversation: Turns; thinking of earlier turns is left out, as models are used to.
        thinking: ``auto``, ``on`` or ``off``.

    Returns:
        (ids, what the template wrote to open the thinking, else nothing).

    Raises:
        ConfigError: The model has no template, or it cannot render these turns.
    """
    shown, hidden = disguised([Message(role=m.role, text=m.text) for m in conversation], tokens.tokenizer)
    rendered = render(tokens.tokenizer, shown, thinking)
    ids, _ = encode_rendered(tokens, rendered, hidden)
    return ids, next((opening for opening in OPENINGS if rendered.rstrip().endswith(opening)), "")


def disguised(conversation: Conversation, tokenizer: Any) -> tuple[list[Message], dict[str, str]]:
    """The conversation with a stand-in for every text that holds a special token's name, and what they stand for."""
    marks, names = special_texts(tokenizer), dict[str, str]()

    def seen(text: str) -> str:
        if not any(mark in text for mark in marks):
            return text
        return names.setdefault(text, _SENTINEL.format(len(names)))

    shown = [Message(role=m.role, text=seen(m.text), thinking=seen(m.thinking)) for m in conversation]
    return shown, {name: text for text, name in names.items()}


def encode_rendered(
    tokens: Tokens, rendered: str, hidden: Mapping[str, str], spans: Spans = ()
) -> tuple[list[int], list[bool]]:
    """Ids of a rendered conversation, stand-ins replaced by their plain texts, and which tokens begin in the spans."""
    ids, inside = list[int](), list[bool]()
    for text, at, plain in _stretches(rendered, hidden):
        if plain:
            own = tokens.encode(text, bos=False)
            starts = [at] * len(own)
        else:
            coded = tokens.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
            own, starts = list(coded["input_ids"]), [at + start for start, _ in coded["offset_mapping"]]
        ids += own
        inside += [any(begin <= start < end for begin, end in spans) for start in starts]
    return ids, inside


def encode_learnt(
    tokens: Tokens, conversation: Conversation, *, last_only: bool = False
) -> tuple[list[int], list[bool]]:
    """A whole conversation's ids, and which of them the assistant has to say; with ``last_only``, of its last turn.

    Raises:
        ConfigError: The template cannot render the conversation, or does not say what the assistant said.
    """
    shown, hidden = disguised(conversation, tokens.tokenizer)
    rendered, spans = render_learnt(tokens.tokenizer, shown)
    return encode_rendered(tokens, rendered, hidden, spans[-1:] if last_only else spans)


def turn_ends(tokens: Tokens) -> frozenset[int]:
    """The mark with which the template ends what the assistant says; nothing where it has none."""
    if not tokens.tokenizer.chat_template:
        return frozenset()
    try:
        ids, learnt = encode_learnt(tokens, [Message(role="user", text="a"), Message(role="assistant", text="b")])
    except ConfigError:
        return frozenset()
    last = [token for token, own in zip(ids, learnt, strict=True) if own][-1:]
    return frozenset(last) & frozenset(tokens.tokenizer.added_tokens_decoder)


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
    return _rendered(tokenizer, conversation, prompt=True, **SWITCHES.get(thinking, {}))


def render_learnt(tokenizer: Any, conversation: Conversation) -> tuple[str, list[tuple[int, int]]]:
    """The text of a whole conversation, and the characters that the assistant has to learn, turn by turn.

    A template with ``{% generation %}`` marks says which they are. Without marks a turn is what the conversation up
    to it has more than the conversation before it has as a prompt.

    Raises:
        ConfigError: The template cannot render these turns, or does not write one turn after another.
    """
    template = template_of(tokenizer)
    if "{%- generation" in template or "{% generation" in template:
        from transformers.utils.chat_template_utils import render_jinja_template

        with _rendering():
            texts, spans = render_jinja_template(
                conversations=[turns(conversation)], chat_template=template, return_assistant_tokens_mask=True,
                **tokenizer.special_tokens_map,
            )  # fmt: skip
        return texts[0], [(begin, end) for begin, end in spans[0]]
    return _prefixes(tokenizer, conversation)


def _prefixes(tokenizer: Any, conversation: Conversation) -> tuple[str, list[tuple[int, int]]]:
    whole = _rendered(tokenizer, conversation, prompt=False)
    spans = []
    for number, message in enumerate(conversation):
        if message.role == "assistant":
            before = _rendered(tokenizer, conversation[:number], prompt=True)
            upto = _rendered(tokenizer, conversation[: number + 1], prompt=False).rstrip()
            if not whole.startswith(upto) or not upto.startswith(before):
                raise ConfigError(
                    say("The chat template does not write one turn after another, so what the assistant says cannot"
                        " be found.",
                        "チャットテンプレートが発話を順に書かないため、アシスタントの発話を特定できない。"),
                    say("Use a template with {% generation %} marks: template = \"chatml\".",
                        "{% generation %} のあるテンプレートを使う: template = \"chatml\"。"),
                )  # fmt: skip
            spans.append((len(before), len(upto)))
    return whole, spans


def _rendered(tokenizer: Any, conversation: Conversation, *, prompt: bool, **switches: bool) -> str:
    with _rendering():
        return str(
            tokenizer.apply_chat_template(
                turns(conversation), chat_template=template_of(tokenizer), tokenize=False,
                add_generation_prompt=prompt, **switches,
            )
        )  # fmt: skip


@contextmanager
def _rendering() -> Iterator[None]:
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # Jinja and templates raise what they like
        raise ConfigError(
            say(f"The model's chat template cannot write these turns: {error}.",
                f"チャットテンプレートでこの会話を表せない: {error}。"),
            say("Some templates know no system message.", "system メッセージに対応しないテンプレートもある。"),
        ) from error  # fmt: skip


def special_texts(tokenizer: Any) -> tuple[str, ...]:
    """The strings that the tokenizer reads as one token of their own, wherever they stand."""
    return tuple(str(token) for token in tokenizer.added_tokens_decoder.values())


def writes_channels(tokenizer: Any) -> bool:
    """Whether a model answers in Harmony's channels, whose marks are needed to read the answer."""
    return HARMONY_MARK in special_texts(tokenizer)


def _stretches(rendered: str, hidden: Mapping[str, str]) -> Iterator[tuple[str, int, bool]]:
    """The rendered text in parts: (text, where it begins, whether it is a user's and plain)."""
    at = 0
    for part in re.split("(\ue000\\d+\ue001)", rendered) if hidden else [rendered]:
        plain = part in hidden
        if part:
            yield (hidden[part] if plain else part), at, plain
        at += len(part)
