"""Asking: what a search is asked for, read from an address and written back into one."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Filters
from gnomon.core.wording import say

PAGE = 10
"""Documents on a page."""
LAST_PAGE = 1_000
MOST_CHARACTERS = 300
"""Longest value of a filter."""
LIMITING = ("year", "author", "category", "language", "source")
"""The filters."""
Mode = Literal["hybrid", "text", "vector"]
Order = Literal["best", "newest", "oldest"]
Limit = Annotated[str, Field(max_length=MOST_CHARACTERS)]


class Query(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(frozen=True)

    q: str = Field(
        default="", description="Words or a question, in English or Japanese; empty to look through the library.",
        examples=["expansion of the universe"],
    )  # fmt: skip
    mode: Mode = Field(
        default="hybrid", description="Words and meaning, words only (`text`), or meaning only (`vector`)."
    )
    year: Limit = Field(
        default="", description="A year or a range: `1998`, `1990..2000`, `1990..`, `..2000`.", examples=["1990..2020"]
    )
    author: Limit = Field(default="", description="Part of an author's name, in any case.", examples=["hubble"])
    category: Limit = Field(default="", description="A subject code or its beginning.", examples=["astro-ph.CO"])
    language: Limit = Field(default="", description="ISO 639-1 code of the documents.", examples=["ja"])
    source: Limit = Field(
        default="", description="Kind of source, or the beginning of a source's key.", examples=["pdf"]
    )
    like: Limit = Field(default="", description="Id of a document: what resembles it is looked for, and `q` is not.")
    sort: Order = Field(default="best", description="In which order: best first, or by year.")
    page: int = Field(default=1, ge=1, le=LAST_PAGE, description="Which page of the list, from 1.")
    k: int = Field(default=PAGE, ge=1, description="How many documents a page has.")

    @property
    def filters(self) -> Filters:
        """What the search is limited to.

        Raises:
            ConfigError: The range of years is none.
        """
        return Filters(years=year_range(self.year), author=self.author, category=self.category, lang=self.language,
                       source=self.source)  # fmt: skip

    @property
    def limited(self) -> tuple[tuple[str, str], ...]:
        """(name, value) of each filter that is set."""
        return tuple((name, value) for name in LIMITING if (value := str(getattr(self, name)).strip()))

    def address(self, **changes: str | int) -> str:
        """The query string of this query with some of it changed; an empty value takes a part away.

        A change of anything but the page leads to the first page.
        """
        told = self.model_dump(exclude_defaults=True, exclude={"k"} if "k" not in changes else set())
        told.pop("page", None)
        told |= changes
        return urlencode({key: value for key, value in told.items() if value not in ("", 1)})


def checked(query: Query, *, results: int, characters: int) -> Query:
    """A query that keeps to the bounds of a server.

    Args:
        query: What is asked for.
        results: Most documents at once.
        characters: Longest text.

    Raises:
        ConfigError: It does not.
    """
    if len(query.q) > characters:
        raise ConfigError(
            say(f"The query has {len(query.q):,} characters; {characters:,} are read here.",
                f"検索文が {len(query.q):,} 文字ある。ここで読めるのは {characters:,} 文字まで。"),
            say("Ask for its main words.", "主な語だけにする。"),
        )  # fmt: skip
    if query.k > results:
        raise ConfigError(
            say(f"k = {query.k}: at most {results} documents are given at once.",
                f"k = {query.k}。一度に返せるのは {results} 件まで。"),
            say("Ask for the next page.", "次のページを求める。"),
        )  # fmt: skip
    return query


def year_range(text: str) -> tuple[int | None, int | None]:
    """``1998``, ``1990..2000``, ``1990..`` or ``..2000``; no limit when empty.

    Raises:
        ConfigError: It is none of these.
    """
    first, dots, last = text.strip().partition("..")
    try:
        low = int(first[:9]) if first.strip() else None
        high = (int(last[:9]) if last.strip() else None) if dots else low
    except ValueError:
        low, high = 1, 0
    if text.strip(" .") and (low is None or high is None or low <= high):
        return low, high
    if not text.strip():
        return None, None
    raise ConfigError(
        say(f"{text!r} is not a range of years.", f"{text!r} は年の範囲ではない。"),
        say("Write it like 1998, 1990..2000, 1990.. or ..2000.", "1998、1990..2000、1990..、..2000 のように書く。"),
    )
