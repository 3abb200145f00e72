"""The reader of a trace index: count, find, attribute, next words.

``attribute`` is OLMoTrace's method (arXiv 2504.07096): maximal verbatim spans on word borders and
within one sentence, the K = 0.05 L with the lowest unigram probability, at most ten documents
each, ranked by BM25 against the whole text.
"""

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from gnomon.core.errors import CorruptArtifact, NotFound
from gnomon.core.files import read_json
from gnomon.core.records import Span
from gnomon.knowledge.tracing.codes import Vocabulary, units_of
from gnomon.knowledge.tracing.following import following_words
from gnomon.knowledge.tracing.ranking import Ranking
from gnomon.knowledge.tracing.results import NextWord, TraceDocument, TraceResult, TraceSpan
from gnomon.knowledge.tracing.table import UNIT, Shard
from gnomon.knowledge.tracing.words import Forms, Word, may_cut, sentence_runs, weight, words

FORMAT = 1
LONGEST_SPAN = 1_000
"""Words after which a sentence without end is cut before it is traced."""
MIN_WORDS = 6.0
"""Shortest stretch that counts as a trace, in words."""
_CANDIDATES = 10
"""Occurrences looked at for every document listed."""
_LISTED = 1_000
"""Occurrences that ``find`` looks at for every document wanted."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Neighbouring words of one sentence that are all in the corpus."""

    first: int
    """The first word."""
    last: int
    """One past the last."""
    units: bytes
    """The words as units."""
    ends: tuple[int, ...]
    """Bytes of ``units`` before every word, and after the last."""


class Trace:
    """An open trace index.

    Args:
        folder: The artifact of a ``knowledge/trace`` step.

    Raises:
        NotFound: There is no trace index in this folder.
        CorruptArtifact: It was written by another version of the format.
    """

    def __init__(self, folder: Path) -> None:
        described = folder / "trace.json"
        if not described.is_file():
            raise NotFound(f"There is no trace index in {folder}.", "Build one: gnomon build, or gnomon run RECIPE.")
        facts = read_json(described)
        if facts.get("format") != FORMAT:
            raise CorruptArtifact(f"{described} has format {facts.get('format')}, wanted {FORMAT}.", "Build it again.")
        self.documents: int = facts["documents"]
        """Documents in the index."""
        self.total: int = facts["words"]
        """Words in the index."""
        self._forms = Forms(fold_case=facts["fold_case"])
        self._vocabulary = Vocabulary(folder / "vocabulary")
        self._shards = [Shard(folder, number) for number in range(facts["shards"])]

    @classmethod
    def open(cls, folder: Path) -> "Trace":
        """Open the index in a folder."""
        return cls(folder)

    def count(self, text: str) -> int:
        """How often a phrase occurs, in whole words; 0 for a text without any."""
        phrase = self._units(words(text, self._forms))
        return sum(high - low for _, low, high in self._ranges(phrase)) if phrase else 0

    def find(self, text: str, limit: int = 10) -> tuple[TraceDocument, ...]:
        """The first ``limit`` documents that hold a phrase, in corpus order, each with its first place.

        Of a phrase with very many occurrences only a regular sample is looked at.
        """
        phrase = self._units(words(text, self._forms))
        if not phrase:
            return ()
        found = self._occurrences(phrase, limit * _LISTED)
        return tuple(document for _, _, document in self._firsts(found, len(phrase) // UNIT, limit))

    def next_words(self, phrase: str, k: int = 10) -> tuple[NextWord, ...]:
        """The k words that most often follow a phrase, with exact counts; of an empty phrase, the commonest."""
        found = words(phrase, self._forms)
        units = self._units(found)
        if units is None:
            return ()
        counts, total = following_words(self._vocabulary, list(self._ranges(units)), len(units) // UNIT)
        best = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:k]
        return tuple(NextWord(word=word, count=count, probability=count / total) for word, count in best)

    def attribute(
        self, text: str, *, density: float = 0.05, min_words: float = MIN_WORDS, documents: int = 10
    ) -> TraceResult:
        """Trace a text.

        Args:
            text: Any text.
            density: Spans listed for every word of the text (OLMoTrace's K = 0.05 L).
            min_words: Shortest stretch that counts, in words; a text that is itself shorter counts when it
                stands in the corpus as a whole.
            documents: Documents listed for a span, at most.
        """
        found = words(text, self._forms)
        least = min(min_words, sum(weight(word.form) for word in found))
        stretches = [
            (i, j) for i, j in self._maximal(text, found) if sum(weight(w.form) for w in found[i:j]) >= max(least, 0.5)
        ]
        rarest = sorted(stretches, key=lambda s: (self._log_probability(found[s[0] : s[1]]), s))
        kept = rarest[: math.ceil(density * len(found))]
        ranking = Ranking(self._vocabulary, self.documents, self._known(found))
        return TraceResult(
            text=text, words=len(found), min_words=least, coverage=_coverage(found, stretches),
            stretches=tuple((found[i].start, found[j - 1].end) for i, j in stretches),
            spans=tuple(self._span(text, found[i:j], ranking, documents) for i, j in kept),
        )  # fmt: skip

    def _span(self, text: str, found: Sequence[Word], ranking: Ranking, documents: int) -> TraceSpan:
        phrase = self._units(found) or b""
        occurrences = self._occurrences(phrase, documents * _CANDIDATES)
        candidates = list(self._firsts(occurrences, len(phrase) // UNIT, documents * _CANDIDATES))
        scored = [(-ranking.score(shard, place), n) for n, (shard, place, _) in enumerate(candidates)]
        best = [(candidates[n][2], -score) for score, n in sorted(scored)[:documents]]
        start, end = found[0].start, found[-1].end
        return TraceSpan(
            start=start, end=end, text=text[start:end], log_probability=self._log_probability(found),
            count=sum(high - low for _, low, high in self._ranges(phrase)),
            documents=tuple(TraceDocument(doc_id=d.doc_id, span=d.span, score=score) for d, score in best),
        )  # fmt: skip

    def _maximal(self, text: str, found: list[Word]) -> Iterator[tuple[int, int]]:
        """Maximal runs of words that occur, on borders, within a sentence, in order.

        The run from a word ends no earlier than the run from the word before it, so a run is
        contained in another exactly when it does not end later.
        """
        for piece in self._pieces(text, found):
            reached = piece.first
            for first in range(piece.first, piece.last):
                if _cuts(found, first):
                    last = self._reach(found, piece, first)
                    if last > max(reached, first):
                        yield first, last
                        reached = last

    def _reach(self, found: list[Word], piece: _Piece, first: int) -> int:
        """One past the last word of the longest run from ``first`` that occurs and ends on a border."""
        before = piece.ends[first - piece.first]
        rest = piece.units[before:]
        size = max((shard.longest(rest) for shard in self._shards), default=0)
        last = piece.first + bisect_right(piece.ends, before + size) - 1
        while last > first and not _cuts(found, last):
            last -= 1
        return last

    def _pieces(self, text: str, found: list[Word]) -> Iterator[_Piece]:
        """Runs of words of one sentence that are all in the vocabulary."""
        for first, last in sentence_runs(text, found, LONGEST_SPAN):
            known = [n for n in range(first, last) if self._vocabulary.find(found[n].form) is not None]
            borders = [0, *(n for n, (a, b) in enumerate(pairwise(known), 1) if b > a + 1), len(known)]
            for a, b in pairwise(borders):
                if a < b:
                    units = [self._units([found[n]]) or b"" for n in known[a:b]]
                    ends = tuple(accumulate(map(len, units), initial=0))
                    yield _Piece(known[a], known[b - 1] + 1, b"".join(units), ends)

    def _units(self, found: Sequence[Word]) -> bytes | None:
        """Some words as units; None when the corpus lacks one of them."""
        ids = [self._vocabulary.find(word.form) for word in found]
        known = [word for word in ids if word is not None]
        return units_of(known) if len(known) == len(ids) else None

    def _known(self, found: Iterable[Word]) -> list[int]:
        ids = (self._vocabulary.find(word.form) for word in found)
        return [word for word in ids if word is not None]

    def _log_probability(self, found: Sequence[Word]) -> float:
        return math.fsum(math.log(int(self._vocabulary.counts[word]) / self.total) for word in self._known(found))

    def _ranges(self, phrase: bytes) -> Iterator[tuple[Shard, int, int]]:
        for shard in self._shards:
            yield shard, *shard.range(phrase)

    def _occurrences(self, phrase: bytes, most: int) -> list[tuple[Shard, int]]:
        """Places of a phrase in corpus order: all of them, or a regular sample of about ``most``."""
        ranges = list(self._ranges(phrase))
        step = max(1, -(-sum(high - low for _, low, high in ranges) // most))
        return [
            (shard, place) for shard, low, high in ranges for place in sorted(shard.places(low, high, step).tolist())
        ]

    def _firsts(
        self, occurrences: list[tuple[Shard, int]], units: int, limit: int
    ) -> Iterator[tuple[Shard, int, TraceDocument]]:
        """The first occurrence in each of at most ``limit`` documents."""
        seen: set[tuple[int, int]] = set()
        for shard, place in occurrences:
            key = (id(shard), shard.document_of(place))
            if key not in seen and len(seen) < limit:
                seen.add(key)
                yield shard, place, _document(shard, key[1], place, units)


def _document(shard: Shard, number: int, place: int, units: int) -> TraceDocument:
    facts = json.loads(shard.metadata(number))["metadata"]
    start, last = int(shard.starts[place]), place + units - 1
    end = int(shard.starts[last]) + int(shard.lengths[last])
    return TraceDocument(
        doc_id=facts["id"], span=Span(doc_id=facts["id"], text_hash=facts["hash"], start=start, end=end)
    )


def _cuts(found: Sequence[Word], place: int) -> bool:
    """Whether a span may begin or end before word ``place``."""
    if place in {0, len(found)} or found[place - 1].end < found[place].start:
        return True
    return may_cut(found[place - 1].form, found[place].form)


def _coverage(found: Sequence[Word], stretches: Sequence[tuple[int, int]]) -> float:
    inside = {n for i, j in stretches for n in range(i, j)}
    total = sum(word.end - word.start for word in found)
    return sum(found[n].end - found[n].start for n in inside) / total if total else 0.0
