"""The rule judge: each check sees its fault and no other, and together they keep their promise."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_kit import FAST, FEW, FIELD, MEASURED, PLATES, SLIPHER, SPOTS, development, held_against, pair

from gnomon.core.messages import Message
from gnomon.core.synthetic import QA
from gnomon.synthesis.judging.labelled import shares, threshold
from gnomon.synthesis.judging.opposites import axes, contradictions, denied
from gnomon.synthesis.judging.passages import read_passage
from gnomon.synthesis.judging.recovery import ranked
from gnomon.synthesis.judging.rule import ACCEPT, CHECKS, RULE, grounded, judge, probability, suspicions
from gnomon.synthesis.judging.weights import BY_HAND, THRESHOLD, WEIGHTS
from gnomon.synthesis.judging.words import alike, words


@pytest.mark.parametrize(
    ("question", "answer", "quote", "check"),
    [
        ("How many spiral nebulae had Vesto Slipher measured by 1917?", "25 spiral nebulae", MEASURED, None),
        ("How many spiral nebulae had Vesto Slipher measured by 1917?", "52 spiral nebulae", MEASURED, "figures"),
        ("What was the mean speed of Slipher's nebulae?", "About 570 m/s", FAST, "figures"),
        ("How many of the nebulae measured by Slipher were approaching?", "Twice as many", FEW, "figures"),
        ("Where did Vesto Slipher measure radial velocities?", "At the Yerkes Observatory", MEASURED, "names"),
        ("What did Slipher's fastest nebulae do?", "They fell short of 1000 km/s", FAST, "words"),
        ("How did most of Vesto Slipher's 25 nebulae move?", "They were not receding", FEW, "denial"),
        ("Did most of Slipher's nebulae recede?", "No, the other 21 were approaching", FEW, "denial"),
        ("What did the fastest of Slipher's nebulae have?", "Speeds below 1000 km/s", FAST, "opposite"),
        ("Who took the plates of Vesto Slipher's nebulae?", "Percival Lowell", PLATES, "rival"),
        ("At which observatory, Lowell Observatory, did Vesto Slipher work?", "The Lowell Observatory", MEASURED, "leak"),
        ("What was the mean speed of Slipher's nebulae of 570 km/s?", "About 570 km/s", FAST, "leak"),
        ("What did this paper measure in Slipher's nebulae?", "Radial velocities", MEASURED, "leaning"),
        ("How fast were the objects two years later, beside Slipher's?", "About 570 km/s", FAST, "leaning"),
        ("What was the mean speed?", "About 570 km/s", FAST, "subject"),
        ("How fast were Edwin Hubble's nebulae on average?", "About 570 km/s", FAST, "premise"),
        ("Which dinosaurs did Slipher's favourite barber polish on rainy Sundays?", "25 spiral nebulae", MEASURED,
         "foreign"),
        ("How many spiral nebulae had Vesto Slipher measured?", "Spiral nebulae of Arizona", MEASURED, "evasive"),
        ("Who measured spiral nebulae at the Lowell Observatory?", "Radial velocities", MEASURED, "evasive"),
    ],
)  # fmt: skip
def test_each_check_sees_its_fault(question: str, answer: str, quote: str, check: str | None) -> None:
    found = held_against(question, answer, quote)
    assert found == set() if check is None else check in found


@pytest.mark.parametrize(
    ("question", "answer", "check"),
    [
        ("ヘールが1908年に測った太陽黒点の磁場は、最大でどのくらいか。", "約2900ガウス。", None),
        ("ヘールが1908年に測った太陽黒点の磁場は、最大でどのくらいか。", "約2090ガウス。", "figures"),
        ("ヘールが測った太陽黒点の磁場は何に達したか。", "最小で約2900ガウス。", "opposite"),
        ("ヘールが測った太陽黒点の磁場は約2900ガウスに達したか。", "いいえ、達しなかった。", "denial"),
        ("この研究でヘールが測った磁場は最大でいくらか。", "約2900ガウス。", "leaning"),
        ("磁場は最大でいくらか。", "約2900ガウス。", "subject"),
        ("ゼーマンが測った太陽黒点の磁場は最大でいくらか。", "約2900ガウス。", "premise"),
        ("ヘールが測った太陽黒点の磁場は最大で何ガウスか。", "磁場に達した。", "evasive"),
    ],
)
def test_each_check_sees_its_fault_in_japanese(question: str, answer: str, check: str | None) -> None:
    found = held_against(question, answer, FIELD, SPOTS)
    assert found == set() if check is None else check in found


def test_a_quote_that_does_not_stand_at_its_place_is_never_accepted() -> None:
    sound = pair("How many spiral nebulae had Vesto Slipher measured by 1917?", "25 spiral nebulae", MEASURED)
    changed = SLIPHER.with_text(SLIPHER.text.replace("By 1917", "In 1917"))
    assert probability(suspicions(sound, SLIPHER)) > THRESHOLD
    assert probability(suspicions(sound, changed)) < 0.05


def test_later_turns_are_held_against_the_quotes_too() -> None:
    asked = ("How many spiral nebulae had Vesto Slipher measured by 1917?", "25 spiral nebulae", MEASURED)
    turns = (Message(role="user", text="And where?"), Message(role="assistant", text="At the Yerkes Observatory."))
    assert "names" in held_against(*asked, kind="dialogue", turns=turns)


def test_a_summary_may_repeat_its_title() -> None:
    told = "Vesto Slipher measured radial velocities of 25 spiral nebulae at the Lowell Observatory."
    assert "leak" not in held_against("Summarise “Radial velocities of 25 spiral nebulae” (Slipher, 1917).", told,
                                      MEASURED, kind="summary")  # fmt: skip


def test_a_title_names_the_subject_and_a_gap_is_read_filled() -> None:
    lead = "On “Nebulae” (Slipher, 1917): "
    assert held_against(f"{lead}What was the mean speed?", "About 570 km/s", FAST) <= {"definite"}
    gap = f"{lead}Fill the gap: “____ took the plates, while Percival Lowell paid for them.”"
    assert held_against(gap, "Carl Lampland", PLATES, kind="cloze") <= {"definite"}


def test_metadata_are_held_against_the_record() -> None:
    assert held_against("Who wrote “Nebulae” (1917)?", "Doe, J.", MEASURED, kind="metadata") == set()
    assert "names" in held_against("Who wrote “Nebulae” (1917)?", "Edwin Hubble", MEASURED, kind="metadata")


def test_every_check_is_a_verdict_with_a_probability_and_the_last_is_the_whole() -> None:
    bad = pair("What was the mean speed?", "About 750 km/s", FAST)
    verdicts = judge(bad, SLIPHER)
    assert [v.criterion for v in verdicts] == [*CHECKS, ACCEPT]
    assert {v.judge for v in verdicts} == {RULE}
    assert all(0 <= v.score <= 1 for v in verdicts)
    assert verdicts[-1].score < 0.1
    assert "750" in verdicts[-1].reason
    assert {v.reason for v in verdicts if v.score == 1.0} == {""}


def test_no_suspicion_speaks_for_a_pair() -> None:
    assert set(WEIGHTS) | set(BY_HAND) == set(CHECKS) - {"found", "recovered"}
    assert all(weight <= 0 for weight in (*WEIGHTS.values(), *BY_HAND.values()))


def test_the_question_leads_back_to_its_sentence() -> None:
    assert ranked("Who paid for the plates of Lampland?", read_passage(SLIPHER), "en")[0] == 3
    assert ranked("黒点のガスはどちらへ流れるか。", read_passage(SPOTS), "ja")[0] == 3


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "ja"]))
def test_any_text_at_all_is_judged(question: str, answer: str, lang: str) -> None:
    if question.strip() and answer.strip():
        odd = QA(kind="open", lang=lang, question=question, answer=answer, writer="w",
                 evidence=pair("q", "a", FEW).evidence)  # fmt: skip
        assert 0 <= probability(suspicions(odd, SLIPHER)) <= 1


@given(st.sampled_from(["en", "ja"]), st.text(min_size=1, max_size=60))
def test_nothing_contradicts_itself(lang: str, text: str) -> None:
    assert contradictions(text, text, lang) == []


# Words ----------------------------------------------------------------------------------------


def test_words_are_compared_by_their_forms() -> None:
    assert all(alike(*both) for both in (("oscillate", "oscillations"), ("receding", "recede"), ("solar", "sun")))
    assert not any(alike(*both) for both in (("inward", "outward"), ("brighter", "fainter"), ("kepler", "keep")))
    assert [word.text for word in words("太陽黒点のガス", "ja")] == ["太陽", "陽黒", "黒点", "ガス"]


def test_opposites_are_listed_on_two_sides() -> None:
    for lang in ("en", "ja"):
        sides = {axis: {side for s in axes(lang).values() for a, side in s if a == axis} for s in axes(lang).values()
                 for axis, _ in s}  # fmt: skip
        assert all(found == {0, 1} for found in sides.values())


def test_denial_is_read_by_clause() -> None:
    assert list(denied("It does not drop because it rotates", "en").values()) == [True, False]
    assert not any(denied("Not only here, and not until then; no less than 5", "en").values())
    assert any(denied("装置は実現しなかった。", "ja").values())
    assert not any(denied("結果は必ず正しいかもしれない。", "ja").values())


# The promise ----------------------------------------------------------------------------------


def test_the_judge_keeps_its_promise_on_the_development_half() -> None:
    pairs = development()
    begun = time.process_time()
    scores = [probability(suspicions(one.pair, one.document)) for one in pairs]
    assert len(pairs) / (time.process_time() - begun) > 40
    rejected = shares(pairs, scores, THRESHOLD)
    lost, sound = rejected.pop("good")
    assert 1 - lost / sound >= 0.9
    assert len(rejected) == 6
    assert all(found / total >= 0.95 for found, total in rejected.values()), rejected
    assert threshold(pairs, 0.9) >= THRESHOLD


def test_a_claim_without_a_question_can_be_held_against_its_evidence() -> None:
    assert grounded("", "Slipher measured 25 nebulae in Arizona", MEASURED, "en") > 0.5
    assert grounded("", "Slipher measured 52 nebulae in Arizona", MEASURED, "en") < 0.2
