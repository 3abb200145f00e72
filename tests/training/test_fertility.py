from pathlib import Path
from typing import Any

import pytest
import tokens_making as making

from gnomon.training.encoding import encode_texts, open_tokenizer
from gnomon.training.excerpts import EXCERPT_CHARACTERS, Excerpt, excerpts
from gnomon.training.fertility import Ratio, fertility


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = tmp_path_factory.mktemp("fertility")
    ja = [making.document(f"local:ja{i}", making.JAPANESE * (i + 1), lang=lang) for i, lang in enumerate(("ja", "und"))]
    inputs = {"notes": making.english(folder / "en"), "日本語": making.shelf(folder / "ja", ja)}
    out = making.trained(folder / "t", inputs)
    return out.metrics["fertility"], open_tokenizer(out.path / "tokenizer")


def test_words_count_where_they_are_spaced_and_characters_where_not(measured: tuple[Any, Any]) -> None:
    table, tokenizer = measured
    english, japanese = table["sources"]["notes"], table["sources"]["日本語"]
    assert english["tokens_per_character"] is None
    assert japanese["tokens_per_word"] is None
    texts = [making.prose(i) for i in range(12)]
    tokens = sum(len(ids) for ids in encode_texts(tokenizer, texts))
    assert english["tokens_per_word"]["value"] == pytest.approx(tokens / sum(len(t.split()) for t in texts), abs=1e-5)
    tokens = sum(len(ids) for ids in encode_texts(tokenizer, [making.JAPANESE, making.JAPANESE * 2]))
    assert japanese["tokens_per_character"]["value"] == pytest.approx(tokens / (3 * len(making.JAPANESE)), abs=1e-5)


def test_sources_languages_and_fields_each_add_up_to_all(measured: tuple[Any, Any]) -> None:
    table, tokenizer = measured
    assert set(table["languages"]) == {"en", "ja", "und"}
    assert set(table["fields"]) == {"astro-ph.GA"}
    for group in ("sources", "languages"):
        for count in ("n", "tokens", "bytes"):
            assert sum(cell[count] for cell in table[group].values()) == table["all"][count]
    assert table["vocabulary"] == len(tokenizer)
    assert 0 < table["sources"]["日本語"]["vocabulary_used"] < table["all"]["vocabulary_used"] < 1


def test_an_interval_is_there_and_holds_its_value(measured: tuple[Any, Any]) -> None:
    row = measured[0]["all"]["tokens_per_byte"]
    assert row["low"] < row["value"] < row["high"]
    assert row["n"] == 14


def test_samples_that_agree_have_an_interval_of_no_width() -> None:
    ratio = Ratio()
    assert ratio.to_row() is None
    ratio.add(2, 4)
    assert ratio.to_row() == {"value": 0.5, "n": 1}
    ratio.add(3, 6)
    assert ratio.to_row() == {"value": 0.5, "n": 2, "low": 0.5, "high": 0.5}


def test_a_corpus_of_very_many_fields_keeps_its_table_small(measured: tuple[Any, Any]) -> None:
    texts = (
        Excerpt(source="s", document=str(i), number=0, lang="en", field=f"field{i}", text="dust") for i in range(1_000)
    )
    table = fertility(measured[1], texts)
    assert len(table["fields"]) <= 300
    assert sum(cell["n"] for cell in table["fields"].values()) == table["all"]["n"] == 1_000


def test_excerpts_give_each_text_back_whole_and_are_never_long(tmp_path: Path) -> None:
    texts = [making.prose(1, 2_000), "x" * 35_000, "short"]
    shelf = making.shelf(tmp_path, [making.document(f"local:{i}", t) for i, t in enumerate(texts)])
    found = list(excerpts({"s": shelf}, {"s": 1.0}, "any"))
    assert all(0 < len(e.text) <= EXCERPT_CHARACTERS for e in found)
    for i, text in enumerate(texts):
        assert "".join(e.text for e in found if e.document == f"local:{i}") == text
    assert not list(excerpts({"s": shelf}, {"s": 0.0}, "any"))
