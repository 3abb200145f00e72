"""Messages: the unit of chat, of synthetic questions and of fine-tuning.

*Thinking* is what a model writes before it answers. It is a field of its own, because a reader is
shown it apart, a check does not judge it, and a training example may leave it out.
"""

from dataclasses import dataclass

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """``system``, ``user`` or ``assistant``."""
    text: str
    """What was said."""
    thinking: str = ""
    """What an assistant wrote before it answered; empty when it did not think, or did not show it."""
