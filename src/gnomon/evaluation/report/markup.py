"""Markup: HTML that is escaped by construction.

``el`` makes an element; whatever is not ``Markup`` already is escaped, so a title such as
``<script>`` can only ever be shown. ``both`` is one phrase in two languages; the page shows one.
"""

import html
from collections.abc import Iterable
from typing import Any

VOID = frozenset(("meta", "input", "br", "link"))
_CONTROL = {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)} - {0x09, 0x0A}
VISIBLE_CONTROL = dict.fromkeys(sorted(_CONTROL), "\ufffd")


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
    chosen = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    opened = f"<{name}" + "".join(f' {key}="{escape(value)}"' for key, value in chosen)
    return Markup(f"{opened}>" if name in VOID else f"{opened}>{join(content)}</{name}>")


def both(en: Content, ja: Content) -> Markup:
    """A phrase in English and in Japanese, of which the page shows one."""
    return join([el("span", en, class_="en", lang="en"), el("span", ja, class_="ja", lang="ja")])
