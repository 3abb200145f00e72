"""The always-on checks, attacked as a careless or hostile writer would."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.answers import Citation, Claim
from gnomon.core.checks import check, covered_ngrams, facts, keep_known_ids, quote_stands, split_claims
from gnomon.core.names import names
from gnomon.core.records import Span

EVIDENCE = (
    "In 1931 the Quill survey measured 42 ring nebulae with the Basalt telescope. Their mean speed was 625 km/s, and 1,200 plates were "
    "exposed; it is unlikely that errors exceed 3 percent."
)
JAPANESE = "1931年のアシハラ掃天は42個の環状星雲を測り、平均の速さは毎秒約625キロメートル、誤差は3%とした。次に平山らは1億5000万年という年齢を求めた。"


def lacking(sentence: str, evidence: str = EVIDENCE) -> set[str]:
    return {fact.text for fact in facts(sentence, evidence) if not fact.supported}


# Ids


@pytest.mark.parametrize(
    ("text", "kept", "removed"),
    [
        ("A fact [R1].", "A fact [R1].", 0),
        ("A fact [R7].", "A fact.", 1),
        ("A fact [R1][R7] and more.", "A fact [R1] and more.", 1),
        ("A fact [R1, R7; R2].", "A fact [R1][R2].", 1),
        ("A fact [R1-R4].", "A fact [R1][R2].", 2),
        ("A fact ［Ｒ７］.", "A fact.", 1),
        ("A fact [R\u200b7].", "A fact.", 1),
        ("A fact [\u202er7].", "A fact.", 1),
        ("事実【R7】。", "事実。", 1),
        ("A fact [R01].", "A fact.", 1),
        ("The line [OIII] of [R136a1].", "The line [OIII] of [R136a1].", 0),
        ("A fact [R1 p. 3].", "A fact [R1].", 0),
        ("A fact [R1-R999999999999].", "A fact [R1].", 1),
    ],
)
def test_only_ids_that_were_handed_out_stay(text: str, kept: str, removed: int) -> None:
    assert keep_known_ids(text, {"R1", "R2"}) == (kept, removed)


def test_an_unknown_id_hidden_in_another_does_not_survive() -> None:
    text, removed = keep_known_ids("A fact [R[R9]7].", {"R1"})
    assert "R7" not in text
    assert removed == 2


@given(st.text(alphabet="[]［］【】R1r２7 ,-a.\u200b", max_size=60))
def test_after_the_whitelist_no_unknown_id_can_be_read(text: str) -> None:
    kept, _ = keep_known_ids(text, {"R1"})
    assert keep_known_ids(kept, {"R1"})[1] == 0
    assert {i for claim in split_claims(kept) for i in claim.citations} <= {"R1"}


@given(st.text(alphabet=string.ascii_letters + " .,;:", max_size=80))
def test_text_without_brackets_is_left_alone(text: str) -> None:
    assert keep_known_ids(text, {"R1"}) == (text, 0)


def test_ids_after_the_full_stop_belong_to_the_sentence_before() -> None:
    claims = split_claims("One star. [R1] [R2] It weighs 3.5 g [R3]. 星だ。[R4]")
    assert [(c.text, c.citations) for c in claims] == [
        ("One star.", ("R1", "R2")), ("It weighs 3.5 g.", ("R3",)), ("星だ。", ("R4",)),
    ]  # fmt: skip


# Quotes


def test_white_space_and_width_do_not_matter_to_a_quote() -> None:
    assert quote_stands("mean  speed\nwas ６２５ km/s", EVIDENCE)
    assert quote_stands("平均の速さは毎秒約６２５キロメートル", JAPANESE)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        " . ",
        "Quill survey measured 43 ring nebulae",
        "mean speed was 625 m/s",
        "Quill survey measured … 3 percent",
        "In 1931 the Quill survey exceed 3 percent.",  # stitched from two places
        "Quіll measured",  # a Cyrillic letter
        "Qu\u200bill survey measured",
        "likely that errors exceed 3 percent",  # cut inside a word turns the meaning
        "200 plates were exposed",  # cut inside a number
        "quill survey measured",
        "mean speed was 62",
    ],
)
def test_an_altered_or_badly_cut_quote_does_not_stand(quote: str) -> None:
    assert not quote_stands(quote, EVIDENCE)


def test_an_exponent_or_a_sign_cannot_be_lost_in_a_quote() -> None:
    assert not quote_stands("after 109 years", "after 10⁹ years")
    assert not quote_stands("1.5 mag", "is -1.5 mag")
    assert not quote_stands("万年という年齢", "15000万年という年齢")
    assert quote_stands("15000万年という年齢", "約15000万年という年齢")


@given(
    st.lists(
        st.text(alphabet=string.ascii_letters + string.digits + "年を星", min_size=1, max_size=8),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_every_run_of_whole_words_stands(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert quote_stands(" ".join(words[start:end]), "\n".join(words))


# Numbers, units, years, names


@given(st.text(max_size=200))
def test_a_sentence_supports_itself(text: str) -> None:
    assert all(fact.supported for fact in facts(text, text))


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("Quill measured 42 nebulae in 1931.", set()),
        ("The plates numbered 1200.", set()),
        ("Forty-two nebulae were measured.", set()),
        ("Errors stay below 3%.", set()),
        ("They moved at 625,000 m/s.", set()),
        ("Quill measured 43 nebulae in 1931.", {"43"}),
        ("Quill measured 42 nebulae in 1932.", {"1932"}),
        ("They moved at 625 m/s.", {"625 m/s"}),
        ("They moved at 625 km.", {"625 km"}),
        ("Errors stay below 3 sigma.", {"3 sigma"}),
        ("Thorn measured 42 nebulae.", {"Thorn"}),
        ("In 1931 the Thorn measured them.", {"Thorn"}),
        ("In 1931 Quіll measured them.", {"Quіll"}),  # a Cyrillic letter
        ("It was done with the Granite telescope.", {"Granite"}),
        ("NASA measured 42 nebulae.", {"NASA"}),
        ("The speed was 62\u200b6 km/s.", {"626 km/s"}),
        ("The speed was ６２６ km/s.", {"626 km/s"}),
        ("The speed was 6.25e2 km/s.", set()),
        ("The speed was 6.25 × 10³ km/s.", {"6.25 × 10^3 km/s"}),
    ],
)
def test_numbers_units_years_and_names_are_looked_up(claim: str, wrong: set[str]) -> None:
    assert lacking(claim) == wrong


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("平山は４２個を測った。", set()),
        ("誤差は３パーセントである。", set()),
        ("年齢は1.5億年とされた。", set()),
        ("年齢は1億6000万年とされた。", {"1億6000万年"}),
        ("1932年に測った。", {"1932年"}),
        ("木村らは42個を測った。", {"木村"}),
        ("これはイシハラ掃天の仕事である。", {"イシハラ"}),
        ("誤差は3度である。", {"3度"}),
    ],
)
def test_japanese_facts_are_looked_up(claim: str, wrong: set[str]) -> None:
    assert lacking(claim, JAPANESE) == wrong


@given(st.integers(2, 10**6), st.integers(1, 9))
def test_a_number_changed_in_one_digit_is_never_supported(number: int, step: int) -> None:
    last = number - number % 10 + (number + step) % 10
    assert not all(fact.supported for fact in facts(f"It has {last} parts.", f"It has {number} parts."))


@given(st.integers(10**59, 10**60 - 10), st.integers(1, 9))
def test_the_last_of_sixty_digits_counts_too(number: int, step: int) -> None:
    assert not all(fact.supported for fact in facts(f"It has {number + step} parts.", f"It has {number} parts."))


@pytest.mark.parametrize(
    ("claim", "evidence", "wrong"),
    [
        ("It lasts 5 s over 3 km.", "It lasts 3 s over 5 km.", {"5 s", "3 km"}),
        ("M86 has a jet.", "M87 has a jet.", {"M86"}),
        ("NGC 1069 has a jet.", "NGC 1068 has a jet.", {"1069"}),
        ("Four moons are known.", "Three moons are known.", {"Four"}),
        ("It is 3 ± 2 K.", "It is 3 ± 1 K.", {"2 K"}),
        ("It reached −3 K.", "It reached 3 K.", {"3 K"}),
        ("It happened in the 1980s.", "It happened in the 1990s.", {"1980s"}),
        ("3億年かかる。", "3万年かかる。", {"3億年"}),
    ],
)
def test_a_small_change_is_named(claim: str, evidence: str, wrong: set[str]) -> None:
    assert lacking(claim, evidence) == wrong


@pytest.mark.parametrize(
    "piece",
    ["1", "1,", "9.", "十", "1億", "one ", "5 km/", "[R1", "]", "。", "ァ", "A1-", "\u200b", "R1-R9,", "per ", "10^"],
)
def test_no_repetition_takes_long(piece: str) -> None:
    text = piece * (10_000 // len(piece))
    start = time.perf_counter()
    keep_known_ids(text, {"R1"})
    check(split_claims(text), [citation("R1", text[:2_000])], {"R1": text})
    assert time.perf_counter() - start < 10


def test_ordinary_sentence_openers_are_no_names() -> None:
    assert (
        names("However, this was new. Observations followed. Between them, nothing. 3 stars. Although late, it held.")
        == ()
    )
    assert names("Slipher and Hubble agreed on M31.") == ("Slipher", "Hubble", "M31")


# Coverage and the whole


def test_coverage_counts_what_is_not_in_the_evidence() -> None:
    assert covered_ngrams("Quill survey measured 42 ring nebulae", EVIDENCE) == (4, 4)
    assert covered_ngrams("a wholly different sentence about cats", EVIDENCE)[0] == 0
    assert covered_ngrams("環状星雲を測り", JAPANESE) == (3, 3)
    assert covered_ngrams("!?", EVIDENCE) == (0, 0)


@given(st.text(max_size=200), st.text(max_size=200))
def test_coverage_is_a_part_of_the_whole_and_full_for_itself(text: str, evidence: str) -> None:
    covered, total = covered_ngrams(text, evidence)
    assert 0 <= covered <= total
    assert covered_ngrams(text, text) == (total, total)


def citation(name: str, quote: str) -> Citation:
    span = Span(doc_id="local:a", text_hash="b2:0", start=0, end=len(quote))
    return Citation(id=name, doc_id="local:a", title="T", authors=(), year=1931, quote=quote, span=span)


def test_an_answer_is_judged_as_a_whole() -> None:
    quote = "Their mean speed was 625 km/s"
    claims = [Claim(text=f"{quote}.", citations=("R1",)), Claim(text="Thorn found 9 more.", citations=("R2",))]
    found = check(claims, [citation("R1", quote), citation("R2", "never written")], {"R1": EVIDENCE, "R2": EVIDENCE}, 3)
    assert found.unknown_ids == 3
    assert found.quotes_verbatim == 0.5
    assert found.numbers_supported == 1 / 3
    assert found.coverage is not None
    assert 0.5 < found.coverage < 1


def test_evidence_of_another_sentence_does_not_count() -> None:
    claims = [Claim(text="It has 9 parts.", citations=("R2",))]
    cited = [citation("R1", "It has 9 parts."), citation("R2", "It has many parts.")]
    assert check(claims, cited, {"R1": "It has 9 parts.", "R2": "It has many parts."}).numbers_supported == 0.0


def test_nothing_to_check_is_none_and_a_sentence_without_citation_is_not_covered() -> None:
    empty = check([], [], {})
    assert (empty.quotes_verbatim, empty.numbers_supported, empty.coverage) == (None, None, None)
    assert check([Claim(text="Nobody knows why.", citations=())], [], {}).coverage == 0.0
