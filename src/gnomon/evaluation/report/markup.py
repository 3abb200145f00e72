"""Markup: HTML that is escaped by construction.

``el`` makes an element; whatever is not ``Markup`` already is escaped, so a title such as
``<script>`` can only ever be shown. ``both`` is one phrase in two languages; the page shows one.

Drawings are made for two kinds of page. A report is one file that has to carry everything: both languages, and places
as ``style`` attributes. A page of a server knows its reader, and its policy forbids such attributes: there
(``for_reader``) a phrase is in one language, and a place is a class of the style sheet ``place_rules``.
"""

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.resources import files
from typing import Any

VOID = frozenset(("meta", "input", "br", "link"))
_CONTROL = {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {0x09, 0x0A}
VISIBLE_CONTROL = dict.fromkeys(sorted(_CONTROL), "\ufffd")

PLACES = {"left": "l", "top": "t", "width": "w"}
"""Properties that place a drawing's parts, and the letter of their classes."""
TENTHS = range(1001)
"""Places in tenths of a per cent: finer than a screen shows."""
DEPTHS = range(12)
_DECLARED = re.compile(r"([\w-]+):([\d.-]+)")
_reader: ContextVar[str] = ContextVar("markup_reader", default="")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = Any


def escape(value: Any) -> Markup:
    """A value as HTML text; characters that no page may hold are shown as a replacement sign."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(str(value).translate(VISIBLE_CONTROL), quote=True))


def join(parts: Iterable[Content]) -> Markup:
    """Several contents after each other."""
    return Markup("".join(escape(part) for part in parts))


def el(name: str, /, *content: Content, **attributes: Any) -> Markup:
    """An element. An attribute that is None is left out; ``class_`` and ``for_`` lose their underscore."""
    if "style" in attributes and _reader.get():
        attributes = _placed(**attributes)
    chosen = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    opened = f"<{name}" + "".join(f' {key}="{escape(value)}"' for key, value in chosen)
    return Markup(f"{opened}>" if name in VOID else f"{opened}>{join(content)}</{name}>")


def both(en: Content, ja: Content) -> Markup:
    """A phrase in English and in Japanese, of which the page shows one."""
    if _reader.get():
        return escape(ja if _reader.get() == "ja" else en)
    return join([el("span", en, class_="en", lang="en"), el("span", ja, class_="ja", lang="ja")])


# Pages that know their reader -----------------------------------------------------------------


@contextmanager
def for_reader(lang: str) -> Iterator[None]:
    """Make markup for a page in one language, whose places are classes of ``place_rules``."""
    before = _reader.set(lang)
    try:
        yield
    finally:
        _reader.reset(before)


def thousands() -> str:
    """What sets thousands apart: a thin space in a report, a comma on a page, whose other numbers have one."""
    return "," if _reader.get() else "\u202f"


def place_rules() -> str:
    """The style sheet behind the classes of places: ``l123`` is ``left: 12.3%``, ``d2`` is ``--depth: 2``."""
    placed = (f".{letter}{at}{{{name}:{at / 10:g}%}}" for name, letter in PLACES.items() for at in TENTHS)
    return "".join([*placed, *(f".d{depth}{{--depth:{depth}}}" for depth in DEPTHS)])


def _placed(*, style: str | None, **attributes: Any) -> dict[str, Any]:
    """Attributes with the declarations of a style as classes."""
    classes = [attributes.pop("class_", None) or ""]
    for name, value in _DECLARED.findall(style or ""):
        if name in PLACES:
            classes.append(f"{PLACES[name]}{min(max(round(10 * float(value)), 0), TENTHS[-1])}")
        elif name == "--depth":
            classes.append(f"d{min(int(value), DEPTHS[-1])}")
    return {**attributes, "class_": " ".join(filter(None, classes)) or None}


def drawing_rules() -> str:
    """The style sheet of all drawings, without the colours, which are those of the page."""
    here = files("gnomon.evaluation.report")
    return "".join((here / name).read_text(encoding="utf-8") for name in ("drawings.css", "models/drawings.css"))
