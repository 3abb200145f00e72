from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import DataError
from gnomon.knowledge.tracing import codes
from gnomon.knowledge.tracing.codes import BORDER, CAPACITY, SINGLES, Vocabulary, ids_of, unit_table, units_of


@given(st.lists(st.one_of(st.integers(0, CAPACITY - 1), st.integers(SINGLES - 2, SINGLES + 2)), max_size=20))
def test_units_lead_back_to_the_words(ids: list[int]) -> None:
    units = np.frombuffer(units_of(ids), dtype="<u2")
    assert ids_of(units).tolist() == ids
    assert BORDER not in units
    assert 0 not in units


def test_the_table_of_units_agrees_with_the_units_of_single_words() -> None:
    first, second = unit_table(SINGLES + 20_000)
    for word in (0, 1, SINGLES - 1, SINGLES, SINGLES + 8_191, SINGLES + 8_192, SINGLES + 19_999):
        both = [unit for unit in (int(first[word]), int(second[word])) if unit]
        assert units_of([word]) == np.array(both, dtype="<u2").tobytes()


def test_half_a_word_at_an_edge_is_left_out() -> None:
    units = np.frombuffer(units_of([SINGLES + 5, 7, SINGLES + 9]), dtype="<u2")
    assert ids_of(units[1:-1]).tolist() == [7]


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.integers(1, 9), max_size=30))
def test_a_vocabulary_finds_each_of_its_words_and_no_other(tmp_path_factory, counts: dict[str, int]) -> None:
    folder: Path = tmp_path_factory.mktemp("vocabulary")
    ids = codes.write_vocabulary(folder, counts, counts)
    found = Vocabulary(folder)
    assert {form: found.find(form) for form in counts} == ids
    assert {form: found.word(number) for form, number in ids.items()} == {form: form for form in counts}
    assert [counts[found.word(n)] for n in range(len(found))] == sorted(counts.values(), reverse=True)
    assert found.find("no such word at all") is None


def test_more_words_than_codes_are_refused_with_both_numbers(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(codes, "CAPACITY", 1)
    with pytest.raises(DataError, match="2 distinct words, at most 1"):
        codes.write_vocabulary(tmp_path, {"a": 1, "b": 1}, {"a": 1, "b": 1})
