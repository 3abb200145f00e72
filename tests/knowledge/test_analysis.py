import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gnomon.knowledge.analysis import (
    MAX_QUERY,
    fold_japanese,
    indexed_text,
    is_unspaced,
    language_of,
    pairs,
    plain_name,
    query_words,
)


def test_old_and_variant_writings_of_the_same_words_become_one() -> None:
    assert fold_japanese("國立天文臺ノ觀測") == fold_japanese("国立天文台ノ観測")
    assert fold_japanese("ｽﾍﾟｸﾄﾙ ヴェガ") == "スペクトル ベガ"
    assert fold_japanese("コンピューター") == fold_japanese("コンピュータ")
    assert fold_japanese("データ") == "データ"
    assert fold_japanese("ゐのかみ") == "いのかみ"


def test_pairs_overlap_and_leave_other_words_whole() -> None:
    assert pairs("天文学のJWST、星。") == "天文 文学 学の jwst 星"


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold_japanese(text)
    assert fold_japanese(once) == once
    assert plain_name(plain_name(text)) == plain_name(text)


@given(st.text(max_size=200))
def test_a_query_has_no_control_characters_and_a_bounded_length(query: str) -> None:
    words = query_words(query * 40)
    for part in (words.spaced, words.japanese, words.pairs):
        assert all(unicodedata.category(char) not in {"Cc", "Cs"} for char in part)
    assert max(len(words.spaced), len(words.japanese)) <= MAX_QUERY


def test_the_kind_of_a_text_is_read_off_its_language_or_its_letters() -> None:
    assert is_unspaced("ja", "TESS")
    assert not is_unspaced("en", "星")
    assert is_unspaced("und", "銀河の星")
    assert is_unspaced("", "銀河団")
    assert not is_unspaced("und", "the 星 catalogue of stars")
    assert (language_of("系外惑星とは"), language_of("What is dust?")) == ("ja", "en")


def test_a_japanese_query_keeps_its_latin_words_for_the_other_column() -> None:
    words = query_words("TESSの系外惑星\x00 Kepler")
    assert words.is_japanese
    assert words.spaced == "TESS Kepler"
    assert not query_words("dust \u202e shells").is_japanese


def test_a_title_counts_as_often_as_it_should() -> None:
    columns = indexed_text("en", "Dust", "Method", "We map.", 2)
    assert columns == {"en": "Dust\nDust\nMethod\nWe map.", "ja": None, "ja_pairs": None}
    columns = indexed_text("ja", "星", "", "銀河", 1)
    assert columns == {"en": None, "ja": "星\n銀河", "ja_pairs": "星 銀河"}


def test_names_are_compared_without_accents_and_case_and_japanese_marks_are_kept() -> None:
    assert plain_name("ÖPIK,  E.") == "opik, e."
    assert plain_name("ガモフ") == "ガモフ" != plain_name("カモフ")
