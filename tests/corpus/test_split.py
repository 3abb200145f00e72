from pathlib import Path

import pytest
import shelves
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.corpus import steps
from gnomon.corpus.split import PARTS, SplitConfig, last_day, part_of
from gnomon.runs import Record

DATES = ["1998-03-02", "2019-12-31", "2020-01-01", "2020-06", "2020", "2021-05-05", ""]
ROWS = [(f"local:{i}", f"Title {i}", f"The text of note {i}.", date) for i, date in enumerate(DATES * 3)]


def split(
    folder: Path, pairs: tuple[tuple[str, str], ...] = (), **settings: object
) -> tuple[Record, dict[str, set[str]]]:
    shelf = shelves.shelf(ROWS, pairs=pairs)
    record, path = shelves.make(steps.split(shelf, shelf if pairs else None, **settings), folder)
    return record, {part: {d.id for d in shelves.documents_of(path / part)} for part in PARTS}


def test_by_hash_every_document_is_in_exactly_one_part(tmp_path: Path) -> None:
    record, parts = split(tmp_path, development=0.3, test=0.3)
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == len(ROWS)
    assert record.metrics["parts"] == {name: len(ids) for name, ids in parts.items()}
    assert all(parts.values())


@given(st.text(min_size=1), st.floats(0, 0.5), st.floats(0, 0.49))
def test_by_hash_a_part_depends_on_the_id_alone_and_grows_with_its_share(doc_id: str, test: float, more: float) -> None:
    small, large = SplitConfig(test=test, development=0), SplitConfig(test=test + more, development=0)
    assert part_of(doc_id, "2020", small) == part_of(doc_id, "", small)
    assert part_of(doc_id, "", small) == "train" or part_of(doc_id, "", large) == "test"


def test_by_hash_shares_are_met_and_another_salt_divides_anew() -> None:
    one, two = SplitConfig(test=0.2, development=0.1), SplitConfig(test=0.2, development=0.1, salt="b")
    parts = [part_of(f"arxiv:{i}", "", one) for i in range(5_000)]
    assert abs(parts.count("test") / 5_000 - 0.2) < 0.02
    assert abs(parts.count("development") / 5_000 - 0.1) < 0.02
    assert parts != [part_of(f"arxiv:{i}", "", two) for i in range(5_000)]


def test_by_time_nothing_in_training_may_be_later_than_what_is_in_test(tmp_path: Path) -> None:
    record, parts = split(tmp_path, by="time", development_after="2019-12-31", test_after="2020-06-30")
    dates = {row[0]: row[3] for row in ROWS}
    assert {dates[i] for i in parts["train"]} == {"1998-03-02", "2019-12-31"}
    assert {dates[i] for i in parts["development"]} == {"2020-01-01", "2020-06"}
    assert {dates[i] for i in parts["test"]} == {"2020", "2021-05-05"}
    assert record.counts.dropped == {"undated": 3}


def test_documents_without_a_date_go_where_the_config_says(tmp_path: Path) -> None:
    record, parts = split(tmp_path, by="time", test_after="2020-06-30", undated="train")
    assert {"local:6", "local:13", "local:20"} <= parts["train"]
    assert record.counts.dropped == {}


@pytest.mark.parametrize("settings", [{"test": 0.5, "development": 0}, {"by": "time", "test_after": "2019-12-31"}])
def test_near_duplicates_are_never_parted(tmp_path: Path, settings: dict[str, object]) -> None:
    pairs = (("local:0", "local:5"), ("local:5", "local:9"), ("local:1", "local:2"))
    _, parts = split(tmp_path, pairs, **settings)
    for ids in ({"local:0", "local:5", "local:9"}, {"local:1", "local:2"}):
        assert sum(bool(ids & part) for part in parts.values()) == 1
    if settings.get("by") == "time":
        assert {"local:0", "local:5", "local:9", "local:1", "local:2"} <= parts["test"]


def test_the_last_day_a_date_may_mean() -> None:
    assert [last_day(d) for d in ("2024", "2024-05", "2024-05-03", "")] == [
        "2024-12-31",
        "2024-05-31",
        "2024-05-03",
        "",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "luck"}, "'luck'"), ({"test": 0.7, "development": 0.4}, "0.7"), ({"by": "time"}, "without a date"),
        ({"by": "time", "test_after": "May 2020"}, "'May 2020'"), ({"undated": "nowhere"}, "'nowhere'"),
        ({"by": "time", "test_after": "2019", "development_after": "2020"}, "'2020' is not before"),
    ],
)  # fmt: skip
def test_a_division_that_makes_no_sense_is_refused(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split(tmp_path, **settings)
