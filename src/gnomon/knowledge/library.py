"""The library: what a reader searches.

A search asks the words of the full-text index, the vectors, or both and fuses the two rankings; the
passages it returns carry their text and the span it stands at. Text comes from the version that the
expert names. Vectors may still be filling up: then the newest rows are used, and a vector whose
passage is not in the text's version is passed over.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gnomon.core.errors import ConfigError, NotFound
from gnomon.core.protocols import Filters, Hit
from gnomon.core.records import Chunk, Document, Expert, Span
from gnomon.core.tables import from_row
from gnomon.core.wording import say
from gnomon.knowledge.analysis import Words, language_of, query_words
from gnomon.knowledge.factsheet import FactSheet
from gnomon.knowledge.filters import where
from gnomon.knowledge.fusion import fuse
from gnomon.knowledge.opening import Rooms, StepRooms, open_table
from gnomon.knowledge.vectorside import VectorSide
from gnomon.runs import Record, Workspace
from gnomon.runs.experts import part
from gnomon.runs.output import Output

MODES = ("hybrid", "text", "vector")
MAX_RESULTS = 1_000
CANDIDATES = 200
PAIRS_WEIGHT = 0.5
COLUMNS = ("chunk_id", "doc_id", "text_hash", "start", "end", "heading", "title", "year", "lang", "text")
NO_FILTERS = Filters()
Ranked = list[tuple[str, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """What a search found, before it is read."""

    ranked: Ranked
    """Ids of passages and their scores, best first; some may not be in this version of the text."""
    text: int
    """How many of them words found."""
    vectors: int
    """How many of them vectors found."""


class Library:
    """A ``Retriever`` over one expert's index and vectors.

    Args:
        workspace: Where they are.
        index: The record of the full-text index.
        sides: The vectors, one for each embedder.
    """

    def __init__(self, workspace: Rooms, index: Record, sides: Sequence[VectorSide] = ()) -> None:
        self.workspace, self.index, self.sides = workspace, index, tuple(sides)
        self._uses = {use.key.rsplit("/", 1)[-1]: use for use in index.stores}

    @staticmethod
    def open(workspace: Workspace, expert: Expert) -> "Library":
        """The library of an expert, with whatever vectors there are already.

        Every part whose role begins with ``vectors`` is one embedder's side.

        Raises:
            NotFound: The expert has no index, or it is not made.
        """
        address = part(expert, "index")
        record = workspace.record(address)
        if record is None:
            raise NotFound(
                say(f"The index {address} of expert {expert.name!r} is not made.",
                    f"エキスパート {expert.name!r} の索引 {address} はまだできていない。"),
                say("Run its recipe again.", "レシピをもう一度実行する。"),
            )  # fmt: skip
        roles = [(role, place) for role, place in expert.parts if role.startswith("vectors")]
        return Library(workspace, record, [VectorSide(workspace, place) for _, place in sorted(roles)])

    @staticmethod
    def within(out: Output) -> "Library":
        """The library of a running step: its inputs ``index`` and ``vectors…``, for exams and judges that search.

        Raises:
            ConfigError: The step has no index.
        """
        rooms = StepRooms(out)
        if "index" not in out.records:
            raise ConfigError("The step has no input 'index'.", "Give it the knowledge/index step of a library.")
        sides = [VectorSide(rooms, r.address) for name, r in sorted(out.records.items()) if name.startswith("vectors")]
        return Library(rooms, out.records["index"], sides)

    # Searching --------------------------------------------------------------------------------

    def search(self, query: str, *, k: int = 10, mode: str = "hybrid", filters: Filters = NO_FILTERS) -> list[Hit]:
        """The k best passages, best first.

        Args:
            query: Any text; its first 2,000 characters count.
            k: How many, at most 1,000.
            mode: ``hybrid``, ``text`` or ``vector``. Hybrid is text alone where there are no vectors to ask.
            filters: What the search is limited to.

        Raises:
            ConfigError: The mode is unknown, ``k`` is not positive, or a filter is too long.
        """
        k = min(k, MAX_RESULTS)
        depth = max(CANDIDATES, k) if mode != "text" and k > 0 else k
        ranking = self.rank(query, depth=depth, mode=mode, filters=filters)
        return self.hits(ranking.ranked, k)

    def rank(
        self, query: str, *, depth: int = CANDIDATES, mode: str = "hybrid", filters: Filters = NO_FILTERS
    ) -> Ranking:
        """Ids of the best passages, before anything of them is read.

        Args:
            query: Any text; its first 2,000 characters count.
            depth: How many passages words and vectors each give.
            mode: ``hybrid``, ``text`` or ``vector``.
            filters: What the search is limited to.

        Raises:
            ConfigError: The mode is unknown, ``depth`` is not positive, or a filter is too long.
        """
        if mode not in MODES or depth < 1:
            raise ConfigError(
                say(f"search: mode = {mode!r}, k = {depth}.", f"検索: mode = {mode!r}, k = {depth}。"),
                say(f"Modes are {', '.join(MODES)}; k is at least 1.", f"mode は {', '.join(MODES)}、k は 1 以上。"),
            )
        condition, words = where(filters), query_words(query)
        text = [] if mode == "vector" else self._text(words, depth, condition)
        if mode == "text":
            return Ranking(ranked=text, text=len(text), vectors=0)
        rankings = list(self._vector(words, depth, condition))
        vectors = max((len(ranked) for _, ranked in rankings), default=0)
        if mode == "hybrid":
            rankings.append((max(0.0, 1.0 - sum(weight for weight, _ in rankings)), text))
        return Ranking(ranked=fuse(rankings), text=len(text), vectors=vectors)

    def _text(self, words: Words, k: int, condition: str) -> Ranked:
        """BM25 over the columns of the query's kind, filled up from the others."""
        first, second = (self._japanese, self._spaced) if words.is_japanese else (self._spaced, self._japanese)
        found = first(words, k, condition)
        if len(found) < k:
            least, known = found[-1][1] if found else 1.0, {key for key, _ in found}
            more = [(key, score) for key, score in second(words, k, condition) if key not in known][: k - len(found)]
            top = more[0][1] if more else 1.0
            found += [(key, least * score / top * 0.99) for key, score in more]
        return found

    def _spaced(self, words: Words, k: int, condition: str) -> Ranked:
        from lancedb.query import MatchQuery

        return self._match(MatchQuery(words.spaced, "en"), k, condition) if words.spaced else []

    def _japanese(self, words: Words, k: int, condition: str) -> Ranked:
        from lancedb.query import BooleanQuery, MatchQuery, Occur

        if not words.japanese:
            return []
        whole, cut = MatchQuery(words.japanese, "ja"), MatchQuery(words.pairs, "ja_pairs", boost=PAIRS_WEIGHT)
        return self._match(BooleanQuery([(Occur.SHOULD, whole), (Occur.SHOULD, cut)]), k, condition)

    def _match(self, query: Any, k: int, condition: str) -> Ranked:
        asked = self._passages.search(query).select(["chunk_id", "_score"]).limit(k)
        rows = (asked.where(condition, prefilter=True) if condition else asked).to_arrow()
        ranked = zip(rows["chunk_id"].to_pylist(), rows["_score"].to_pylist(), strict=True)
        return sorted(((key, float(score)) for key, score in ranked), key=lambda pair: (-pair[1], pair[0]))

    def _vector(self, words: Words, k: int, condition: str) -> Iterator[tuple[float, Ranked]]:
        asked = words.japanese if words.is_japanese else words.spaced
        if asked:
            lang = language_of(asked)
            reading = [side for side in self.sides if side.reads(lang)]
            yield from ((side.weight, side.search(asked, k, condition)) for side in reading)

    def hits(self, ranked: Ranked, k: int = MAX_RESULTS) -> list[Hit]:
        """The first k of a ranking that are in this version of the text, with their words."""
        hits: list[Hit] = []
        for at in range(0, len(ranked), k):
            part_ = ranked[at : at + k]
            rows = self._rows([key for key, _ in part_])
            hits += [_hit(rows[key], score) for key, score in part_ if key in rows]
            if len(hits) >= k:
                break
        return hits[:k]

    # Reading ----------------------------------------------------------------------------------

    def document(self, doc_id: str) -> Document:
        """One document, with exactly the text that spans of hits point into.

        Raises:
            NotFound: The library has no such document.
        """
        found = self.documents([doc_id])
        if not found:
            raise _unknown(doc_id)
        return found[doc_id]

    def documents(self, doc_ids: Iterable[str]) -> dict[str, Document]:
        """Documents by id, in the order asked for; ids that are not in the library are left out."""
        ids = list(dict.fromkeys(doc_ids))
        rows = self._sheet.read(ids, ["doc_id", "record"])
        return {key: from_row(Document, _record(rows[key])) for key in ids if key in rows}

    def chunk(self, chunk_id: str) -> Chunk:
        """One chunk.

        Raises:
            NotFound: The library has no such chunk.
        """
        rows = self._rows([chunk_id])
        if not rows:
            raise _unknown(chunk_id)
        row = rows[chunk_id]
        return Chunk(id=chunk_id, span=_span(row), heading=tuple(row["heading"] or ()))

    def stats(self) -> dict[str, Any]:
        """How much there is: documents, passages, and for each embedder the vectors made, of how many."""
        return {
            "documents": self._uses["documents"].rows,
            "passages": self._uses["passages"].rows,
            "vectors": [side.stats() for side in self.sides],
        }

    def _rows(self, chunk_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self.facts.read(chunk_ids, COLUMNS)

    @cached_property
    def facts(self) -> FactSheet:
        """The facts of its passages, without their texts."""
        return FactSheet(self._passages, self._uses["passages"].rows)

    @cached_property
    def _sheet(self) -> FactSheet:
        """Where its documents stand."""
        return FactSheet(self._documents, self._uses["documents"].rows, ("doc_id",))

    @cached_property
    def _passages(self) -> Any:
        return self._open("passages")

    @cached_property
    def _documents(self) -> Any:
        return self._open("documents")

    def _open(self, name: str) -> Any:
        use = self._uses[name]
        table = open_table(self.workspace.place(use.key), use.tag)
        if table is None:
            raise NotFound(
                say(f"The store {use.key} of {self.index.address} is gone.",
                    f"{self.index.address} のストア {use.key} がない。"),
                say("Run `gnomon verify`, then the recipe again.", "`gnomon verify` の後、レシピを再実行する。"),
            )  # fmt: skip
        return table


def _record(row: Mapping[str, Any]) -> Any:
    return json.loads(row["record"])


def _span(row: Mapping[str, Any]) -> Span:
    return Span(doc_id=row["doc_id"], text_hash=row["text_hash"], start=row["start"], end=row["end"])


def _hit(row: Mapping[str, Any], score: float) -> Hit:
    return Hit(
        chunk_id=row["chunk_id"], doc_id=row["doc_id"], score=score, text=row["text"], span=_span(row),
        title=row["title"], year=row["year"], lang=row["lang"],
    )  # fmt: skip


def _unknown(key: str) -> NotFound:
    return NotFound(
        say(f"The library has nothing with the id {key[:200]!r}.", f"ライブラリに {key[:200]!r} という ID はない。"),
        say("Ids are shown by `gnomon search`.", "ID は `gnomon search` で表示される。"),
    )
