"""Filters: the facts a search can be limited to, as columns and as conditions on them.

The same columns stand in the text table and in the vector table, so that both are limited *before*
they rank. Every value of a user becomes a quoted literal, and is compared with ``contains`` and
``starts_with``: there is no pattern language in it that could mean something else.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Filters
from gnomon.core.wording import say
from gnomon.knowledge.analysis import plain_name

FACETS = (
    pa.field("year", pa.int32()),
    pa.field("authors", pa.string()),
    pa.field("categories", pa.string()),
    pa.field("lang", pa.string()),
    pa.field("source_kind", pa.string()),
    pa.field("source_key", pa.string()),
)
"""The columns of the facts, the same in every table that can be searched."""
FACET_NAMES = tuple(field.name for field in FACETS)
MAX_VALUE = 300
_YEARS = (-9_999, 9_999)


def facets(document: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one document (a row of its table), written for comparing."""
    biblio, source = document["biblio"], document["source"]
    year = biblio["year"]
    return {
        "year": None if year is None else _year(year),
        "authors": "; ".join(plain_name(author["name"]) for author in biblio["authors"]),
        "categories": "".join(f"|{plain_name(category)}" for category in biblio["categories"]),
        "lang": document["lang"],
        "source_kind": source["kind"],
        "source_key": plain_name(source["key"]),
    }


def where(filters: Filters) -> str:
    """The condition that a row must meet, in the SQL of LanceDB; empty when there is no limit.

    Raises:
        ConfigError: A value is too long to be the name of anything.
    """
    first, last = filters.years
    conditions = [
        "" if first is None else f"year >= {_year(first)}",
        "" if last is None else f"year <= {_year(last)}",
        _when(filters.author, "contains(authors, {})"),
        _when(filters.category, "contains(categories, {})", before="|"),
        _when(filters.lang, "lang = {}"),
        _when(filters.source, "(source_kind = {0} OR starts_with(source_key, {0}))"),
    ]
    return " AND ".join(condition for condition in conditions if condition)


def _year(year: int) -> int:
    return min(max(int(year), _YEARS[0]), _YEARS[1])


def _when(value: str, condition: str, before: str = "") -> str:
    if len(value) > MAX_VALUE:
        raise ConfigError(
            say(f"A filter has {len(value)} characters ({value[:40]!r}…), at most {MAX_VALUE} can be compared.",
                f"絞り込みの値が {len(value)} 文字ある ({value[:40]!r}…)。比較できるのは {MAX_VALUE} 文字まで。"),
            say("Give a shorter part of the name.", "名前のもっと短い一部を指定する。"),
        )  # fmt: skip
    plain = plain_name(value)
    return condition.format(literal(before + plain)) if plain else ""


def literal(value: str) -> str:
    """A string literal: quotes doubled, and no character that a parser might stumble over."""
    safe = "".join(char if char.isprintable() else " " for char in value)
    return "'" + safe.replace("'", "''") + "'"
