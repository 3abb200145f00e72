"""Entries: what models are taught, led back to the words it rests on.

A *pair* is a synthetic question with its evidence; an *example* is a conversation that a model is tuned on, a
*preference* one with an answer that is wanted and one that is not: both made of pairs, or read from a general set. The
tables are read by name, as plain rows: their records belong to other rooms. Who learnt an entry is asked of a
``Learners``, since what a model was shown is known where models are trained.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnomon.core.records import Drop, Span
from gnomon.core.tables import from_row
from gnomon.runs.documents import SYNTHESIS, evidence_beside
from gnomon.runs.lineage import DOCUMENTS, DROPS, EXAMPLES, ITEMS, PAIRS, PIECES, PREFERENCES, Chain, Link
from gnomon.runs.questions import exams_of
from gnomon.runs.record import Record
from gnomon.runs.rows import has_column, rows_starting, rows_where, rows_with
from gnomon.runs.walker import Walker

Learners = Callable[[Sequence[str]], Sequence[Link]]
"""From ids of examples and preferences to the training steps that learnt them."""
OTHER_PART = "other_part"
PREFIX = "example:"


@dataclass(kw_only=True)
class _Way:
    """What a walk along a chain has seen of one entry so far."""

    name: str
    """Its id."""
    pair: bool
    """Whether it is a pair."""
    verdicts: int | None = None
    """How many it has; None before it was written."""
    lessons: list[str] = field(default_factory=list)
    """Ids of the examples and preferences it was made into, or its own when it is one."""
    compared: bool = False
    """Whether it was made a document, for comparing."""
    sources: Mapping[str, Any] = field(default_factory=dict)
    """Files read by the step that first held it."""
    links: list[Link] = field(default_factory=list)
    """The steps it met, in order."""


def pair(walker: Walker, name: str, learners: Learners) -> Link | None:
    """A pair's lineage: its evidence, the steps it met, who learnt it, and the exams it was asked in.

    Args:
        walker: Walks along the chain.
        name: The pair.
        learners: Says who learnt it.
    """
    row = _pair_row(walker.chain, name)
    if row is None:
        return None
    way = _way(walker.chain, name, pair=True)
    after = [*learners(way.lessons), *exams_of(walker.chain, name)]
    return Link(kind="pair", id=name, facts=_pair_facts(row, way), below=(*_pair_below(walker, row, way), *after))


def example(walker: Walker, name: str, learners: Learners) -> Link | None:
    """An example's or a preference's lineage: its pairs, the documents and files it rests on, and who learnt it."""
    name = name.removeprefix(PREFIX)
    row, kind = _example_row(walker.chain, name)
    if row is None:
        return None
    way = _way(walker.chain, name, pair=False)
    pairs = [link for qa_id in row["qa_ids"] for link in [_bare_pair(walker, qa_id)] if link is not None]
    told = {evidence.facts["doc_id"] for link in pairs for evidence in link.below if evidence.kind == "evidence"}
    documents = [walker.document(doc_id) for doc_id in row["doc_ids"] if doc_id not in told]
    below = [*pairs, *(link for link in documents if link is not None), *reversed(way.links), *_files(way)]
    facts = {key: value for key, value in row.items() if key != "id"}
    return Link(kind=kind, id=name, facts=facts, below=(*below, *learners([name])))


# Pairs ----------------------------------------------------------------------------------------


def _pair_row(chain: Chain, name: str) -> dict[str, Any] | None:
    """A pair as the last step left it that judged it."""
    found = None
    for record in chain.records:
        for row in _pairs(chain.folder(record), name):
            if found is None or len(row["verdicts"]) > len(found["verdicts"]):
                found = row
    return found


def _pairs(folder: Path | None, name: str) -> Iterator[dict[str, Any]]:
    """Rows of a table of synthetic pairs; pairs of duplicates have a table of the same name."""
    path = None if folder is None else folder / PAIRS
    if path is not None and path.exists() and has_column(path, "question"):
        yield from rows_with(path, [("id",)], name)


def _pair_facts(row: Mapping[str, Any], way: _Way) -> dict[str, Any]:
    facts = {key: value for key, value in row.items() if key not in {"id", "evidence"}}
    facts["targets"] = [number for number, option in enumerate(row["choices"]) if option == row["answer"]]
    return facts | {"state": _state(way), "examples": way.lessons}


def _state(way: _Way) -> str:
    """What became of a pair, in a word."""
    if way.lessons:
        return "taught"
    for link in way.links:
        if link.facts["outcome"] == "dropped" and link.facts["reason"] != OTHER_PART:
            return f"left out by {link.id.rpartition('/')[0]}: {link.facts['reason']}"
    return "asked in an exam" if any(link.facts["outcome"] == "examined" for link in way.links) else "kept"


def _pair_below(walker: Walker, row: Mapping[str, Any], way: _Way) -> list[Link]:
    """Its evidence, then the steps, latest first."""
    return [*(_evidence_link(walker, evidence) for evidence in row["evidence"]), *reversed(way.links)]


def _evidence_link(walker: Walker, row: Mapping[str, Any]) -> Link:
    span = Span(**row["span"])
    document = walker.document(span.doc_id)
    return Link(kind="evidence", id=span.doc_id, facts=walker.quoted(span, row["quote"]),
                below=() if document is None else (document,))  # fmt: skip


def _bare_pair(walker: Walker, name: str) -> Link | None:
    """A pair as part of an example: what it rests on, and how it was written and judged."""
    row = _pair_row(walker.chain, name)
    if row is None:
        return None
    way = _way(walker.chain, name, pair=True)
    return Link(kind="pair", id=name, facts=_pair_facts(row, way), below=tuple(_pair_below(walker, row, way)))


# Examples -------------------------------------------------------------------------------------


def _example_row(chain: Chain, name: str) -> tuple[dict[str, Any] | None, str]:
    for record in reversed(chain.records):
        folder = chain.folder(record)
        for table, kind in ((EXAMPLES, "example"), (PREFERENCES, "preference")):
            row = next(rows_with(folder / table, [("id",)], name), None) if folder is not None else None
            if row is not None:
                return row, kind
    return None, ""


def _files(way: _Way) -> list[Link]:
    """The files that the step read which first held an example."""
    files = [file for listing in way.sources.values() for file in listing["files"]]
    return [Link(kind="source", id=name, facts={"sha256": sha256, "bytes": size}) for name, sha256, size, *_ in files]


# Steps ----------------------------------------------------------------------------------------


def _way(chain: Chain, name: str, *, pair: bool) -> _Way:
    """The steps that an entry met."""
    way = _Way(name=name, pair=pair, lessons=[] if pair else [name])
    for record in chain.records:
        folder = chain.folder(record)
        facts = _met(folder, record, way) if folder is not None else {}
        if facts and folder is not None:
            beside = evidence_beside(folder, name)
            way.links.append(Link(kind="step", id=record.address, facts={**facts, **beside}))
    return way


def _met(folder: Path, record: Record, way: _Way) -> dict[str, Any]:
    """What one step did with an entry; nothing when it never met it."""
    drop = _dropped(folder, record, way.name)
    if drop:
        return drop
    held = _held(folder, record, way)
    if held:
        return held
    if next(rows_with(folder / DOCUMENTS, [("id",)], way.name), None) is not None:
        first, way.compared = not way.compared, True
        return {"outcome": "compared" if first else "kept"}
    if next(rows_with(folder / ITEMS, [("id",)], way.name), None) is not None:
        return {"outcome": "examined"}
    lost = (_dropped(folder, record, lesson) for lesson in way.lessons)
    return _packed(folder, way.lessons) or next((drop for drop in lost if drop), {})


def _dropped(folder: Path, record: Record, name: str) -> dict[str, Any]:
    """The drop of an entry; a pair's is under its document, with the pair's id before the detail."""
    drop = next(rows_where(folder / DROPS, Drop, "doc_id", name), None)
    detail = drop.detail if drop is not None else ""
    if drop is None and record.name.startswith(SYNTHESIS):
        for row in rows_starting(folder / DROPS, "detail", name):
            first, _, rest = str(row["detail"]).partition(" ")
            if first == name:
                drop, detail = from_row(Drop, row), rest
                break
    if drop is None:
        return {}
    return {"outcome": "dropped", "reason": drop.reason, "detail": detail, "excerpt": drop.excerpt}


def _held(folder: Path, record: Record, way: _Way) -> dict[str, Any]:
    """Whether a step's tables hold an entry, as a pair or as what is learnt."""
    for row in _pairs(folder, way.name) if way.pair else ():
        before, way.verdicts = way.verdicts, len(row["verdicts"])
        if before is None:
            return {"outcome": "written"}
        return {"outcome": "judged" if way.verdicts > before else "kept"}
    column = ("qa_ids",) if way.pair else ("id",)
    for table, outcome in ((EXAMPLES, "taught"), (PREFERENCES, "preferred")):
        rows = list(rows_with(folder / table, [column], way.name))
        ids, made = [str(row["id"]) for row in rows], any(row["qa_ids"] for row in rows)
        if ids and way.pair:
            way.lessons += [i for i in ids if i not in way.lessons]
            return {"outcome": outcome, "examples": ids}
        if ids:
            first, way.verdicts = way.verdicts is None, 0
            way.sources = record.sources if first else way.sources
            return {"outcome": ("made" if made else "read") if first else "kept"}
    return {}


def _packed(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The rows of tokens that hold an entry."""
    pieces = [piece for name in names for piece in rows_with(folder / PIECES, [("doc_id",)], name)]
    if not pieces:
        return {}
    passes = {piece["repeat"] for piece in pieces}
    return {"outcome": "packed", "passes": len(passes), "rows": sorted({int(piece["sequence"]) for piece in pieces})}
