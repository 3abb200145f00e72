"""Opening: a store's one table, through LanceDB for searching and through Lance for its versions.

*Rooms* are what a library needs to know of where it is: a ``Workspace`` has all of it, and so has a running step.
"""

from pathlib import Path
from typing import Any, Protocol

from gnomon.core.errors import ConfigError, MissingExtra
from gnomon.core.settings import Settings
from gnomon.runs.output import Output, StorePlace
from gnomon.runs.record import Record

TABLE = "rows"


class Rooms(Protocol):
    """Where stores and artifacts are."""

    @property
    def settings(self) -> Settings:
        """The machine."""
        ...

    def place(self, key: str) -> StorePlace:
        """Where a store is."""
        ...

    def record(self, address: str) -> Record | None:
        """The record of an artifact, None when it is not made."""
        ...

    def artifact(self, address: str) -> Path:
        """The files of an artifact."""
        ...


class StepRooms:
    """The rooms as a running step sees them: the records of its own inputs.

    Args:
        out: The step's output.
    """

    def __init__(self, out: Output) -> None:
        self.settings, self._out = out.settings, out

    def place(self, key: str) -> StorePlace:
        """Where a store is."""
        return self._out.place(key)

    def record(self, address: str) -> Record | None:
        """The record of an input, None when the step has none of this address."""
        return next((record for record in self._out.records.values() if record.address == address), None)

    def artifact(self, address: str) -> Path:
        """The files of an artifact.

        Raises:
            ConfigError: The step runs without a workspace.
        """
        if self._out.artifact is None:
            raise ConfigError(f"{address} cannot be opened: the step runs without a workspace.", "Run it as a recipe.")
        return self._out.artifact(address)


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
