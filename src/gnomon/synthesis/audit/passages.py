"""Passages: the words around a pair's quotes, cut between words, with the quotes marked."""

from collections.abc import Mapping, Sequence

from gnomon.core.records import Document
from gnomon.core.synthetic import Evidence

Run = tuple[str, bool]
"""Some text, and whether it is quoted."""
ELLIPSIS = "…"
_LOOK = 80
"""Characters within which a better place to cut is looked for."""
_ENDS = "。！？\n"


def passages(evidence: Sequence[Evidence], documents: Mapping[str, Document], around: int) -> list[list[Run]]:
    """The passages a pair rests on, in the order of their documents' first quote; near ones are one passage.

    Args:
        evidence: Of the pair. What points into another version of a text, or a document that is not here, has none.
        documents: By id.
        around: Characters before and after a quote.
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for one in evidence:
        document = documents.get(one.span.doc_id)
        if document is not None and document.text_hash == one.span.text_hash:
            places.setdefault(document.id, []).append((one.span.start, one.span.end))
    found: list[list[Run]] = []
    for doc_id, spans in places.items():
        text = documents[doc_id].text
        for group in _grouped(_merged(spans), around):
            found.append(_runs(text, group, around))
    return found


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _grouped(spans: list[tuple[int, int]], around: int) -> list[list[tuple[int, int]]]:
    """Spans whose surroundings meet are shown together."""
    groups: list[list[tuple[int, int]]] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] <= 2 * around:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _runs(text: str, spans: list[tuple[int, int]], around: int) -> list[Run]:
    start, end = _cut_before(text, spans[0][0], around), _cut_after(text, spans[-1][1], around)
    runs: list[Run] = [(ELLIPSIS, False)] if start else []
    at = start
    for first, last in spans:
        runs += [(text[at:first], False), (text[first:last], True)]
        at = last
    runs += [(text[at:end], False), (ELLIPSIS if end < len(text) else "", False)]
    return [run for run in runs if run[0]]


def _cut_before(text: str, at: int, around: int) -> int:
    start = max(0, at - around)
    if not start:
        return 0
    look = text[start : min(start + _LOOK, at)]
    place = next((i + 1 for i, c in enumerate(look) if c.isspace() or c in _ENDS), 0)
    return start + place


def _cut_after(text: str, at: int, around: int) -> int:
    end = min(len(text), at + around)
    if end == len(text):
        return end
    look = text[max(end - _LOOK, at) : end]
    place = next((i for i in range(len(look) - 1, -1, -1) if look[i].isspace() or look[i] in _ENDS), len(look) - 1)
    return end - len(look) + place + 1
