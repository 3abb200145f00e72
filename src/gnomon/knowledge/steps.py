"""The door of the knowledge room: one function per step."""

from typing import Any

from gnomon.knowledge.trace import TraceConfig
from gnomon.runs.step import Step


def trace(documents: Step, **settings: Any) -> Step:
    """Index what models are shown, so that any text can be traced to it.

    Args:
        documents: A step that leaves documents.
        settings: Fields of ``TraceConfig``.
    """
    return Step(
        name="knowledge/trace",
        entry="gnomon.knowledge.trace:run",
        version=1,
        config=TraceConfig(**settings),
        inputs={"documents": documents},
    )
