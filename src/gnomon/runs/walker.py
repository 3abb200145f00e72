"""The walker: leads documents, files, chunks, steps and models of one chain back to their sources.

It remembers the documents it has met, so that a way that many things share is walked once.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.records import Document, Span
from gnomon.core.text import fold
from gnomon.runs.documents import document_lineage, documents_of_file
from gnomon.runs.lineage import CHUNKS, DOCUMENTS, Chain, Link, files_left_out, manifest
from gnomon.runs.record import Record
from gnomon.runs.rows import rows_where, rows_with

EXCERPT_CHARACTERS = 300
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

    def quoted(self, span: Span, quote: str) -> dict[str, Any]:
        """A quote at its place, as facts: whether it stands there word for word, None when the text is gone."""
        text = self.text(span)
        return {
            "quote": quote, "doc_id": span.doc_id, "start": span.start, "end": span.end, "text_hash": span.text_hash,
            "verbatim": fold(text) == fold(quote) if text else None,
        }  # fmt: skip

    def chunk_around(self, span: Span) -> Link | None:
        for record in self.chain.records:
            folder = self.chain.folder(record)
            for row in rows_with(folder / CHUNKS, [("span", "doc_id")], span.doc_id) if folder else ():
                place = row["span"]
                if place["text_hash"] == span.text_hash and place["start"] <= span.start and span.end <= place["end"]:
                    return self._chunk_link(row)
        return self.document(span.doc_id)

    # Steps and models

    def step(self, name: str) -> Link | None:
        """A step's lineage: its settings, counts, and the steps and files it read."""
        room, _, identity = name.rpartition("/") if name.count("/") == 2 else (name, "", "")
        matching = [r for r in self.chain.records if (r.name == room and r.identity.startswith(identity))]
        if not matching and re.fullmatch("[0-9a-f]{6,32}", name):
            matching = [r for r in self.chain.records if r.identity.startswith(name)]
        return self.step_link(matching[-1]) if matching else None

    def step_link(self, record: Record) -> Link:
        known = {r.address: r for r in self.chain.records}
        below = [self.step_link(known[a]) for _, a in sorted(record.inputs.items()) if a in known]
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
