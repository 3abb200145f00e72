"""Excerpts: the part of a passage that says most about a query, and where in it the query's words stand.

Words are compared as questions are (``research.asked``): stems in English, pairs of kanji or katakana in Japanese, so
that a mark stands where the search saw a word, and never on what every sentence has.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from gnomon.core.text import sentences, unspaced_share
from gnomon.research.asked import stem, telling_terms

SHOWN, SHOWN_UNSPACED = 340, 170
"""Characters of an excerpt, and of one in a script without spaces, which says as much in half of them."""
_RUN = re.compile("[\u3005\u4e00-\u9fff]+|[ァ-ヺー]+|\\d+(?:[.,]\\d+)*|[^\\W_\u3005-\u3007\u3040-\u30ff\u3400-\u9fff]+")
_UNSPACED = re.compile("[\u3005-\u9fff]")
Range = tuple[int, int]
Pattern = re.Pattern[str]
_stem = lru_cache(maxsize=50_000)(stem)


def marks(text: str, query: str) -> list[Range]:
    """Where a text has the telling words of a query, in order, those that touch joined.

    Args:
        text: Any text.
        query: Any text; nothing is marked for one without telling words.
    """
    found: list[Range] = []
    for start, end in sorted(_found(text, query)):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _found(text: str, query: str) -> Iterator[Range]:
    wanted, beginnings, unspaced = _looked_for(query)
    for match in beginnings.finditer(text) if beginnings else ():
        run = _RUN.match(text, match.start())
        if run is not None and _stem(run.group().casefold()) in wanted:
            yield run.span()
    for match in unspaced.finditer(text) if unspaced else ():
        yield match.span(1)


@lru_cache(maxsize=512)
def _looked_for(query: str) -> tuple[frozenset[str], Pattern | None, Pattern | None]:
    """The telling terms of a query; what their words begin with; those of scripts without spaces.

    A whole text is looked through at once for the beginnings, and only what has one is read as a word.
    """
    wanted = telling_terms(query)
    spaced = [term for term in wanted if not _UNSPACED.match(term)]
    beginnings = "|".join(re.escape(term[: max(2, len(term) - 1)] if term.isalpha() else term) for term in spaced)
    unspaced = "|".join(re.escape(term) for term in wanted if _UNSPACED.match(term))
    return (
        wanted, re.compile(f"(?<![A-Za-z0-9\u00c0-\u024f])(?:{beginnings})", re.IGNORECASE) if spaced else None,
        re.compile(f"(?=({unspaced}))") if unspaced else None,
    )  # fmt: skip


def window(text: str, places: Sequence[Range]) -> Range:
    """The part of a passage to show: whole sentences from where most of the query's words are near each other.

    Args:
        text: The passage.
        places: Its marks.
    """
    shown = SHOWN_UNSPACED if unspaced_share(text) > 0.3 else SHOWN
    if len(text) <= shown:
        return 0, len(text)
    parts = sentences(text)
    ends = [end for _, end in parts]
    best = (0, 0, _cut(text, 0, ends, shown))
    for start, _ in parts if places else ():
        end = _cut(text, start, ends, shown)
        best = max(best, (_within(places, start, end), start, end))
    return best[1:]


def _cut(text: str, start: int, ends: Sequence[int], shown: int) -> int:
    """Where an excerpt ends: after its last whole sentence, or between words where that would leave little of it."""
    limit = start + shown
    if limit >= len(text):
        return len(text)
    last = bisect_left(ends, limit + 1) - 1
    if last >= 0 and ends[last] - start >= shown // 2:
        return ends[last]
    space = text.rfind(" ", start + shown // 2, limit)
    return space if space > 0 else limit


def _within(places: Sequence[Range], start: int, end: int) -> int:
    return bisect_left(places, (end, 0)) - bisect_left(places, (start, 0))
