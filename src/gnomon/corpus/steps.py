"""The door of the corpus room: one function per step."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.decontaminate import DecontaminateConfig
from gnomon.corpus.dedup import PRESETS, DedupConfig
from gnomon.corpus.ingest import IngestConfig
from gnomon.corpus.instructions import InstructionsConfig
from gnomon.corpus.part import PartConfig
from gnomon.corpus.split import SplitConfig
from gnomon.corpus.withhold import WithholdConfig
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step


def ingest(files: FileSet, **settings: Any) -> Step:
    """Read files into documents.

    Args:
        files: What to read.
        settings: Fields of ``IngestConfig``.
    """
    return Step(
        name="corpus/ingest",
        entry="gnomon.corpus.ingest:run",
        version=1,
        config=IngestConfig(**settings),
        sources={"files": files},
        estimate="gnomon.corpus.estimates:ingest",
    )


def instructions(files: FileSet, **settings: Any) -> Step:
    """Read questions with their answers into documents, for instruction pre-training.

    Args:
        files: JSONL with ``question`` and ``answer``, or with ``messages``.
        settings: Fields of ``InstructionsConfig``.
    """
    return Step(
        name="corpus/instructions",
        entry="gnomon.corpus.instructions:run",
        version=1,
        config=InstructionsConfig(**settings),
        sources={"files": files},
    )


def dedup(documents: Step, preset: str = "papers", **settings: Any) -> Step:
    """Keep one of several copies.

    Args:
        documents: A step that leaves documents.
        preset: A name of ``gnomon.corpus.dedup.PRESETS``: ``papers``, ``llm-jp``, ``fineweb``, ``questions``.
        settings: Fields of ``DedupConfig``; they overrule the preset.

    Raises:
        ConfigError: There is no such preset.
    """
    if preset not in PRESETS:
        raise ConfigError(f"dedup: there is no preset {preset!r}.", f"Presets: {', '.join(PRESETS)}.")
    return Step(
        name="corpus/dedup",
        entry="gnomon.corpus.dedup:run",
        version=1,
        config=DedupConfig(**{**dataclasses.asdict(PRESETS[preset]), **settings}),
        inputs={"documents": documents},
        estimate="gnomon.corpus.estimates:dedup",
    )


def decontaminate(documents: Step, items: Step, **settings: Any) -> Step:
    """Leave out documents that give away exam questions; for what models may see, never for readers.

    Args:
        documents: A step that leaves documents.
        items: A step that leaves ``items.parquet``.
        settings: Fields of ``DecontaminateConfig``.
    """
    return Step(
        name="corpus/decontaminate",
        entry="gnomon.corpus.decontaminate:run",
        version=1,
        config=DecontaminateConfig(**settings),
        inputs={"documents": documents, "items": items},
        estimate="gnomon.corpus.estimates:decontaminate",
    )


def clean(documents: Step, **settings: Any) -> Step:
    """Mend texts, name their language and leave out what is no text.

    Args:
        documents: A step that leaves documents.
        settings: Fields of ``CleanConfig``.
    """
    return Step(
        name="corpus/clean",
        entry="gnomon.corpus.clean:run",
        version=1,
        config=CleanConfig(**settings),
        inputs={"documents": documents},
        estimate="gnomon.corpus.estimates:clean",
    )


def withhold(documents: Step, ids: Iterable[str]) -> Step:
    """Leave out the documents of these ids.

    Args:
        documents: A step that leaves documents.
        ids: Ids of documents; their order does not matter.
    """
    return Step(
        name="corpus/withhold",
        entry="gnomon.corpus.withhold:run",
        version=1,
        config=WithholdConfig(ids=tuple(sorted(set(ids)))),
        inputs={"documents": documents},
        estimate="gnomon.corpus.estimates:pass_on",
    )


def split(documents: Step, pairs: Step | None = None, **settings: Any) -> Step:
    """Divide documents into ``train``, ``development`` and ``test``, by hash or by time.

    Args:
        documents: A step that leaves documents.
        pairs: A ``dedup`` step whose near-duplicates are not to be parted.
        settings: Fields of ``SplitConfig``.
    """
    return Step(
        name="corpus/split",
        entry="gnomon.corpus.split:run",
        version=1,
        config=SplitConfig(**settings),
        inputs={"documents": documents} | ({"pairs": pairs} if pairs is not None else {}),
        estimate="gnomon.corpus.estimates:pass_on",
    )


def part(split: Step, name: str, **settings: Any) -> Step:
    """One part of a split, as documents.

    Args:
        split: A ``corpus/split`` step.
        name: ``"train"``, ``"development"`` or ``"test"``.
        settings: Other fields of ``PartConfig``.
    """
    return Step(
        name="corpus/part",
        entry="gnomon.corpus.part:run",
        version=1,
        config=PartConfig(part=name, **settings),
        inputs={"split": split},
        estimate="gnomon.corpus.estimates:pass_on",
    )
