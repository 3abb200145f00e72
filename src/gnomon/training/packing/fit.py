"""Fit: which pieces share a row.

*Best fit* (Ding et al. 2024, "Fewer Truncations Improve Language Modeling", arXiv 2404.10830): pieces
from the longest to the shortest, each into the fullest row that still holds it. No document is cut that
fits into a row. *Stream* is the old way, one document after another, cut wherever a row ends; it is here
to be compared with.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Pieces in rows, in order of row and of place in the row; all arrays of one length."""

    item: Ints
    """Index of the piece (best fit) or document (stream) that was given."""
    row: Ints
    """Its row, from 0."""
    offset: Ints
    """Its place in the row."""
    start: Ints
    """Its first new token, counted from the first new token of what was given."""
    new: Ints
    """Its new tokens."""
    context: Ints
    """1 when the token before stands in front of it, else 0."""
    rows: int
    """Number of rows."""


def best_fit(stored: Ints, context: Ints, width: int) -> Layout:
    """Put each piece whole into a row.

    Args:
        stored: Tokens each piece takes up, 1 to ``width``.
        context: Of these, tokens that are only context.
        width: Tokens a row.
    """
    order = np.argsort(-stored, kind="stable")
    rows, offsets = np.empty(len(stored), np.int64), np.empty(len(stored), np.int64)
    open_rows: defaultdict[int, list[int]] = defaultdict(list)
    spaces: list[int] = []  # the different amounts of room in open rows, ascending
    made = 0
    for item, length in zip(order.tolist(), stored[order].tolist(), strict=True):
        place = bisect_left(spaces, length)
        if place == len(spaces):
            row, space = made, width
            made += 1
        else:
            space = spaces[place]
            row = open_rows[space].pop()
            if not open_rows[space]:
                spaces.pop(place)
        rows[item], offsets[item] = row, width - space
        if left := space - length:
            if not open_rows[left]:
                insort(spaces, left)
            open_rows[left].append(row)
    by_row = np.lexsort((offsets, rows))
    return Layout(
        item=by_row, row=rows[by_row], offset=offsets[by_row], start=np.zeros(len(stored), np.int64),
        new=(stored - context)[by_row], context=context[by_row], rows=made,
    )  # fmt: skip


def stream(lengths: Ints, width: int) -> Layout:
    """Write documents one after another and cut them where rows end.

    Args:
        lengths: Tokens of each document, at least 1.
        width: Tokens a row.
    """
    found: list[tuple[int, int, int, int, int, int]] = []
    row, used = 0, 0
    for item, length in enumerate(lengths.tolist()):
        start = 0
        while start < length:
            context = 1 if start else 0
            if used + context >= width:
                row, used = row + 1, 0
            new = min(length - start, width - used - context)
            found.append((item, row, used, start, new, context))
            start, used = start + new, used + context + new
    table = np.array(found, np.int64).reshape(-1, 6)
    made = int(table[-1, 1]) + 1 if len(table) else 0
    items, rows, offsets, starts, news, contexts = table.T
    return Layout(item=items, row=rows, offset=offsets, start=starts, new=news, context=contexts, rows=made)


def shuffle_rows(layout: Layout, order: Ints) -> Layout:
    """The same rows in another order: row ``order[i]`` becomes row i."""
    place = np.empty(layout.rows, np.int64)
    place[order] = np.arange(layout.rows)
    row = place[layout.row]
    by_row = np.lexsort((layout.offset, row))
    return Layout(
        item=layout.item[by_row], row=row[by_row], offset=layout.offset[by_row], start=layout.start[by_row],
        new=layout.new[by_row], context=layout.context[by_row], rows=layout.rows,
    )  # fmt: skip
