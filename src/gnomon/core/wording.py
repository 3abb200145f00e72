"""Wording: what a person reads, in English and in Japanese, side by side.

The two languages of a message stand next to each other in the code, so that nobody can change
one and forget the other. The language is chosen once per process from ``GNOMON_LANG`` or the
usual locale variables.
"""

import os

LANGUAGES = ("en", "ja")


def language() -> str:
    """The reader's language: ``"ja"`` for a Japanese locale, else ``"en"``."""
    for name in ("GNOMON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def say(en: str, ja: str, lang: str | None = None) -> str:
    """One message in the reader's language, or in ``lang`` when it is given."""
    return ja if (lang or language()) == "ja" else en
