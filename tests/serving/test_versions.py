import asyncio
import gc
import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from safety_apps import opened as nobody

from gnomon.core.records import Expert
from gnomon.core.tables import to_row
from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.runs.experts import KIND
from gnomon.serving.house import House
from gnomon.serving.versions import Pointer, warm
from gnomon.serving.work import Busy, Workers


class Watched(OpenExpert):
    """An expert that says whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def watched(folder: Path, name: str) -> Watched:
    return Watched(Workspace(str(folder)), replace(nobody(folder).expert, name=name))


def publish(folder: Path, made: str) -> Expert:
    expert = replace(nobody(folder).expert, name="group", made=made)
    Workspace(str(folder)).save(KIND, "group", to_row(expert))
    return expert


def test_a_request_keeps_the_version_it_began_with_and_its_workers_too(tmp_path: Path) -> None:
    old, new = watched(tmp_path, "old"), watched(tmp_path, "new")
    house = House(old)

    async def exchange() -> list[str]:
        with house.reading():
            house.replace(new)
            inside = [house.opened.expert.name, await house.readers.run(lambda: house.opened.expert.name)]
        with house.reading():
            return [*inside, house.opened.expert.name, await house.readers.run(lambda: house.opened.expert.name)]

    assert asyncio.run(exchange()) == ["old", "old", "new", "new"]
    house.close()


def test_an_old_version_is_closed_when_its_last_reader_and_worker_let_go(tmp_path: Path) -> None:
    old, new = watched(tmp_path, "old"), watched(tmp_path, "new")
    house = House(old)
    began, goes_on = threading.Event(), threading.Event()

    def long() -> bool:
        began.set()
        goes_on.wait(20)
        return old.closed

    async def exchange() -> bool:
        with house.reading():
            working = asyncio.ensure_future(house.readers.run(long))
            await asyncio.to_thread(began.wait, 20)
        house.replace(new)
        gc.collect()
        before = old.closed
        goes_on.set()
        return before or await working

    assert asyncio.run(exchange()) is False
    gc.collect()
    assert old.closed
    assert not new.closed
    assert house.close()
    assert new.closed


def test_a_pointer_that_moved_is_noticed_once(tmp_path: Path) -> None:
    pointer = Pointer(OpenExpert(Workspace(str(tmp_path)), publish(tmp_path, "2026-01-01T00:00:00+00:00")))
    assert pointer.look() is None
    publish(tmp_path, "2026-01-02T00:00:00+00:00")
    found = pointer.look()
    assert found is not None
    assert found.expert.made.startswith("2026-01-02")
    assert pointer.look() is None


def test_an_expert_that_cannot_be_opened_is_told_of_once_and_never_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pointer = Pointer(OpenExpert(Workspace(str(tmp_path)), publish(tmp_path, "2026-01-01T00:00:00+00:00")))
    (tmp_path / KIND / "group.json").write_text("{", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert pointer.look() is None
        assert pointer.look() is None
    assert caplog.text.count("cannot be opened anew") == 1


def test_warming_loads_what_readers_need(workspace: Path) -> None:
    with OpenExpert.of(Workspace(str(workspace))) as opened:
        warm(opened)
        assert {"library", "trace"} <= set(opened._kept)


def test_workers_turn_away_what_finds_no_place_and_count_it() -> None:
    workers, goes_on = Workers("search", 1, 1), threading.Event()

    async def crowd() -> list[object]:
        asked = [asyncio.ensure_future(workers.run(goes_on.wait, 20)) for _ in range(4)]
        await asyncio.sleep(0)
        told = (workers.taken, workers.waiting, workers.refused, workers.at_work)
        goes_on.set()
        return [told, *await asyncio.gather(*asked, return_exceptions=True)]

    told, *results = asyncio.run(crowd())
    assert told == (2, 1, 2, True)
    assert [isinstance(each, Busy) for each in results] == [False, False, True, True]
    assert workers.close(10)


def test_closing_waits_no_longer_than_it_was_told() -> None:
    workers, goes_on = Workers("models", 1, 4), threading.Event()

    async def leave() -> tuple[bool, bool]:
        working = asyncio.ensure_future(workers.run(goes_on.wait, 20))
        await asyncio.sleep(0.05)
        ended, at_work = await asyncio.to_thread(workers.close, 0.01), workers.at_work
        goes_on.set()
        await working
        return ended, at_work

    assert asyncio.run(leave()) == (False, True)
    assert workers.close(10)
