"""The step ``corpus/clean``: mended texts with a language, and a reason for each text left out.

Works on Arrow batches and touches only the columns it changes. A document's verdict depends on
its own strings and the settings alone, so verdicts are cached: of a changed source only the
changed documents are judged again. Memory holds one batch.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import canonical_json, combined_hash, file_sha256, text_hash
from gnomon.core.records import Document, Drop, Mark, Section
from gnomon.core.tables import TableWriter, arrow_schema, count_rows, parquet_files, read_batches
from gnomon.corpus.cleaning import rules
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.cleaning.effects import EXCERPT, Effects, merged
from gnomon.corpus.cleaning.verdict import Draft, Verdict, judge
from gnomon.corpus.shards import carry_marks, merge_drops, shard_drops
from gnomon.runs.cache import Cache
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

__all__ = ["CleanConfig", "run"]

_COLUMNS = ("title", "text", "lang", "sections", "text_hash")
"""The columns of a document that cleaning may change."""


def run(config: CleanConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Clean every document of ``inputs["documents"]``.

    Raises:
        ConfigError: The config switches off a rule that does not exist.
    """
    unknown = sorted(set(config.off) - set(rules.NAMES))
    if unknown:
        raise ConfigError(f"clean: there is no rule {unknown[0]!r} to switch off.", f"Rules: {', '.join(rules.NAMES)}.")
    folder = inputs["documents"] / "documents"
    files = {file.stem: file for file in parquet_files(folder)}
    out.meter.total(sum(map(count_rows, files.values())), "documents")
    manner = combined_hash((canonical_json(config), _code_hash()))
    with out.cache() as cache:
        for key in out.pending(list(files)):
            shard = _Shard(config=config, cache=cache, manner=manner)
            marks = inputs["documents"] / "marks" / f"{key}.parquet"
            counts = shard.clean(files[key], marks, key, out)
            out.done(key, counts, note={"effects": shard.effects.to_note(), "outdated": shard.outdated})
    notes = out.notes(list(files))
    out.metrics["rules"] = merged(note["effects"] for note in notes)
    out.metrics["marks_outdated"] = sum(note["outdated"] for note in notes)
    merge_drops(out, list(files))
    return out.counts(list(files))


def _code_hash() -> str:
    """Hash of the code that judges, so that no verdict outlives a change of it."""
    return combined_hash(map(file_sha256, sorted(Path(rules.__file__).parent.rglob("*.py"))))


@dataclass(kw_only=True)
class _Shard:
    """The cleaning of one input file."""

    config: CleanConfig
    """The settings."""
    cache: Cache
    """Verdicts of earlier runs."""
    manner: str
    """Hash of every setting and of the cleaning code: verdicts of another manner are not looked at."""
    effects: Effects = field(default_factory=Effects)
    """What was done so far."""
    outdated: int = 0
    """Marks left out because their spans point into a text that was changed."""

    def clean(self, file: Path, marks: Path, key: str, out: Output) -> Counts:
        taken, kept, changed, dropped = 0, set[str](), set[str](), Counter[str]()
        own_marks: list[Mark] = []
        with TableWriter(out.path / "documents" / file.name, Document) as documents, shard_drops(out, key) as drops:
            for batch in read_batches(file, arrow_schema(Document).names):
                drafts = list(_drafts(batch))
                verdicts = self._verdicts(drafts)
                documents.write_batch(_rewritten(batch, drafts, verdicts))
                ids = batch.column("id").to_pylist()
                for doc_id, draft, verdict in zip(ids, drafts, verdicts, strict=True):
                    self._note_changes(doc_id, verdict)
                    if verdict.reason:
                        dropped[verdict.reason] += 1
                        drops.write(self._drop(doc_id, draft, verdict))
                    else:
                        kept.add(doc_id)
                        changed.update((doc_id,) if verdict.text is not None else ())
                        value = json.dumps(verdict.confidence)
                        own_marks.append(Mark(doc_id=doc_id, name="clean/lang_confidence", value=value))
                taken += batch.num_rows
                out.meter.advance(batch.num_rows)
            kept_rows = documents.rows
        target = out.path / "marks" / f"{key}.parquet"
        self.outdated = carry_marks(marks, target, kept, added=own_marks, changed=frozenset(changed))
        return Counts(taken=taken, kept=kept_rows, dropped=dict(sorted(dropped.items())))

    def _verdicts(self, drafts: Sequence[Draft]) -> list[Verdict]:
        keys = [combined_hash((draft.key, self.manner)) for draft in drafts]
        known = {key: Verdict.from_bytes(value) for key, value in self.cache.get_many(keys).items()}
        fresh: dict[str, Verdict] = {}
        for key, draft in zip(keys, drafts, strict=True):
            if key not in known and key not in fresh:
                fresh[key] = judge(draft, self.config)
        self.cache.put_many((key, verdict.to_bytes()) for key, verdict in fresh.items())
        known |= fresh
        return [known[key] for key in keys]

    def _note_changes(self, doc_id: str, verdict: Verdict) -> None:
        for change in verdict.changes:
            detail = f"{change.before} → {change.after}"
            self.effects.add(change.name, "change", {"doc_id": doc_id, "detail": detail, "excerpt": change.after})

    def _drop(self, doc_id: str, draft: Draft, verdict: Verdict) -> Drop:
        excerpt = (draft.text if verdict.text is None else verdict.text)[:EXCERPT]
        self.effects.add(verdict.reason, "drop", {"doc_id": doc_id, "detail": verdict.detail, "excerpt": excerpt})
        return Drop(doc_id=doc_id, reason=verdict.reason, detail=verdict.detail, excerpt=excerpt)


def _drafts(batch: pa.RecordBatch) -> Iterator[Draft]:
    columns = [batch.column(name).to_pylist() for name in ("title", "text", "text_hash", "lang", "sections", "source")]
    for title, text, hashed, lang, sections, source in zip(*columns, strict=True):
        yield Draft(
            title=title or "", text=text or "", text_hash=hashed, lang=lang or "und", kind=source["kind"],
            sections=tuple(Section(**row) for row in sections or ()),
        )  # fmt: skip


def _rewritten(batch: pa.RecordBatch, drafts: Sequence[Draft], verdicts: Sequence[Verdict]) -> pa.RecordBatch:
    """The kept rows of a batch with their changed columns; all other columns stay as they are."""
    kept = [i for i, verdict in enumerate(verdicts) if not verdict.reason]
    rows = [_row(drafts[i], verdicts[i]) for i in kept]
    schema = arrow_schema(Document)
    left = batch.select(schema.names).take(pa.array(kept, pa.int64()))
    arrays = [
        pa.array([row[name] for row in rows], schema.field(name).type) if name in _COLUMNS else left.column(name)
        for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _row(draft: Draft, verdict: Verdict) -> dict[str, Any]:
    text = draft.text if verdict.text is None else verdict.text
    sections = [{"title": s.title, "level": s.level, "start": s.start, "end": s.end} for s in verdict.sections]
    return {
        "title": draft.title if verdict.title is None else verdict.title, "text": text, "lang": verdict.lang,
        "sections": sections, "text_hash": draft.text_hash if verdict.text is None else text_hash(text),
    }  # fmt: skip
