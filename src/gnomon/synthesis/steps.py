"""The door of the synthesis room: one function per step."""

from typing import Any

from gnomon.core.records import ModelRef
from gnomon.runs.step import Step
from gnomon.synthesis.write import WriteConfig


def write(documents: Step, writer: ModelRef | None = None, **settings: Any) -> Step:
    """Write question-answer pairs about documents, each with the verbatim words it rests on.

    Args:
        documents: A step that leaves documents.
        writer: The model that writes; None for the extractive writer, which needs no model.
        settings: Other fields of ``WriteConfig``.
    """
    return Step(
        name="synthesis/write",
        entry="gnomon.synthesis.write:run",
        version=1,
        config=WriteConfig(writer=writer, **settings),
        inputs={"documents": documents},
    )
