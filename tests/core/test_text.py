import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.text import fold, has_kana, ngrams, sentences, terms, unspaced_share

CASES = {
    "en": [
        (
            [
                "Smith et al. 2005 found H0 = 72.5 km/s/Mpc.",
                "J. R. Oppenheimer (e.g. 1939) agreed!",
                "See Fig. 3 there.",
            ],
            " ",
        ),
        (['She said "yes."', "Then it was done.", "Was it?"], " "),
        (
            [
                "It moved at 59 m/s.",
                "The gas was at 1300 K.",
                "C. H. Payne agreed on p. 12 of it.",
                "So did E. Hubble.",
            ],
            " ",
        ),
        (["The value is approx. 3.5 at z = 0.", "The U.S. Naval Observatory moved."], "  "),
        (["First paragraph without an end", "Second paragraph."], "\n\n"),
    ],
    "ja": [
        (["宇宙は「膨張している。速い」と述べた。", "これは正しい！", "H0は72.5である。"], ""),
        (["見出し", "本文はここから始まる。"], "\n\n"),
        (["距離は約3.5 Mpcである（図1参照）。", "次に進む。"], " "),
    ],
}


@pytest.mark.parametrize(
    ("lang", "parts", "between"), [(lang, *case) for lang, cases in CASES.items() for case in cases]
)
def test_sentences_are_cut_where_a_reader_would(lang: str, parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert [text[a:b] for a, b in sentences(text, lang)] == parts
    assert [text[a:b] for a, b in sentences(text)] == parts


@given(st.text(st.sampled_from("ab1. 。「」\n!?日A\u3000")))
def test_sentences_cover_all_but_white_space_without_overlap(text: str) -> None:
    for lang in ("en", "ja", ""):
        found = sentences(text, lang)
        assert all(a < b for a, b in found)
        assert all(b <= c for (_, b), (c, _) in itertools.pairwise(found))
        kept = "".join(text[a:b] for a, b in found)
        assert "".join(kept.split()) == "".join(text.split())


@given(st.text())
def test_folding_twice_changes_nothing_more_for_terms(text: str) -> None:
    assert terms(fold(text)) == terms(text) or fold(fold(text)) != fold(text)


def test_terms_are_words_numbers_and_single_unspaced_characters() -> None:
    assert terms("Ia型超新星 72.5 km/s don't ＡＢ１") == [
        "ia",
        "型",
        "超",
        "新",
        "星",
        "72.5",
        "km",
        "s",
        "don't",
        "ab1",
    ]


def test_scripts_are_told_apart() -> None:
    assert unspaced_share("宇宙は広い") == 1
    assert unspaced_share("") == 0
    assert 0 < unspaced_share("z 型") < 1
    assert has_kana("宇宙の")
    assert not has_kana("宇宙")
    assert list(ngrams("abc", 2)) == [("a", "b"), ("b", "c")]
