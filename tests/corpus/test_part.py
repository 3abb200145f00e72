from pathlib import Path

import pytest
import shelves

from gnomon.core.errors import ConfigError, DataError
from gnomon.corpus import steps

ROWS = [(f"local:{i}", f"Title {i}", f"The text of note {i}.", "2020-01-01") for i in range(20)]


def test_the_parts_of_a_split_are_documents_and_together_the_whole(tmp_path: Path) -> None:
    split = steps.split(shelves.shelf(ROWS), development=0.2, test=0.2)
    found = {}
    for part in ("train", "development", "test"):
        record, path = shelves.make(steps.part(split, part), tmp_path)
        found[part] = {d.id for d in shelves.documents_of(path)}
        assert record.counts.kept == len(found[part])
    assert set.union(*found.values()) == {row[0] for row in ROWS}
    assert sum(map(len, found.values())) == len(ROWS)


def test_a_part_with_too_few_documents_is_refused_with_both_numbers(tmp_path: Path) -> None:
    split = steps.split(shelves.shelf(ROWS), development=0.0, test=0.0)
    with pytest.raises(DataError, match="0 of 20"):
        shelves.make(steps.part(split, "test", least=2), tmp_path)


def test_a_part_that_no_split_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rest"):
        shelves.make(steps.part(steps.split(shelves.shelf(ROWS)), "rest"), tmp_path)
