"""Opening: a store's one table, through LanceDB for searching and through Lance for its versions."""

from typing import Any

from gnomon.core.errors import MissingExtra
from gnomon.runs.output import StorePlace

TABLE = "rows"


def storage_options(place: StorePlace) -> dict[str, str]:
    """The options of an object store, by the names that Lance knows."""
    ours = place.options
    names = {"endpoint_url": "aws_endpoint", "key": "aws_access_key_id", "secret": "aws_secret_access_key"}
    options = {lance: ours[name] for name, lance in {**names, "region": "aws_region"}.items() if ours.get(name)}
    if ours.get("endpoint_url", "").startswith("http://"):
        options["allow_http"] = "true"
    return options


def connect(place: StorePlace) -> Any:
    """The LanceDB database that holds a store's table.

    Raises:
        MissingExtra: LanceDB is not installed.
    """
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtra("lancedb", "knowledge", "The index") from error
    return lancedb.connect(place.url, storage_options=storage_options(place) or None)


def open_table(place: StorePlace, tag: str = "") -> Any | None:
    """A store's table at a tag, or at its newest version; None when there is no such table."""
    database = connect(place)
    try:
        table = database.open_table(TABLE)
    except ValueError:
        return None
    if tag:
        table.checkout(tag)
    return table


def dataset(place: StorePlace, version: str | int | None = None) -> Any:
    """The Lance dataset under a store's table, at a version or tag.

    Raises:
        MissingExtra: Lance is not installed.
    """
    try:
        import lance
    except ImportError as error:
        raise MissingExtra("pylance", "knowledge", "The index") from error
    return lance.dataset(table_url(place), version=version, storage_options=storage_options(place) or None)


def table_url(place: StorePlace) -> str:
    """Where the table's files are."""
    return f"{place.url.rstrip('/')}/{TABLE}.lance"
