"""Formats: how numbers, shares, dates and addresses look on a page."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from gnomon.core.wording import say
from gnomon.serving import addresses
from gnomon.serving.facts.corpus import language_name, subject_name, worded

NOTHING = "–"
PLAIN, CODE = Markup("{}"), Markup("<code>{}</code>")
ROLES = {
    "exam": ("exam", "試験"), "development_exam": ("development exam", "選択用の試験"),
    "perplexity": ("perplexity", "パープレキシティ"), "answers": ("answers", "回答"),
}  # fmt: skip
"""Parts of an expert that pages head sections with; others bear the names that their recipes gave them."""


def count(value: int | None) -> str:
    """A whole number with its thousands apart: ``42,000``."""
    return NOTHING if value is None else f"{value:,}"


def share(value: float | None, digits: int = 0) -> str:
    """A share as per cent: ``0.414`` is ``41 %``."""
    return NOTHING if value is None else f"{100 * value:.{digits}f}\u202f%"


def authors(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """The first authors, and that there are more."""
    shown = "; ".join(names[:most])
    return shown + say(" et al.", " ほか") if len(names) > most else shown


def day(moment: str) -> str:
    """The day of an ISO 8601 moment."""
    return moment[:10] or NOTHING


def role(name: str) -> str:
    """A part of an expert as a heading names it."""
    return worded(name, ROLES)


def coded(words: str) -> Markup:
    """Words in which what stands between backticks, as in ``Run `gnomon build` ``, is shown as code."""
    parts = (CODE if number % 2 else PLAIN for number in range(words.count("`") + 1))
    return Markup("").join(shape.format(part) for shape, part in zip(parts, words.split("`"), strict=True))


FILTERS: dict[str, Callable[..., Any]] = {
    "count": count, "share": share, "authors": authors, "day": day, "paper": addresses.paper,
    "lineage": addresses.lineage, "language": language_name, "subject": subject_name, "role": role, "coded": coded,
}  # fmt: skip
"""By the name that templates use."""
