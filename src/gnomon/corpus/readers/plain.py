"""Plain text: the whole file is one work; its title is unknown unless it says ``Title:``."""

from collections.abc import Iterator

from gnomon.corpus.readers.draft import Draft, Fault, Unreadable
from gnomon.corpus.readers.feed import Feed, clean_text, decode, encoding_mark


def read(feed: Feed) -> Iterator[Draft | Fault]:
    """The file as one draft, titled by its first line when a blank line follows it and it is short."""
    text, marks = whole_text(feed)
    title, body = _title(text)
    yield Draft(kind="text", title=title, text=body, marks=marks)


def whole_text(feed: Feed) -> tuple[str, dict[str, str]]:
    """The text of a file, stripped, and the mark of its encoding.

    Raises:
        Unreadable: It is empty, too large or no text.
    """
    data = feed.whole()
    text, encoding = decode(data)
    if "\0" in text:
        raise Unreadable("binary", "holds NUL bytes")
    text = clean_text(text).strip()
    if not text:
        raise Unreadable("empty_file", f"{len(data)} bytes of white space")
    return text, encoding_mark(encoding)


def _title(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n\n")
    looks = len(first) <= 200 and "\n" not in first and not first.endswith((".", "。", ":", ",", "、"))
    return (" ".join(first.split()), rest.strip()) if looks and rest.strip() else ("", text)
