"""The histogram of years: bars that are links, drawn here as SVG, so that it works without any script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gnomon.serving.facts.facets import Year

WIDTH, HEIGHT, GAP = 300.0, 56.0, 1.0
MOST_BARS = 36
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)
"""How many years a bar may stand for."""
Chosen = tuple[int | None, int | None]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The documents of some years."""

    first: int
    """Its first year."""
    last: int
    """Its last year."""
    count: int
    """Documents."""
    x: float
    """Its left edge."""
    width: float
    """Its width."""
    height: float
    """Its height; a bar that stands for anything is at least seen."""
    chosen: bool
    """Whether the search is limited to years of it."""
    address: str
    """Where a search limited to it is."""

    @property
    def years(self) -> str:
        """Its years as a reader says them."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def histogram(years: Sequence[Year], chosen: Chosen, address: Callable[[str], str]) -> tuple[Bar, ...]:
    """The bars for some years; none for none.

    Args:
        years: The counts, in order.
        chosen: The years that a search is limited to.
        address: From a range of years (``1990..1994``) to where it leads.
    """
    if not years:
        return ()
    step = next((s for s in STEPS if (years[-1].year - years[0].year) // s < MOST_BARS), STEPS[-1])
    low, high = years[0].year // step, years[-1].year // step
    counts = dict.fromkeys(range(low, high + 1), 0)
    for year in years:
        counts[year.year // step] += year.count
    most, wide = max(counts.values()), WIDTH / len(counts)
    return tuple(
        _bar(place * step, step, number, ((place - low) * wide, wide, number / most), (chosen, address))
        for place, number in counts.items() if number
    )  # fmt: skip


def _bar(
    first: int, step: int, count: int, place: tuple[float, float, float], how: tuple[Chosen, Callable[[str], str]]
) -> Bar:
    (x, wide, share), ((low, high), address) = place, how
    last = first + step - 1
    inside = (low is not None or high is not None) and (low or first) <= last and first <= (high or last)
    return Bar(
        first=first, last=last, count=count, x=round(x, 2), width=round(min(wide - GAP, 18.0), 2),
        height=round(2 + share * (HEIGHT - 2), 2), chosen=inside,
        address=address(str(first) if step == 1 else f"{first}..{last}"),
    )  # fmt: skip
