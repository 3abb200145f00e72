"""Pages of long lists: which rows stand on a page, and how many pages there are."""

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.errors import NotFound
from gnomon.core.wording import say

PAGE_SIZE, MOST_ROWS = 20, 100
"""Rows of a page unless a reader asks for more, and the most there can be."""
LAST_PAGE = 1_000_000


class Paged(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(frozen=True)

    total: int = Field(description="Rows of the whole list.", examples=[41])
    page: int = Field(description="Which page this is, from 1.", examples=[1])
    pages: int = Field(description="How many there are; 0 of an empty list.", examples=[3])


def rows_of(total: int, page: int, size: int) -> range:
    """Places of the rows on a page.

    Args:
        total: Rows of the list.
        page: From 1.
        size: Rows on a page.

    Raises:
        NotFound: The list ends before this page.
    """
    start = (page - 1) * size
    if page > 1 and start >= total:
        last = pages_of(total, size)
        raise NotFound(
            say(f"There is no page {page}; the last is {last}.", f"{page} ページ目はない。最後は {last} ページ目。"),
            say("Ask for an earlier page.", "前のページを開く。"),
        )
    return range(start, min(total, start + size))


def pages_of(total: int, size: int) -> int:
    """How many pages a list has."""
    return -(-total // size)
