"""``oai:`` sources: an arXiv list, harvested page by page before it is read like any folder.

``oai:SET``, ``oai:SET@FROM..UNTIL`` or ``oai:SET@FROM..`` name a list, for instance
``oai:physics:astro-ph@2026-11-01..2026-11-07``. The pages are kept in the workspace; a harvest
that was cut short goes on where it stopped.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.runs.workspace import Workspace

PREFIX = "oai:"
_LIST = re.compile(r"oai:(?P<set>[\w.:-]+)(?:@(?P<since>\d{4}-\d\d-\d\d)?\.\.(?P<until>\d{4}-\d\d-\d\d)?)?")


def local_sources(sources: Sequence[str], workspace: Workspace, *, fetch: bool) -> list[str]:
    """The sources with every ``oai:`` list replaced by the folder of its pages.

    Args:
        sources: As the user gave them.
        workspace: Keeps the pages.
        fetch: Bring what is missing; False takes the pages that are there.

    Raises:
        ConfigError: An ``oai:`` source has another form, or nothing of it is there and ``fetch`` is False.
    """
    return [_pages(s, workspace, fetch=fetch) if s.startswith(PREFIX) else s for s in sources]


def _pages(source: str, workspace: Workspace, *, fetch: bool) -> str:
    match = _LIST.fullmatch(source)
    if match is None:
        raise ConfigError(
            say(f"{source!r} is not a list of records.", f"{source!r} はレコードの一覧ではない。"),
            say("Write it as oai:physics:astro-ph@2026-11-01..2026-11-07.",
                "oai:physics:astro-ph@2026-11-01..2026-11-07 のように書く。"),
        )  # fmt: skip
    folder = workspace.local / "harvest" / re.sub(r"[^\w.-]+", "_", source.removeprefix(PREFIX))
    if fetch:
        _harvest({key: value or "" for key, value in match.groupdict().items()}, folder, workspace)
    elif not folder.is_dir():
        raise ConfigError(
            say(f"Nothing of {source} has been harvested yet.", f"{source} はまだ取得されていない。"),
            say("Run `gnomon build` with it first.", "先に `gnomon build` で取得する。"),
        )
    return str(folder)


def _harvest(query: dict[str, str], folder: Path, workspace: Workspace) -> None:
    from gnomon.corpus.oai import HarvestPlace, HarvestQuery, harvest

    place = HarvestPlace(url=workspace.settings.oai_url) if workspace.settings.oai_url else HarvestPlace()
    meter = _Lines(place.url)
    harvest(HarvestQuery(**query), folder, workspace.settings, place, meter)


class _Lines:
    """Progress of a harvest as lines: a request takes seconds, so a bar would only stand still."""

    def __init__(self, url: str) -> None:
        self._url, self._records, self._of = url, 0, 0

    def total(self, amount: int, unit: str) -> None:
        """Learn how many records there are."""
        self._of = amount

    def advance(self, amount: int) -> None:
        """Tell how many there are by now."""
        self._records += amount
        print(f"{self._url}: {self._records:,} / {self._of:,}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """A harvest has nothing to add."""
