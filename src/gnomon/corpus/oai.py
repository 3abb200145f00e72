"""Harvest: arXiv's metadata over OAI-PMH, into a folder that ``ingest`` reads.

Every response is kept as it came, packed, one file a page; ``.harvest.json`` beside them says how far the
list has been read, so that a stopped harvest goes on at its resumption token. arXiv asks for one
request in three seconds; a 503 says how long to wait. A token that has expired makes the
harvest begin again, once. A harvest is a source, not a step: what it brings depends on the day.

See https://info.arxiv.org/help/oa/ and the OAI-PMH 2.0 specification, sections 3.5 and 3.6.
"""

import email.utils
import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import filelock
import httpx

from gnomon.core.errors import ConfigError, RunError
from gnomon.core.files import read_json, write_atomic, write_json
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.corpus.readers.draft import Unreadable
from gnomon.corpus.readers.oai_page import OAI, page
from gnomon.runs.output import Meter, SilentMeter

ARXIV_URL = "https://oaipmh.arxiv.org/oai"
PAUSE_SECONDS = 3.0
STATE = ".harvest.json"
MAX_TRIES = 8
MAX_WAIT_SECONDS = 3600.0
TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class HarvestQuery:
    """What is asked for."""

    set: str = "physics:astro-ph"
    """The set, as ``ListSets`` names it; empty for all of arXiv."""
    since: str = ""
    """First day of change, ``YYYY-MM-DD``."""
    until: str = ""
    """Last day of change."""
    prefix: str = "arXiv"
    """The metadata format."""

    def parameters(self) -> dict[str, str]:
        """The parameters of the first request."""
        given = {"metadataPrefix": self.prefix, "set": self.set, "from": self.since, "until": self.until}
        return {"verb": "ListRecords", **{name: value for name, value in given.items() if value}}


@dataclass(frozen=True, kw_only=True)
class HarvestPlace:
    """Where it is asked for, and how patiently: about the network, never about the result."""

    url: str = ARXIV_URL
    """The repository's address."""
    pause: float = PAUSE_SECONDS
    """Seconds from one request to the next, at least."""
    wait: Callable[[float], None] = time.sleep
    """Waits so many seconds."""


def harvest(
    query: HarvestQuery, folder: Path, settings: Settings, place: HarvestPlace | None = None, meter: Meter | None = None
) -> int:
    """Bring the pages of a list into a folder, or those that are still missing.

    Args:
        query: What is asked for.
        folder: Where the pages are kept; one query a folder.
        settings: The machine; ``offline = true`` forbids the harvest.
        place: The repository.
        meter: Receives the number of records.

    Returns:
        The number of pages in the folder.

    Raises:
        OfflineError: ``offline = true``.
        ConfigError: The folder holds another query's pages, or the repository refuses the query.
        RunError: The repository cannot be reached, or answers with something else.
    """
    place = place or HarvestPlace()
    settings.may_call(place.url)
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".harvest.lock"), _client() as client:
        state = _state(folder, query, place)
        return _pages(client, query, folder, place, state, meter or SilentMeter())


def _pages(
    client: httpx.Client, query: HarvestQuery, folder: Path, place: HarvestPlace, state: dict[str, Any], meter: Meter
) -> int:
    restarted = False
    ask = _Asker(client, place)
    while not state["done"]:
        token = state["token"]
        given = {"verb": "ListRecords", "resumptionToken": token} if token else query.parameters()
        data, root = ask(given)
        error = root.find(f"{OAI}error")
        code = "" if error is None else error.get("code", "")
        if code == "badResumptionToken" and token and not restarted:
            restarted = True
            state |= {"pages": 0, "token": ""}
            continue
        if code and code != "noRecordsMatch":
            raise ConfigError(
                say(f"{place.url} refused the query: {code}: {(error is not None and error.text) or ''}.",
                    f"{place.url} が問い合わせを拒んだ: {code}。"),
                say("Check set and dates.", "set と日付を確かめる。"),
            )  # fmt: skip
        if not code:
            write_atomic(_page_file(folder, state["pages"]), gzip.compress(data, mtime=0))
            state["pages"] += 1
            _tell(meter, root, first=not token)
        state["token"] = (root.findtext(f"{OAI}ListRecords/{OAI}resumptionToken") or "").strip()
        state["done"] = not state["token"]
        write_json(folder / STATE, state)
    _remove_later(folder, state["pages"])
    return int(state["pages"])


def _page_file(folder: Path, number: int) -> Path:
    return folder / f"page-{number:06}.oai.xml.gz"


def _remove_later(folder: Path, pages: int) -> None:
    """Remove pages that a list which has begun again no longer has."""
    while (late := _page_file(folder, pages)).exists():
        late.unlink()
        pages += 1


def _tell(meter: Meter, root: Element, *, first: bool) -> None:
    token = root.find(f"{OAI}ListRecords/{OAI}resumptionToken")
    size = token.get("completeListSize", "") if token is not None else ""
    if first and size.isdecimal():
        meter.total(int(size), "records")
    meter.advance(sum(1 for _ in root.iter(f"{OAI}record")))


def _state(folder: Path, query: HarvestQuery, place: HarvestPlace) -> dict[str, Any]:
    asked = {"url": place.url, **query.parameters()}
    file = folder / STATE
    if not file.exists():
        return {"query": asked, "pages": 0, "token": "", "done": False}
    state: dict[str, Any] = read_json(file)
    if state["query"] != asked:
        raise ConfigError(
            say(f"{folder} holds the pages of another query: {state['query']}, wanted {asked}.",
                f"{folder} には別の問い合わせの結果がある: {state['query']}。"),
            say("Give each query a folder of its own.", "問い合わせごとに別のフォルダを使う。"),
        )  # fmt: skip
    return state


@contextmanager
def _client() -> Iterator[httpx.Client]:
    from gnomon import __version__

    agent = {"User-Agent": f"gnomon/{__version__} (OAI-PMH harvester)"}
    with httpx.Client(timeout=TIMEOUT_SECONDS, headers=agent, follow_redirects=True) as client:
        yield client


class _Asker:
    """Sends one request after another, never too fast, and again when it is told to wait."""

    def __init__(self, client: httpx.Client, place: HarvestPlace) -> None:
        self._client, self._place, self._asked = client, place, False

    def __call__(self, parameters: dict[str, str]) -> tuple[bytes, Element]:
        """The body of the response, and the body parsed."""
        problem = ""
        for number in range(MAX_TRIES):
            if self._asked:
                self._place.wait(self._place.pause)
            self._asked = True
            try:
                response = self._client.get(self._place.url, params=parameters)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
                self._place.wait(min(5.0 * 2**number, 300.0))
                continue
            if response.status_code == 200:
                return response.content, _parsed(response.content, self._place.url)
            problem = f"HTTP {response.status_code}"
            if response.status_code not in (429, 500, 502, 503, 504):
                break
            self._place.wait(_retry_after(response, 5.0 * 2**number))
        raise RunError(
            say(f"{self._place.url} gave no page: {problem}.", f"{self._place.url} から取得できない: {problem}。"),
            say("What came is kept; run the same command later.", "取得済みの分は残っている。後で再実行する。"),
        )


def _parsed(data: bytes, url: str) -> Element:
    try:
        root = page(data)
    except Unreadable as error:
        raise RunError(f"{url} answered with something that is not OAI-PMH: {error.detail}.") from error
    if root.tag != f"{OAI}OAI-PMH":
        raise RunError(f"{url} answered with <{root.tag}>, wanted <OAI-PMH>.")
    return root


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    """Seconds that a response asks to wait: a number, or a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return min(float(value), MAX_WAIT_SECONDS)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return min(otherwise, 300.0)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), MAX_WAIT_SECONDS)
