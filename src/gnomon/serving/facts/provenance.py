"""Provenance: what became of one document, from the file it was read from to the questions and models made of it.

All of it is read from the artifacts of the expert's chain, one pass over their tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.records import Document, Drop, Item, Pair
from gnomon.core.tables import read_batches, read_table
from gnomon.core.text import fold
from gnomon.research.opened import OpenExpert
from gnomon.runs.entries import OTHER_PART
from gnomon.runs.lineage import DOCUMENTS, DROPS, EXAMPLES, ITEMS, PAIRS, PREFERENCES, Chain, expert_chain
from gnomon.runs.rows import has_column, rows_where, rows_with
from gnomon.runs.taught import state_words, verdict_lines
from gnomon.serving.facts.briefs import briefs
from gnomon.serving.facts.kept import kept
from gnomon.training.exposure import Stage, sights, stages
from gnomon.training.naming import name_of

DEDUP, SYNTHESIS = "corpus/dedup", "synthesis/"


class Frozen(BaseModel):
    """Facts that never change."""

    model_config = ConfigDict(frozen=True)


class Copy(Frozen):
    """A document found alike this one."""

    id: str = Field(description="The other document.")
    title: str = Field(description="Its title, as far as it is in the library.")
    similarity: float = Field(description="Jaccard similarity of their shingles, 0 to 1.")
    exact: bool = Field(description="Whether their comparison texts are equal.")
    stays: str = Field(description="The one that stays because of this pair; empty when both do.")
    apart: str = Field(description="Why they are different works all the same; empty when they are one.")


class Judged(Frozen):
    """What one judge said of a question."""

    judge: str = Field(description="Name of the model, or of the rule.")
    criterion: str = Field(description="What was judged.")
    score: float = Field(description="1 (bad) to 5 (good) of a model; a probability of a rule.")
    reason: str = Field(description="Why, in the judge's words.")


class Asked(Frozen):
    """A question written from this document."""

    id: str = Field(description="The pair's id.")
    kind: str = Field(description="What kind of question it is.", examples=["numeric"])
    lang: str = Field(description="ISO 639-1.")
    question: str = Field(description="The question.")
    answer: str = Field(description="The answer.")
    choices: tuple[str, ...] = Field(description="Its options, when it has any.")
    spans: tuple[tuple[int, int], ...] = Field(description="Where in the text the words stand that it rests on.")
    text_hash: str = Field(description="The version of the text that these point into.")
    writer: str = Field(description="Name of the model that wrote it, or of the rule.")
    state: str = Field(description="What became of it.", examples=["taught"])
    told: str = Field(description="The same in the reader's language.")
    verdicts: tuple[Judged, ...] = Field(description="What judges said.")
    lines: tuple[str, ...] = Field(description="The same line by line, in the reader's language.")


class Examined(Frozen):
    """An exam question that this document answers."""

    id: str = Field(description="The question.")
    prompt: str = Field(description="What it asks.")
    choices: tuple[str, ...] = Field(description="Its options.")
    targets: tuple[int, ...] = Field(description="Indices of the right ones.")
    evidence: str = Field(description="The sentence it rests on.")
    span: tuple[int, int] | None = Field(description="Where that stands; None when the text has it otherwise.")


class Seen(Frozen):
    """A training stage that was shown this document, or questions written from it."""

    model: str = Field(description="The model that it made.")
    stage: str = Field(description="The step.", examples=["training/cpt/5b1d…"])
    source: str = Field(description="As what it was in the mixture.", examples=["papers"])
    passes: int = Field(description="How often.")
    steps: tuple[int, ...] = Field(description="In which optimizer steps, from 1.")
    lessons: int = Field(description="Conversations made of its questions; 0 when it was shown itself.")


class Provenance(Frozen):
    """What became of a document."""

    copies: tuple[Copy, ...] = Field(description="Documents found alike, the most alike first.")
    questions: tuple[Asked, ...] = Field(description="Questions written from it.")
    exam: tuple[Examined, ...] = Field(description="Exam questions that it answers.")
    training: tuple[Seen, ...] = Field(description="Training stages that saw it.")


@dataclass
class _Gathered:
    """What a pass over the artifacts found."""

    copies: dict[str, Pair] = field(default_factory=dict)
    """Pairs of documents, by the other."""
    pairs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Questions with most of their verdicts, by id."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Why a question was left out, by its id."""
    lessons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Questions of each example or preference."""


def provenance(opened: OpenExpert, document: Document) -> Provenance:
    """What became of a document.

    Args:
        opened: The expert.
        document: The document.
    """
    found = _Gathered()
    chain = chain_behind(opened)
    for record in chain.records:
        folder = chain.folder(record)
        if folder is not None:
            _gather(record.name, folder, document.id, found)
    items = _items(opened)
    return Provenance(
        copies=_copies(opened, document.id, found), questions=_questions(found, {item.id for item in items}),
        exam=tuple(_examined(document, items)), training=tuple(_training(opened, document.id, list(found.lessons))),
    )  # fmt: skip


def chain_behind(opened: OpenExpert) -> Chain:
    """The steps behind the expert, read once."""
    return kept(opened, "chain", lambda: expert_chain(opened.workspace, opened.expert))


def _gather(name: str, folder: Path, doc_id: str, found: _Gathered) -> None:
    """Read of one step's tables what is of a document."""
    if name == DEDUP:
        for pair in (*rows_where(folder / PAIRS, Pair, "a", doc_id), *rows_where(folder / PAIRS, Pair, "b", doc_id)):
            found.copies[pair.b if pair.a == doc_id else pair.a] = pair
    elif name.startswith(SYNTHESIS):
        _gather_questions(name, folder, doc_id, found)


def _gather_questions(name: str, folder: Path, doc_id: str, found: _Gathered) -> None:
    """Read of one step of synthesis what is of a document."""
    if (folder / PAIRS).exists() and has_column(folder / PAIRS, "question"):
        for row in rows_with(folder / PAIRS, [("evidence", "span", "doc_id")], doc_id):
            known = found.pairs.get(row["id"])
            if known is None or len(row["verdicts"]) > len(known["verdicts"]):
                found.pairs[row["id"]] = row
    for drop in rows_where(folder / DROPS, Drop, "doc_id", doc_id):
        if drop.reason != OTHER_PART:
            found.dropped.setdefault(drop.detail.partition(" ")[0], f"left out by {name}: {drop.reason}")
    for table in (EXAMPLES, PREFERENCES):
        for row in rows_with(folder / table, [("doc_ids",)], doc_id):
            found.lessons[row["id"]] = tuple(row["qa_ids"])


def _copies(opened: OpenExpert, doc_id: str, found: _Gathered) -> tuple[Copy, ...]:
    known = briefs(opened, found.copies)
    pairs = sorted(found.copies.items(), key=lambda item: (-item[1].jaccard, item[0]))
    return tuple(
        Copy(id=other, title=known[other].title if other in known else "", similarity=pair.jaccard,
             exact=pair.kind == "exact", stays=pair.kept, apart=pair.apart)
        for other, pair in pairs
    )  # fmt: skip


def _questions(found: _Gathered, examined: set[str]) -> tuple[Asked, ...]:
    learnt = {qa_id for qa_ids in found.lessons.values() for qa_id in qa_ids}
    rows = sorted(found.pairs.values(), key=lambda row: (row["evidence"][0]["span"]["start"], row["id"]))
    return tuple(_asked(row, _state(row["id"], learnt, found.dropped, examined)) for row in rows)


def _state(qa_id: str, learnt: set[str], dropped: dict[str, str], examined: set[str]) -> str:
    if qa_id in learnt:
        return "taught"
    return dropped.get(qa_id) or ("asked in an exam" if qa_id in examined else "kept")


def _asked(row: dict[str, Any], state: str) -> Asked:
    spans = [evidence["span"] for evidence in row["evidence"]]
    return Asked(
        id=row["id"], kind=row["kind"], lang=row["lang"], question=row["question"], answer=row["answer"],
        choices=tuple(row["choices"]), spans=tuple((span["start"], span["end"]) for span in spans),
        text_hash=spans[0]["text_hash"], writer=row["writer"], state=state, told=state_words(state),
        verdicts=tuple(Judged(**{key: verdict[key] for key in Judged.model_fields}) for verdict in row["verdicts"]),
        lines=tuple(verdict_lines(row["verdicts"])),
    )  # fmt: skip


# Exams ----------------------------------------------------------------------------------------


def _items(opened: OpenExpert) -> tuple[Item, ...]:
    """Every exam question of the expert's chain, once."""

    def read() -> tuple[Item, ...]:
        chain, found = chain_behind(opened), dict[str, Item]()
        for record in chain.records:
            folder = chain.folder(record)
            if folder is not None and (folder / ITEMS).exists():
                found |= {item.id: item for item in read_table(folder / ITEMS, Item)}
        return tuple(found.values())

    return kept(opened, "exam items", read)


def _examined(document: Document, items: Sequence[Item]) -> Iterator[Examined]:
    whole = fold(document.text)
    for item in items:
        if item.origin != document.id and not (item.evidence and fold(item.evidence) in whole):
            continue
        start = document.text.find(item.evidence) if item.evidence else -1
        yield Examined(
            id=item.id, prompt=item.prompt, choices=item.choices, targets=item.targets, evidence=item.evidence,
            span=(start, start + len(item.evidence)) if start >= 0 else None,
        )  # fmt: skip


# Training -------------------------------------------------------------------------------------


def _stages(opened: OpenExpert) -> tuple[tuple[str, Stage], ...]:
    """Every training stage behind the expert's models, once, with the name of the model it made."""

    def read() -> tuple[tuple[str, Stage], ...]:
        parts, found = dict(opened.expert.parts), dict[str, Stage]()
        for role in opened.models:
            found |= {stage.model.address: stage for stage in stages(opened.workspace, parts[role])}
        return tuple((name_of(opened.workspace, stage.model), stage) for stage in found.values())

    return kept(opened, "training stages", read)


def _training(opened: OpenExpert, doc_id: str, lessons: Sequence[str]) -> Iterator[Seen]:
    for model, stage in _stages(opened):
        held = _held(stage, {doc_id, *lessons})
        for ids in ([doc_id] if doc_id in held else [], sorted(held - {doc_id})):
            seen = [sight for name in ids for sight in sights(stage, name)]
            if seen:
                yield Seen(model=model, stage=stage.model.address, source=seen[0].source,
                           passes=len({sight.repeat for sight in seen}), steps=tuple(sorted({s.step for s in seen})),
                           lessons=0 if ids == [doc_id] else len(ids))  # fmt: skip


def _held(stage: Stage, wanted: set[str]) -> set[str]:
    """Which of some ids stand in a stage's rows."""
    found: set[str] = set()
    path = stage.folder / "pieces" if stage.folder is not None else None
    for batch in read_batches(path, ["doc_id"]) if path is not None else ():
        found |= wanted.intersection(batch.column(0).to_pylist())
    return found


def last_version(chain: Chain, doc_id: str) -> Document | None:
    """A document as the last step left it that held it; None when no step did."""
    for record in reversed(chain.records):
        folder = chain.folder(record)
        if folder is not None:
            for document in rows_where(folder / DOCUMENTS, Document, "id", doc_id):
                return document
    return None
