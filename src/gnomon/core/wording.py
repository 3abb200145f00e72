"""Wording: what a person reads, in English and in Japanese, side by side.

The two languages of a message stand next to each other in the code, so that nobody can change
one and forget the other. The language is that of the process, from ``GNOMON_LANG`` or the usual
locale variables, unless whoever is being answered reads another (``speaking``).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LANGUAGES = ("en", "ja")
_reader: ContextVar[str] = ContextVar("reader", default="")


def language() -> str:
    """The reader's language: the one being spoken, else ``"ja"`` for a Japanese locale, else ``"en"``."""
    if _reader.get():
        return _reader.get()
    for name in ("GNOMON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Speak a language to whoever is answered inside: of this thread or task, and of no other."""
    before = _reader.set(lang)
    try:
        yield
    finally:
        _reader.reset(before)


def say(en: str, ja: str, lang: str | None = None) -> str:
    """One message in the reader's language, or in ``lang`` when it is given."""
    return ja if (lang or language()) == "ja" else en
