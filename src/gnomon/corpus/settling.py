"""Settling: one draft or fault becomes a document with its marks, or a drop with its reason."""

from gnomon.core.hashing import canonical_json
from gnomon.core.records import Document, Drop, Mark, Source
from gnomon.corpus.catalogue import DESCRIBED, Catalogue
from gnomon.corpus.ids import arxiv_id_of_file, document_id
from gnomon.corpus.jobs import Found, Job
from gnomon.corpus.readers.draft import EXCERPT, Draft, Fault
from gnomon.corpus.readers.formats import stem
from gnomon.corpus.works import Works


class Settling:
    """What the whole set knows while its records are settled one by one."""

    def __init__(self, licence: str, catalogue: Catalogue, works: Works) -> None:
        self.licence, self.catalogue, self.works = licence, catalogue, works

    def one(self, item: Found) -> tuple[Document, list[Mark]] | Drop:
        """The document and marks of a record, or why it is left out."""
        name, draft = item.job.entry.name, item.draft
        where = f"{name}#{item.number}" if item.job.many else name
        claimed = self.works.claimed(item.job.number, item.number)
        if claimed and item.job.many:
            return Drop(doc_id=f"file:{where}", reason="same_work", detail=f"describes {claimed}")
        if isinstance(draft, Fault):
            place = name if draft.whole else where
            return Drop(doc_id=f"file:{place}", reason=draft.reason, detail=draft.detail, excerpt=draft.excerpt)
        head = str(draft.marks.get("pdf/head", ""))
        entry = None
        if draft.kind in DESCRIBED and not item.job.many:
            draft, entry = self.catalogue.described(draft, name)
        twin = self.works.twin(name, head) if draft.kind == "pdf" else ""
        settled = _same_paper(twin, where, draft) if twin else self._document(draft, where, item.job)
        if entry is not None and not isinstance(settled, Drop):
            self.works.claim(*entry.place, settled[0].id)
        return settled

    def _document(self, draft: Draft, where: str, job: Job) -> tuple[Document, list[Mark]] | Drop:
        wanted = document_id(draft.own_id or _file_id(job, where))
        document = _built(draft, wanted, where, job, self.licence)
        settled, reason = self.works.settle(document)
        if reason:
            return Drop(doc_id=f"file:{where}", reason=reason, detail=settled, excerpt=draft.text[:EXCERPT])
        marks = {**draft.marks, **{f"column/{name}": value for name, value in draft.columns.items()}}
        if settled != wanted:
            document = _built(draft, settled, where, job, self.licence)
            marks["read/id"] = wanted
        return document, [Mark(doc_id=settled, name=n, value=canonical_json(v)) for n, v in marks.items()]


def _same_paper(twin: str, where: str, draft: Draft) -> Drop:
    detail = f"the PDF of {twin}, whose LaTeX is read"
    return Drop(doc_id=f"file:{where}", reason="same_work", detail=detail, excerpt=draft.text[:EXCERPT])


def _file_id(job: Job, where: str) -> str:
    return where if job.many else arxiv_id_of_file(stem(job.entry.name)) or where


def _built(draft: Draft, identifier: str, where: str, job: Job, licence: str) -> Document:
    source = Source(
        kind=draft.kind, key=where, sha256=job.entry.sha256, url=draft.url,
        licence=draft.licence or licence, retrieved=draft.retrieved,
    )  # fmt: skip
    return Document(
        id=identifier, title=draft.title, text=draft.text, lang=draft.lang, source=source,
        biblio=draft.biblio, sections=draft.sections, references=draft.references,
    )  # fmt: skip
