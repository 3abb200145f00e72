"""Versions: loading ahead of the first reader, and noticing that an expert was published anew.

A build that runs beside the server moves the expert's pointer when its new parts are made. Every few seconds the
pointer is looked at: one small file. When it has moved, the new version is opened and warmed while the old one goes on
serving; one that cannot be opened is reported and never served.
"""

import asyncio
import logging
from contextlib import suppress

from gnomon.core.errors import GnomonError, NotFound
from gnomon.core.hashing import canonical_json
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.asking import Query
from gnomon.serving.facts.search import search
from gnomon.serving.house import House

LOOK_SECONDS, LOOK_SECONDS_FAR = 3.0, 60.0
"""How often the pointer is looked at: on this machine, and in an object store, where every look costs a request."""
WARMING = ("warm", "暖機")
"""One query for each language: they pass through different parts of the index, and load the embedder."""
log = logging.getLogger("gnomon.serving")


def warm(opened: OpenExpert) -> None:
    """Load what the first reader would otherwise wait for: the index, what is counted over all of it, models, trace."""
    with suppress(NotFound):
        for query in WARMING:
            opened.library.search(query, k=1)
        search(opened, Query())
    with suppress(NotFound):
        opened.trace.attribute(WARMING[0])


async def keep_fresh(house: House) -> None:
    """Warm the house's expert, then follow its pointer for as long as the server runs."""
    opened = house.opened
    house.ready = False
    await asyncio.to_thread(_warm_or_say, opened)
    house.ready = True
    seconds, pointer = LOOK_SECONDS if opened.workspace.is_local else LOOK_SECONDS_FAR, Pointer(opened)
    while True:
        await asyncio.sleep(seconds)
        found = await asyncio.to_thread(pointer.look)
        if found is not None:
            house.replace(found)
            log.info("expert %s was published anew, %s", found.expert.name, found.expert.made)


class Pointer:
    """What an expert's name points at, as it was when it was last looked at.

    Args:
        opened: The expert that is served.
    """

    def __init__(self, opened: OpenExpert) -> None:
        self.workspace, self.name = opened.workspace, opened.expert.name
        self._seen = canonical_json(opened.expert)
        self._told = ""

    def look(self) -> OpenExpert | None:
        """A version published since the last look, opened and warmed; None while there is none that can be served."""
        found: OpenExpert | None = None
        try:
            opened = OpenExpert.of(self.workspace, self.name)
            seen = canonical_json(opened.expert)
            if seen != self._seen:
                self._seen = seen
                warm(opened)
                found = opened
        except GnomonError as error:
            if str(error) != self._told:
                self._told = str(error)
                log.error("expert %s cannot be opened anew: %s", self.name, error)
        except Exception:  # whatever a half-made version does, the one that is open goes on
            log.exception("expert %s cannot be opened anew", self.name)
        return found


def _warm_or_say(opened: OpenExpert) -> None:
    try:
        warm(opened)
    except Exception:  # readers are told the same, each with what they asked
        log.exception("the expert could not be loaded ahead of its first reader")
