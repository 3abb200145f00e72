"""The door of the training room: one function per step."""

from collections.abc import Mapping
from typing import Any

from gnomon.runs.step import Step
from gnomon.training.tokenizer import TokenizerConfig


def tokenizer(documents: Mapping[str, Step], **settings: Any) -> Step:
    """Learn a vocabulary.

    Args:
        documents: Steps that leave documents, by the name of the source.
        settings: Fields of ``TokenizerConfig``.
    """
    return Step(
        name="training/tokenizer",
        entry="gnomon.training.tokenizer:run",
        version=1,
        config=TokenizerConfig(**settings),
        inputs=dict(documents),
    )
