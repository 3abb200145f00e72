from pathlib import Path

import shelves

from gnomon.core.records import Mark
from gnomon.core.tables import read_table
from gnomon.corpus import steps

ROWS = [(f"local:{i}", f"Title {i}", f"The text of note {i}.", "") for i in range(9)]


def test_the_ids_asked_for_are_left_out_and_nothing_else(tmp_path: Path) -> None:
    record, folder = shelves.make(steps.withhold(shelves.shelf(ROWS), ["local:3", "local:8"]), tmp_path)
    assert {d.id for d in shelves.documents_of(folder)} == {row[0] for row in ROWS} - {"local:3", "local:8"}
    assert record.counts.dropped == {"removed": 2}
    assert [(d.doc_id, d.reason) for d in shelves.drops_of(folder)] == [("local:8", "removed"), ("local:3", "removed")]
    assert not {"local:3", "local:8"} & {m.doc_id for m in read_table(folder / "marks", Mark)}
    assert record.metrics == {"not_found": []}


def test_an_id_that_nobody_has_is_reported(tmp_path: Path) -> None:
    record, folder = shelves.make(steps.withhold(shelves.shelf(ROWS), ["local:77"]), tmp_path)
    assert record.metrics == {"not_found": ["local:77"]}
    assert len(shelves.documents_of(folder)) == 9


def test_the_order_of_ids_does_not_change_the_identity() -> None:
    shelf = shelves.shelf(ROWS)
    assert steps.withhold(shelf, ["b", "a", "a"]).identity == steps.withhold(shelf, ["a", "b"]).identity
