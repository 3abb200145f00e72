"""The walk: given any id, find out what it is and lead it back to its source.

Ids tell themselves apart by their shape (``answer:…``, ``DOC#0-120@1f2e3d4c``, ``room/verb/identity``);
what has no shape of its own is looked for as a document, a file, a question, a step and a model.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.answers import Answer, Citation
from gnomon.core.errors import NotFound
from gnomon.core.records import Document, Item, Span
from gnomon.core.tables import from_row, read_table
from gnomon.core.text import fold
from gnomon.core.wording import say
from gnomon.runs.lineage import (
    CHUNKS,
    DOCUMENTS,
    ITEMS,
    LEAKS,
    Chain,
    Link,
    chain_of,
    document_lineage,
    documents_of_file,
    files_left_out,
    known_ids,
    manifest,
)  # fmt: skip
from gnomon.runs.record import Record
from gnomon.runs.rows import rows_where, rows_with
from gnomon.runs.workspace import Workspace

ANSWERS = "answers"
EXCERPT_CHARACTERS = 300
_CHUNK_ID = re.compile(r"^(?P<doc>.+)#(?P<start>\d+)-(?P<end>\d+)@(?P<hash>[0-9a-f]+)$")
_PREFIXES = ("", "arxiv:", "local:")


@dataclass
class Walker:
    """Walks along one chain, and remembers the documents it has met."""

    chain: Chain
    """The steps."""
    _documents: dict[str, Link | None] = field(default_factory=dict)
    """Lineages of documents, by id."""

    # Documents and files

    def document(self, doc_id: str) -> Link | None:
        """A document's lineage, under its id with or without ``arxiv:`` or ``local:``."""
        for prefix in _PREFIXES:
            name = prefix + doc_id
            if name not in self._documents:
                self._documents[name] = document_lineage(self.chain, name)
            if self._documents[name] is not None:
                return self._documents[name]
        return None

    def file(self, name: str) -> Link | None:
        """A source file's lineage: the documents read from it, or why there are none."""
        name = name.removeprefix("file:")
        left_out = files_left_out(self.chain)
        if name in left_out:
            return Link(kind="file", id=name, facts={"outcome": "not opened", "reason": left_out[name]})
        found = [f for f in manifest(self.chain) if name in (f["name"], f["name"].rpartition("/")[2])]
        if not found:
            return None
        ids = documents_of_file(self.chain, found[0]["name"])
        lost = self.document(f"file:{found[0]['name']}")
        facts = {**found[0], "documents": len(ids)}
        links = [lost] if lost is not None else [Link(kind="document", id=doc_id) for doc_id in ids]
        if len(ids) == 1 and lost is None:
            links = [link for link in [self.document(ids[0])] if link is not None]
        return Link(kind="file", id=facts.pop("name"), facts=facts, below=tuple(links))

    # Chunks and spans

    def chunk(self, chunk_id: str) -> Link | None:
        """A chunk's lineage."""
        for record in self.chain.records:
            folder = self.chain.folder(record)
            for row in rows_with(folder / CHUNKS, [("id",)], chunk_id) if folder else ():
                return self._chunk_link(row)
        return None

    def _chunk_link(self, row: dict[str, Any]) -> Link:
        span = Span(**row["span"])
        text = self.text(span)
        facts = {"span": row["span"], "heading": row["heading"], "text": text[:EXCERPT_CHARACTERS]}
        document = self.document(span.doc_id)
        return Link(kind="chunk", id=row["id"], facts=facts, below=() if document is None else (document,))

    def text(self, span: Span) -> str:
        """The characters of a span, from the version of the text it points into; empty when that is gone."""
        for record in reversed(self.chain.records):
            folder = self.chain.folder(record)
            for document in rows_where(folder / DOCUMENTS, Document, "id", span.doc_id) if folder else ():
                if document.text_hash == span.text_hash:
                    return document.text[span.start : span.end]
        return ""

    def _chunk_around(self, span: Span) -> Link | None:
        for record in self.chain.records:
            folder = self.chain.folder(record)
            for row in rows_with(folder / CHUNKS, [("span", "doc_id")], span.doc_id) if folder else ():
                place = row["span"]
                if place["text_hash"] == span.text_hash and place["start"] <= span.start and span.end <= place["end"]:
                    return self._chunk_link(row)
        return self.document(span.doc_id)

    # Answers

    def answer(self, answer: Answer) -> Link:
        """An answer's lineage: its claims, their citations, and what those rest on."""
        cited = {citation.id: self._citation(citation) for citation in answer.citations}
        claims = [
            Link(kind="claim", id=str(number), facts={"text": claim.text},
                 below=tuple(cited[name] for name in claim.citations if name in cited))
            for number, claim in enumerate(answer.claims, 1)
        ]  # fmt: skip
        facts = {"question": answer.question, "text": answer.text, "voice": answer.voice, "refused": answer.refused}
        return Link(kind="answer", id=answer.id, facts=facts, below=tuple(claims))

    def _citation(self, citation: Citation) -> Link:
        text = self.text(citation.span)
        facts: dict[str, Any] = {
            "quote": citation.quote, "doc_id": citation.doc_id, "title": citation.title, "year": citation.year,
            "start": citation.span.start, "end": citation.span.end, "text_hash": citation.span.text_hash,
            "verbatim": fold(text) == fold(citation.quote) if text else None,
        }  # fmt: skip
        chunk = self._chunk_around(citation.span)
        return Link(kind="citation", id=citation.id, facts=facts, below=() if chunk is None else (chunk,))

    # Questions

    def question(self, item_id: str) -> Link | None:
        """An exam question's lineage: its evidence, the document that holds it, and what it kept from models."""
        for record in self.chain.records:
            folder = self.chain.folder(record)
            for item in rows_where(folder / ITEMS, Item, "id", item_id) if folder else ():
                below = [*self._evidence_of(item), Link(kind="step", id=record.address, facts=step_facts(record))]
                facts = {
                    "prompt": item.prompt, "choices": list(item.choices), "targets": list(item.targets),
                    "lang": item.lang, "origin": item.origin, "evidence": item.evidence, "leaks": self._leaks(item_id),
                }  # fmt: skip
                return Link(kind="question", id=item.id, facts=facts, below=tuple(below))
        return None

    def _evidence_of(self, item: Item) -> Iterator[Link]:
        """The document a question was made from: the one it names, else the one its evidence stands in."""
        named = self.document(item.origin) if item.origin else None
        if named is not None:
            yield named
            return
        found = self._holder(item.evidence) if item.evidence else ""
        link = self.document(found) if found else None
        if link is not None:
            yield link

    def _holder(self, sentence: str) -> str:
        wanted = fold(sentence)
        for record in self.chain.records:
            folder = self.chain.folder(record) if record.address in self.chain.readers else None
            if folder is not None and (folder / DOCUMENTS).is_dir():
                for document in read_table(folder / DOCUMENTS, Document):
                    if wanted in fold(document.text):
                        return document.id
        return ""

    def _leaks(self, item_id: str) -> list[dict[str, Any]]:
        for record in self.chain.records:
            folder = self.chain.folder(record)
            if folder is not None and (folder / LEAKS).exists():
                return list(rows_with(folder / LEAKS, [("item_id",)], item_id))
        return []

    # Steps and models

    def step(self, name: str) -> Link | None:
        """A step's lineage: its settings, counts, and the steps and files it read."""
        room, _, identity = name.rpartition("/") if name.count("/") == 2 else (name, "", "")
        matching = [r for r in self.chain.records if (r.name == room and r.identity.startswith(identity))]
        if not matching and re.fullmatch("[0-9a-f]{6,32}", name):
            matching = [r for r in self.chain.records if r.identity.startswith(name)]
        return self._step_link(matching[-1]) if matching else None

    def _step_link(self, record: Record) -> Link:
        known = {r.address: r for r in self.chain.records}
        below = [self._step_link(known[a]) for _, a in sorted(record.inputs.items()) if a in known]
        for listing in record.sources.values():
            below += [
                Link(kind="source", id=name, facts={"sha256": sha256, "bytes": size})
                for name, sha256, size, *_ in listing["files"]
            ]
        return Link(kind="step", id=record.address, facts=step_facts(record), below=tuple(below))

    def model(self, name: str) -> Link | None:
        """A model's lineage: the steps whose settings or measurements name it."""
        using = [r for r in self.chain.records if _names(r.config, name) or _names(r.metrics, name)]
        links = tuple(Link(kind="step", id=r.address, facts=step_facts(r)) for r in using)
        return Link(kind="model", id=name, below=links) if links else None


def step_facts(record: Record) -> dict[str, Any]:
    """What is known of a finished step."""
    return {
        "version": record.version, "config": dict(record.config), "taken": record.counts.taken,
        "kept": record.counts.kept, "dropped": dict(record.counts.dropped), "made": dict(record.counts.made),
        "digest": record.digest, "code": dict(record.code), "started": record.started, "seconds": record.seconds,
    }  # fmt: skip


def _names(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        return any(_names(item, name) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_names(item, name) for item in value)
    return bool(value == name)


def walk(workspace: Workspace, chains: Sequence[Chain], name: str) -> Link:
    """Lead any id back to its source.

    Args:
        workspace: Where answers are kept.
        chains: Where to look, the likeliest first: the expert's chain, then the whole workspace.
        name: A document, chunk, answer, question, step, file or model.

    Raises:
        NotFound: Nothing has this id; the hint names the nearest ids.
    """
    answer = load_answer(workspace, name)
    if answer is not None:
        return Walker(chain_of(workspace, answer.parts) if answer.parts else chains[0]).answer(answer)
    for chain in chains:
        walker = Walker(chain)
        chunk = walker.chunk if _CHUNK_ID.match(name) else None
        step = walker.step if name.count("/") in (1, 2) else None
        ways: list[Callable[[str], Link | None] | None] = [
            step, chunk, walker.document, walker.file, walker.question, walker.step, walker.model,
        ]  # fmt: skip
        for way in ways:
            link = way(name) if way is not None else None
            if link is not None:
                return link
    raise _not_found(chains, name)


def load_answer(workspace: Workspace, name: str) -> Answer | None:
    """A saved answer, under its id with or without ``answer:``."""
    row = workspace.load(ANSWERS, answer_name(name)) if re.fullmatch(r"(answer:)?[\w:-]+", name) else None
    return None if row is None else from_row(Answer, row)


def answer_name(answer_id: str) -> str:
    """The name under which an answer is saved: its id without what a file name cannot hold."""
    return answer_id.removeprefix("answer:").replace(":", "-")


def _not_found(chains: Sequence[Chain], name: str) -> NotFound:
    known = {doc_id for chain in chains for doc_id in known_ids(chain)}
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    near += [doc_id for doc_id in sorted(known) if name in doc_id and doc_id not in near][: 3 - len(near)]
    hint = say("Nearest: ", "近いもの: ") + ", ".join(near) if near else say(
        "Give the id of a document, chunk, answer, question, step, file or model; `gnomon search` shows ids.",
        "文書・チャンク・回答・問題・ステップ・ファイル・モデルの ID を指定する。ID は `gnomon search` でわかる。",
    )  # fmt: skip
    return NotFound(say(f"Nothing here has the id {name!r}.", f"{name!r} という ID のものはない。"), hint)
