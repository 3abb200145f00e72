"""The door of the evaluation room: one function per step."""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.items import ItemsConfig
from gnomon.evaluation.report.make import ReportConfig
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step


def items(files: FileSet, **settings: Any) -> Step:
    """Read exam questions from JSONL files.

    Args:
        files: What to read.
        settings: Fields of ``ItemsConfig``.
    """
    return Step(
        name="evaluation/items",
        entry="gnomon.evaluation.items:run",
        version=1,
        config=ItemsConfig(**settings),
        sources={"files": files},
    )


def report(steps: Mapping[str, Step], **settings: Any) -> Step:
    """Describe a build on one page: what it is made of, what was left out and why.

    Args:
        steps: Any of ``ingest``, ``clean``, ``dedup``, ``decontaminate``, ``items``, ``chunk``, ``index``, ``vectors``,
            ``trace``, by these names.
        settings: Fields of ``ReportConfig``.
    """
    return Step(
        name="evaluation/report",
        entry="gnomon.evaluation.report.make:run",
        version=1,
        config=ReportConfig(**settings),
        inputs=steps,
    )
