"""Plan: every piece of every pass, in the order of training, as a few arrays.

Memory is 26 bytes a document and about 80 a piece at the peak, because it all must be in one place to
be shuffled: 10^8 abstracts take 11 GB, and that is the honest limit of this step. Texts and tokens stay
on disk.

Each pass over a source takes up its part of the training: of three passes the first lies in the first
third, so that the mixture is the same from the first step to the last and a repeated document is seen
as late as can be. Within a pass pieces are shuffled, those of one long document too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnomon.training.packing.fit import Ints, Layout, best_fit, shuffle_rows, stream
from gnomon.training.packing.mixture import PIECES, draw, shuffled, some_of


@dataclass(frozen=True, kw_only=True)
class SourcePlan:
    """How one source is shown."""

    name: str
    """Its name."""
    first: int
    """Index of its first document among those of all sources."""
    lengths: Ints
    """Tokens of each of its documents."""
    repeats: float = 1.0
    """Passes wanted."""
    chosen: Ints | None = None
    """Indices of the documents that take part; all when None."""
    unit: str = ""
    """What a part of a pass is drawn of: ``pieces``, or else whole documents."""

    @property
    def tokens(self) -> int:
        """Tokens of one pass."""
        return int((self.lengths if self.chosen is None else self.lengths[self.chosen]).sum())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Pieces (best fit) or whole documents (stream) in the order of training; arrays of one length."""

    document: npt.NDArray[np.uint32]
    """Index among the documents of all sources."""
    repeat: npt.NDArray[np.uint16]
    """The pass."""
    start: npt.NDArray[np.uint32]
    """First new token in the document's stream."""
    new: npt.NDArray[np.uint32]
    """New tokens."""
    windows: Ints
    """Where each window of pieces that are packed together begins, and the end: ascending, from 0."""

    def __len__(self) -> int:
        return len(self.document)


def make_plan(sources: Sequence[SourcePlan], *, width: int, window: int, seed: int, cut: bool) -> Plan:
    """Lay out all passes over all sources.

    Args:
        sources: The mixture.
        width: Tokens a row.
        window: Tokens that are packed together.
        seed: Decides the order.
        cut: Whether documents are cut into pieces that fit a row (best fit), or stay whole (stream).
    """
    parts = [list(part) for source in sources for part in _passes(source, seed, width if cut else 0)]
    order = np.argsort(np.concatenate([np.empty(0), *(part.pop(0) for part in parts)]), kind="stable")
    columns = []
    for kind in (np.uint32, np.uint16, np.uint32, np.uint32):
        column = np.concatenate([np.empty(0, kind), *(part.pop(0) for part in parts)])
        columns.append(column[order])
    document, repeat, start, new = columns
    return Plan(document=document, repeat=repeat, start=start, new=new, windows=_windows(new, max(window, width)))


def _passes(source: SourcePlan, seed: int, width: int) -> Iterator[tuple[npt.NDArray[np.generic], ...]]:
    """(time between 0 and 1, document, repeat, start, new) of each pass over a source."""
    chosen = np.arange(len(source.lengths)) if source.chosen is None else source.chosen
    once = _pieces(source.lengths[chosen], width)
    whole = int(source.repeats + 1e-9)
    members = [once] * whole
    if (rest := (source.repeats - whole) * source.tokens) > 0:
        members.append(_part(once, source.lengths[chosen], rest, draw(seed, "some", source.name), source.unit))
    shown = [int(new.sum()) for _, _, new in members]
    begun, total = 0, max(1, sum(shown))
    for number, (index, start, new) in enumerate(members):
        bits = draw(seed, "order", source.name, number)
        moment = (bits.random_raw(len(index)) >> np.uint64(11)) * 2.0**-53
        time = (begun + moment * shown[number]) / total
        begun += shown[number]
        document = (source.first + chosen[index]).astype(np.uint32)
        yield time, document, np.full(len(index), number, np.uint16), start.astype(np.uint32), new.astype(np.uint32)


def _part(
    once: tuple[Ints, Ints, Ints], lengths: Ints, wanted: float, bits: np.random.PCG64, unit: str
) -> tuple[Ints, Ints, Ints]:
    """Those pieces of a pass that make up ``wanted`` tokens: drawn one by one, or all pieces of drawn documents."""
    index, start, new = once
    if unit == PIECES:
        kept = some_of(new, wanted, bits)
    else:
        kept = np.flatnonzero(np.isin(index, some_of(lengths, wanted, bits)))
    return index[kept], start[kept], new[kept]


def _pieces(lengths: Ints, width: int) -> tuple[Ints, Ints, Ints]:
    """(index of the document, first new token, new tokens) of each piece, in order.

    The first piece of a document holds up to ``width`` new tokens, each later one a token less, because the token
    before stands in front of it. A ``width`` of 0 leaves documents whole.
    """
    if not width:
        return np.arange(len(lengths)), np.zeros(len(lengths), np.int64), lengths
    count = 1 + np.maximum(0, -((width - lengths) // (width - 1)))
    index = np.repeat(np.arange(len(lengths)), count)
    number = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    start = np.where(number == 0, 0, width + (number - 1) * (width - 1))
    return index, start, np.minimum(lengths[index] - start, np.where(number == 0, width, width - 1))


def _windows(new: npt.NDArray[np.uint32], window: int) -> Ints:
    """Borders between windows of about equally many tokens, none larger than about ``window``."""
    if not len(new):
        return np.zeros(1, np.int64)
    sums = np.cumsum(new, dtype=np.int64)
    number = -(-int(sums[-1]) // window)
    inner = np.searchsorted(sums, np.arange(1, number) * (int(sums[-1]) / number))
    return np.unique(np.concatenate([[0], inner, [len(new)]])).astype(np.int64)


def lay_out(plan: Plan, number: int, *, width: int, seed: int, cut: bool) -> Layout:
    """The rows of one window. ``item`` counts from the window's first piece."""
    here = slice(int(plan.windows[number]), int(plan.windows[number + 1]))
    new = plan.new[here].astype(np.int64)
    if not cut:
        return stream(new, width)
    context = (plan.start[here] > 0).astype(np.int64)
    layout = best_fit(new + context, context, width)
    return shuffle_rows(layout, shuffled(draw(seed, "rows", number), layout.rows))
