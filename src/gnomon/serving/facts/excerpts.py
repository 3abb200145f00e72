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
Range = tuple[int, int]
_stem = lru_cache(maxsize=50_000)(stem)


def marks(text: str, query: str) -> list[Range]:
    """Where a text has the telling words of a query, in order, those that touch joined.

    Args:
        text: Any text.
        query: Any text; nothing is marked for one without telling words.
    """
    wanted = telling_terms(query)
    found: list[Range] = []
    for start, end in _found(text, wanted) if wanted else ():
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _found(text: str, wanted: frozenset[str]) -> Iterator[Range]:
    for match in _RUN.finditer(text):
        run, at = match.group().casefold(), match.start()
        if "\u3005" <= run[0] <= "\u9fff":
            width = min(2, len(run))
            for i in range(len(run) - width + 1):
                if run[i : i + width] in wanted:
                    yield at + i, at + i + width
        elif _stem(run) in wanted:
            yield at, match.end()


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
