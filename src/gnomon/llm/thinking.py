"""Thinking apart from answering, in the two formats that open models write.

Models in DeepSeek-R1's manner write ``<think>…</think>`` before the answer. Models with OpenAI's *Harmony* format
(gpt-oss, LLM-jp-4) write to *channels*: ``analysis`` is thinking, ``final`` is the answer, ``commentary`` is for
tools. An endpoint with a reasoning parser sends both apart already; a local model, or an endpoint without one, sends
the raw text.
"""

import re

OPEN, CLOSE = "<think>", "</think>"
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>(.*?)(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|<\|channel\|>|\Z)",
    re.S,
)
_MARK = re.compile(r"<\|(?:start|end|return|call|message|channel|constrain)\|>")


def split_thinking(text: str) -> tuple[str, str]:
    """(thinking, answer) of a model's turn, both stripped; the answer is empty when it was cut while thinking."""
    if "<|channel|>" in text or "<|message|>" in text:
        return _harmony(text)
    thoughts = []
    while OPEN in text:
        before, _, rest = text.partition(OPEN)
        thought, closed, after = rest.partition(CLOSE)
        thoughts.append(thought.strip())
        text = before + after if closed else before
    if not thoughts and CLOSE in text:  # the opening mark was part of the prompt
        thought, _, text = text.partition(CLOSE)
        thoughts.append(thought.strip())
    return "\n".join(t for t in thoughts if t), text.replace(CLOSE, "").strip()


def _harmony(text: str) -> tuple[str, str]:
    """The channels of a Harmony turn."""
    said: dict[str, list[str]] = {"analysis": [], "final": []}
    for channel, message in _CHANNEL.findall(text):
        said.setdefault(channel, []).append(message.strip())
    return "\n".join(filter(None, said["analysis"])), _MARK.sub("", "\n".join(filter(None, said["final"]))).strip()
