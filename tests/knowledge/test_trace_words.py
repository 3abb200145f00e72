import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trace_indexes import FORMS, forms

from gnomon.knowledge.tracing.words import Forms, Kind, full_pattern, kind, may_cut, pattern, words

MIXED = st.text(
    alphabet="aZ1 .,’'-_銀河のがスペー・゛ﾞｶＡé\u0301\u3099\u200d\ufe0f😀👩🚀🇯🇵\n\t\u3000\x00\u00ad。²", max_size=40
)


@given(st.one_of(MIXED, st.text(max_size=60)))
def test_every_visible_character_belongs_to_exactly_one_word(text: str) -> None:
    found = words(text, FORMS)
    covered = [n for word in found for n in range(word.start, word.end)]
    assert covered == sorted(set(covered))
    left = {text[n] for n in set(range(len(text))) - set(covered)}
    assert all(c.isspace() or c in "\u00ad\u200b\u2060\ufeff" for c in left)


@given(MIXED)
def test_a_stretch_from_border_to_border_has_the_same_words_alone(text: str) -> None:
    found = words(text, FORMS)
    for i in range(len(found)):
        for j in range(i + 1, len(found) + 1):
            alone = text[found[i].start : found[j - 1].end]
            assert forms(alone) == [word.form for word in found[i:j]]


@given(st.text(alphabet="aéöがパか한글Å ü", max_size=20))
def test_composed_and_decomposed_writing_have_the_same_forms(text: str) -> None:
    assert forms(unicodedata.normalize("NFD", text)) == forms(unicodedata.normalize("NFC", text))


@given(st.one_of(MIXED, st.text(alphabet="abZ019 .,'’-_$é\u0301ス", max_size=30), st.text(max_size=40)))
def test_the_short_cut_for_plain_ascii_changes_nothing(text: str) -> None:
    assert pattern().findall(text) == re.findall(full_pattern(), text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NGC4258 at z=0.315", ["NGC4258", "at", "z", "=", "0.315"]),
        ("Hubble's law, 1929.", ["Hubble's", "law", ",", "1929", "."]),
        ("10² is not 102", ["10²", "is", "not", "102"]),
        ("ＮＧＣ　１", ["NGC", "1"]),
        ("ｶﾞｽ雲", ["ガ", "ス", "雲"]),
        ("👩‍🚀🇯🇵👍🏽", ["👩‍🚀", "🇯🇵", "👍🏽"]),
        (r"$M_{\odot}$", ["$", "M", "_", "{", "\\", "odot", "}", "$"]),
    ],
)
def test_words_are_what_a_reader_takes_for_words(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


def test_case_is_folded_only_when_asked() -> None:
    assert forms("Dark") == ["Dark"]
    assert [w.form for w in words("Dark", Forms(fold_case=True))] == ["dark"]


def test_a_word_without_end_is_cut() -> None:
    assert max(len(word) for word in pattern().findall("x" * 100_000)) < 3_000


def test_a_katakana_word_is_not_cut_and_a_kanji_compound_may_be() -> None:
    assert not may_cut("ス", "ー")
    assert may_cut("銀", "河")
    assert may_cut("ム", "の")
    assert [kind(c) for c in ("銀", "の", "ス", "x", ",", "")] == [
        Kind.HAN, Kind.HIRAGANA, Kind.KATAKANA, Kind.WORD, Kind.SYMBOL, Kind.SYMBOL,
    ]  # fmt: skip
