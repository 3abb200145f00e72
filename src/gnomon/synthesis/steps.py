"""The door of the synthesis room: one function per step."""

from collections.abc import Sequence
from typing import Any

from gnomon.core.records import ModelRef
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step
from gnomon.synthesis.as_documents import AsDocumentsConfig
from gnomon.synthesis.audit.step import AuditConfig
from gnomon.synthesis.examples import ExamplesConfig
from gnomon.synthesis.general import FILES, GeneralConfig
from gnomon.synthesis.items import PairItemsConfig
from gnomon.synthesis.judge import JudgeConfig
from gnomon.synthesis.part import PairsPartConfig
from gnomon.synthesis.preferences import DOCUMENTS, JUDGED, PreferencesConfig
from gnomon.synthesis.select import LABELS, SelectConfig
from gnomon.synthesis.surviving import THROUGH, SurvivingConfig
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
        asks="gnomon.synthesis.estimates:write",
    )


def judge(pairs: Step, documents: Step, judges: Sequence[ModelRef] = (), *, rule: bool = True, **settings: Any) -> Step:
    """Add verdicts to pairs, by rule and by model; nothing is left out.

    Args:
        pairs: A step that leaves pairs.
        documents: The step whose documents they were written from.
        judges: Models that judge; none of them may have written the pairs, or be under test.
        rule: Whether the rule judge looks at them.
        settings: Other fields of ``JudgeConfig``.
    """
    return Step(
        name="synthesis/judge",
        entry="gnomon.synthesis.judge:run",
        version=1,
        config=JudgeConfig(judges=tuple(judges), rule=rule, **settings),
        inputs={"pairs": pairs, "documents": documents},
        asks="gnomon.synthesis.estimates:judge",
    )


def select(pairs: Step, labels: FileSet | None = None, **settings: Any) -> Step:
    """Keep the judged pairs that are good enough.

    Args:
        pairs: A step that leaves judged pairs.
        labels: JSONL of the audit page, one file a person; sets the rule judge's threshold.
        settings: Fields of ``SelectConfig``.
    """
    return Step(
        name="synthesis/select",
        entry="gnomon.synthesis.select:run",
        version=1,
        config=SelectConfig(**settings),
        inputs={"pairs": pairs},
        sources={LABELS: labels} if labels is not None else {},
    )


def as_documents(pairs: Step, **settings: Any) -> Step:
    """Pairs as documents, so that ``corpus.dedup`` and ``corpus.decontaminate`` compare them.

    Args:
        pairs: A step that leaves pairs.
        settings: Fields of ``AsDocumentsConfig``.
    """
    return Step(
        name="synthesis/as_documents",
        entry="gnomon.synthesis.as_documents:run",
        version=1,
        config=AsDocumentsConfig(**settings),
        inputs={"pairs": pairs},
    )


def surviving(pairs: Step, documents: Step) -> Step:
    """Keep the pairs whose document is left.

    Args:
        pairs: A step that leaves pairs.
        documents: The last of the steps that the documents of these pairs (``as_documents``) went through.
    """
    through, at = dict[str, Step](), documents.inputs.get("documents")
    while at is not None and "documents" in at.inputs:
        through[f"{THROUGH}{len(through):02}"] = at
        at = at.inputs["documents"]
    return Step(
        name="synthesis/surviving",
        entry="gnomon.synthesis.surviving:run",
        version=1,
        config=SurvivingConfig(),
        inputs={"pairs": pairs, "documents": documents, **through},
    )


def part(pairs: Step, name: str, **settings: Any) -> Step:
    """One part of the pairs, divided by their documents.

    Args:
        pairs: A step that leaves pairs.
        name: ``train``, ``development`` or ``test``.
        settings: Other fields of ``PairsPartConfig``.
    """
    return Step(
        name="synthesis/part",
        entry="gnomon.synthesis.part:run",
        version=1,
        config=PairsPartConfig(part=name, **settings),
        inputs={"pairs": pairs},
    )


def items(pairs: Step, **settings: Any) -> Step:
    """The pairs with options as exam questions, for ``evaluation.exam``.

    Args:
        pairs: A step that leaves pairs.
        settings: Fields of ``PairItemsConfig``.
    """
    return Step(
        name="synthesis/items",
        entry="gnomon.synthesis.items:run",
        version=1,
        config=PairItemsConfig(**settings),
        inputs={"pairs": pairs},
    )


def examples(pairs: Step, documents: Step | None = None, **settings: Any) -> Step:
    """Pairs as conversations, for ``training.pack`` and ``training.sft``.

    Args:
        pairs: A step that leaves pairs.
        documents: The documents they were made from, whose licences the conversations carry.
        settings: Fields of ``ExamplesConfig``.
    """
    return Step(
        name="synthesis/examples",
        entry="gnomon.synthesis.examples:run",
        version=1,
        config=ExamplesConfig(**settings),
        inputs={"pairs": pairs} | ({"documents": documents} if documents is not None else {}),
    )


def general(files: FileSet | None = None, *, name: str, **settings: Any) -> Step:
    """General instruction data as conversations: files, or a set of the hub by name and commit.

    Args:
        files: JSONL or Parquet; without them the hub's are used, at the commit ``revision``.
        name: The set's name.
        settings: Other fields of ``GeneralConfig``.
    """
    return Step(
        name="synthesis/general",
        entry="gnomon.synthesis.general:run",
        version=1,
        config=GeneralConfig(name=name, **settings),
        sources={FILES: files} if files is not None else {},
    )


def preferences(pairs: Step, judged: Step | None = None, documents: Step | None = None, **settings: Any) -> Step:
    """Kept pairs with an answer that is not wanted, for ``training.dpo``.

    Args:
        pairs: A step that leaves the pairs that were kept.
        judged: The step they were selected from; what judges thought wrong there is not wanted.
        documents: The documents they were made from, whose licences training looks at.
        settings: Fields of ``PreferencesConfig``.
    """
    others = {JUDGED: judged, DOCUMENTS: documents}
    return Step(
        name="synthesis/preferences",
        entry="gnomon.synthesis.preferences:run",
        version=1,
        config=PreferencesConfig(**settings),
        inputs={"pairs": pairs, **{name: step for name, step in others.items() if step is not None}},
    )


def audit(pairs: Step, documents: Step, **settings: Any) -> Step:
    """One HTML page with a random sample of pairs, to read and to label.

    Args:
        pairs: A step that leaves pairs, judged or not.
        documents: The documents they rest on.
        settings: Fields of ``AuditConfig``.
    """
    return Step(
        name="synthesis/audit",
        entry="gnomon.synthesis.audit.step:run",
        version=1,
        config=AuditConfig(**settings),
        inputs={"pairs": pairs, "documents": documents},
    )
