"""The extractive writer: every pair can be walked back, stands alone, and is not given away."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from writing import DOCUMENTS, M31, SUNSPOTS, document, drops_of, make, pairs_of, shelf

from gnomon.core.errors import ConfigError
from gnomon.core.records import Author, Document, Drop
from gnomon.core.synthetic import QA
from gnomon.core.tables import read_table
from gnomon.core.text import fold
from gnomon.runs import Recipe, Workspace, run
from gnomon.synthesis import steps as synthesis
from gnomon.synthesis import write as writing_step
from gnomon.synthesis.extractive.entities import entities
from gnomon.synthesis.extractive.options import Pool, options
from gnomon.synthesis.extractive.sentences import read_sentences
from gnomon.synthesis.extractive.writer import look, propose
from gnomon.synthesis.proposals import Proposal, same, settle
from gnomon.synthesis.quoting import locate
from gnomon.synthesis.selfcontained import leaning, pointing, unnamed

KINDS = ("definition", "relation", "numeric", "choice", "cloze")


def asked(text: str, lang: str = "en", kinds: tuple[str, ...] = KINDS, seed: int = 0, **more: object) -> list[QA]:
    own = document("local:a", text, lang, "A title", **more)  # type: ignore[arg-type]
    found = look(own, lang)
    pool = Pool()
    for one in (own, *DOCUMENTS):
        pool.add(one.lang, "astro-ph.GA", (e for known in look(one, one.lang).entities.values() for e in known))
    proposals, _ = propose(found, kinds, 50, pool, seed)
    return [pair for p in proposals if isinstance(pair := settle(p, own), QA)]


def questions(text: str, lang: str = "en", kinds: tuple[str, ...] = KINDS) -> dict[str, str]:
    """Questions with their answers, kind by kind, without the words that name the work."""
    pairs = [pair for kind in kinds for pair in asked(text, lang, (kind,))]
    return {pair.question.split("): ")[-1].split("）について、")[-1]: pair.answer for pair in pairs}


# What is asked --------------------------------------------------------------------------------


def test_natural_questions_are_made_of_english_sentences() -> None:
    found = questions(M31, kinds=("relation", "numeric"))
    assert found["Who showed in 1944 that the bulge of NGC 205 can be resolved into red stars?"] == "Walter Baade"
    said = found["What did Walter Baade show in 1944?"]
    assert said == "That the bulge of NGC 205 can be resolved into red stars."
    assert found["The Andromeda nebula approaches the Sun at a speed of about how many km/s?"] == "300 km/s"
    assert found["The nebula M31 holds about how many globular clusters?"] == "450 globular clusters"
    year = "In which year did Walter Baade show that the bulge of NGC 205 can be resolved into red stars?"
    assert found[year] == "1944"


def test_a_reason_is_asked_for() -> None:
    text = "The dust of NGC 253 looks red because its smallest grains scatter blue light out of the beam."
    assert questions(text, kinds=("relation",)) == {
        "Why is it that the dust of NGC 253 looks red?": "Because its smallest grains scatter blue light out of the beam."
    }


def test_natural_questions_are_made_of_japanese_sentences() -> None:
    found = questions(SUNSPOTS, "ja", ("relation", "numeric"))
    assert found["太陽黒点の磁場は最大で約何ガウスに達したか。"] == "2900ガウス"
    assert found["1918年に、軌道の似た小惑星の集まりを族と名づけたのは誰か。"] == "平山清次"
    assert found["木星の磁場は赤道で約何ガウスか。"] == "4ガウス"


@pytest.mark.parametrize(
    ("text", "lang", "question", "answer"),
    [
        ("Quasars are now called active galactic nuclei, as everybody knows.", "en", "What are quasars called?",
         "Active galactic nuclei"),
        ("Pulsars are the rotating neutron stars that beam radio waves past the Earth.", "en",
         "What are pulsars?", "The rotating neutron stars that beam radio waves past the Earth."),
        ("The Cosmic Background Explorer (COBE) measured the sky in 1990.", "en", "What does COBE stand for?",
         "Cosmic Background Explorer"),
        ("セファイドとは周期的に明るさを変える黄色の超巨星である。", "ja", "セファイドとは何か。", "周期的に明るさを変える黄色の超巨星"),
        ("太陽の表面に現れる暗い斑点は黒点と呼ばれる。", "ja", "太陽の表面に現れる暗い斑点は何と呼ばれるか。", "黒点"),
    ],
)  # fmt: skip
def test_definitions_are_asked_for(text: str, lang: str, question: str, answer: str) -> None:
    assert questions(text, lang, ("definition",)) == {question: answer}


def test_what_we_found_is_asked_of_its_work_by_name() -> None:
    found = asked("We find that NGC 1234 loses 12 solar masses a year to its wind.", kinds=("relation",))
    assert [(p.question, p.answer) for p in found] == [
        ("What did Doe (“A title”, 1950) find?", "That NGC 1234 loses 12 solar masses a year to its wind.")
    ]


def test_a_sentence_that_leans_on_another_is_not_asked_about() -> None:
    for text, lang, sign in ((M31, "en", "farther away"), (SUNSPOTS, "ja", "大きな発見")):
        assert not any(sign in pair.evidence[0].quote for pair in asked(text, lang))
    leaning_ones = (
        " He gave 12 names to the spiral arms of Messier 31. It has 2 faint companions that lie near NGC 205."
    )
    _, left = read_sentences(document("local:a", M31 + leaning_ones, "en"), "en")
    assert [one.why for one in left] == ["He", "It"]


def test_where_the_authors_are_the_answer_the_title_does_not_name_them() -> None:
    text = "Vera Rubin found that the rotation curves of 21 spiral galaxies are flat out to their edges."
    own = document("local:a", "In their outer parts 21 galaxies rotate fast. " + text, "en", "Rotation")
    for pair in asked(own.text, kinds=("relation", "cloze")):
        assert "Rubin" not in pair.question or pair.answer != "Vera Rubin"


def test_dates_errors_ranges_and_parts_of_names_are_not_asked_for() -> None:
    for sentence in (
        "It was seen on 24 August and lasted from 35 to 250 Hz with a peak.", "The Wide Field Camera 2 took it.",
        "The value is 0.965 with an uncertainty of 0.004 today.", "One part in 120 becomes energy there.",
    ):  # fmt: skip
        assert [e.text for e in entities(sentence) if e.figure is not None] == []
    assert [e.text for e in entities("2月23日7時35分に観測された。")] == []


def test_he_is_asked_about_by_name_where_nobody_else_acted() -> None:
    text = "In 1950 Jane Doe counted the stars of M13. She measured 12 variable stars within 3 arcmin of its core."
    gaps = questions(text, kinds=("cloze",))
    assert any("Jane Doe measured ____" in q or "Jane Doe measured 12" in q for q in gaps)
    other = text.replace("M13.", "M13, as Harlow Shapley had.")
    assert not any("She" in q or "Doe measured" in q for q in questions(other, kinds=("cloze",)))


@pytest.mark.parametrize(
    "sentence",
    [
        "Peter Goldreich and Ann Smith realised that it cannot be so for the 12 moons of Jupiter.",
        "Eight years later supernovae gave evidence for a constant near 70 percent of the critical density.",
        "The two groups of NGC 4565 disagreed by 30 km/s, and the other one was dropped in 1961.",
        "John Leibacher reached a similar picture independently in 1971 at the Mount Wilson Observatory.",
        "太陽程度の質量なら、その値は約4000 Kであるとされた。",
    ],
)
def test_words_that_only_another_sentence_explains_are_not_asked_about(sentence: str) -> None:
    assert asked(sentence, "ja" if "。" in sentence else "en") == []


def test_the_head_of_a_question_gives_no_answer_away() -> None:
    text = "Jane Doe saw in 1950 that the arms of NGC 224 hold 12 open clusters of young stars."
    for pair in asked(text, kinds=("cloze", "relation", "numeric")):
        head = pair.question.split(": ")[0] if pair.question.startswith("On “") else ""
        assert "Doe" not in head or pair.answer != "Jane Doe"
        assert "1950" not in head or pair.answer != "1950"


def test_named_things_are_gaps_and_words_of_other_names_are_not() -> None:
    sentence = "Meghnad Saha gave the Saha equation in 1920, and NASA's Kepler mission and two telescopes used it."
    assert [e.text for e in entities(sentence) if e.kind.startswith("term")] == ["Saha equation", "Kepler mission"]
    assert [e.text for e in entities("岐阜県のスーパーカミオカンデは、データを集めた。")] == ["スーパーカミオカンデ"]


# Options --------------------------------------------------------------------------------------


def test_options_are_of_one_unit_and_none_equals_the_answer_after_rounding() -> None:
    made = [pair for pair in asked(M31, kinds=("choice",)) if pair.answer.endswith("km/s")]
    assert made
    for pair in made:
        assert len(pair.choices) == 4 == len(set(pair.choices))
        assert pair.choices.count(pair.answer) == 1
        assert all(option.endswith("km/s") for option in pair.choices)


def test_options_are_written_alike_and_far_enough_apart() -> None:
    entity = next(e for e in entities("The mirror measures 8 m across.") if e.figure)
    near = entities("One has 8.2 m, one has 4 m; others have 6 m, some have 10 m now; far away 0.005 km counts too.")
    made = options("8 m", entity, "", near, [], random.Random(0))
    assert sorted(made) == ["10 m", "4 m", "6 m", "8 m"]


def test_who_may_have_done_it_too_is_no_wrong_answer() -> None:
    text = (
        "Jane Doe found that 12 stars of NGC 205 are variable. Mary Major measured 30 stars of M13 with great care."
        " John Minor noticed 7 more stars of M15."
    )
    for pair in asked(text, kinds=("choice",)):
        if pair.answer in {"Jane Doe", "Mary Major", "John Minor"}:
            assert not {"Jane Doe", "Mary Major", "John Minor"} & set(pair.choices) - {pair.answer}


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [("1000 km", "1,000 km", True), ("1 Mpc", "1000 kpc", True), ("2.04 K", "2.0 K", True), ("2.04 K", "2.4 K", False),
     ("1929", "1931", False), ("30 stars", "30 clusters", False), ("NGC 224", "ngc  224", True), ("5 K", "5 m", False)],
)  # fmt: skip
def test_two_options_that_say_the_same_are_one(a: str, b: str, equal: bool) -> None:
    assert same(a, b) is equal


def test_without_three_fitting_others_there_are_no_options() -> None:
    entity = next(e for e in entities("The star shines at 5 km/s there.") if e.figure)
    near = entities("One at 5.01 km/s, another with 7 km/s; one has 9 Mpc; far off is 90000000 km/s now.")
    assert options("5 km/s", entity, "", near, [], random.Random(0)) == ()


def test_the_pool_does_not_depend_on_the_order_of_documents() -> None:
    found = [entities(f"It reached {n} km/s there.") for n in range(2, 900)]
    first, second = Pool(), Pool()
    for one in found:
        first.add("en", "", one)
    for one in reversed(found):
        second.add("en", "", one)
    kind = found[0][0].kind
    assert [e.text for e in first.of("en", "", kind)] == [e.text for e in second.of("en", "", kind)]
    assert len(first.of("en", "", kind)) == 300


# Properties -----------------------------------------------------------------------------------

SENTENCES = (
    *[s + "." for s in M31.rstrip(".").split(". ")], "This paper counts 12 stars in NGC 100.", "α Cen lies 1.3 pc away.",
    "We measured 42 km/s for M87 and 17 kpc for its jet.", "The ﬁrst 3 pulsars, by Jocelyn Bell, beat at 1.3 s.",
    "Ten stars of M13 shine.\n\n", *[s + "。" for s in SUNSPOTS.rstrip("。").split("。")], "本研究は２０個の星を調べた。",
)  # fmt: skip


@given(parts=st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=12), seed=st.integers(0, 3), ja=st.booleans())
def test_every_pair_is_whole(parts: list[str], seed: int, ja: bool) -> None:
    text, lang = " ".join(parts), "ja" if ja else "en"
    for pair in asked(text, lang, seed=seed):
        for evidence in pair.evidence:
            span = evidence.span
            assert text[span.start : span.end] == evidence.quote
            assert span.text_hash == document("local:a", text, lang).text_hash
        assert fold(pair.answer) not in fold(pair.question) or len(fold(pair.answer)) < 3
        assert not pointing(pair.answer, lang)
        if pair.choices:
            assert len(pair.choices) == 4
            assert sum(same(pair.answer, option) for option in pair.choices) == 1
    assert asked(text, lang, seed=seed) == asked(text, lang, seed=seed)


def noted(row: dict[str, Any]) -> Document:
    """A note as a document."""
    own = document(row["id"], row["text"], row["lang"], row["title"], row["year"])
    return replace(own, biblio=replace(own.biblio, authors=tuple(Author(name=name) for name in row["authors"])))


def test_the_starter_notes_give_pairs_that_hold() -> None:
    folder = Path(writing_step.__file__).parents[2] / "gnomon_recipes" / "starter"
    made = {"en": 0, "ja": 0}
    for file, lang in (("notes_ga.jsonl", "en"), ("notes_ja.jsonl", "ja")):
        rows = [json.loads(line) for line in (folder / file).read_text(encoding="utf-8").splitlines()]
        own = [noted(row) for row in rows]
        found = [look(one, lang) for one in own]
        pool = Pool()
        for one in found:
            pool.add(lang, "astro-ph.GA", (e for known in one.entities.values() for e in known))
        pairs = [
            pair for one in found for p in propose(one, KINDS, 8, pool, 0)[0]
            if isinstance(pair := settle(p, one.document), QA)
        ]  # fmt: skip
        texts = {one.id: one.text for one in own}
        for pair in pairs:
            span = pair.evidence[0].span
            assert texts[span.doc_id][span.start : span.end] == pair.evidence[0].quote
            assert len(pair.choices) in {0, 4}
            if not pair.answer.startswith(("That ", "Because ")):
                assert pair.kind in {"definition", "relation"} or pair.answer.split()[0] in pair.evidence[0].quote
        assert len({pair.id for pair in pairs}) == len(pairs)
        made[lang] = len(pairs)
    assert made["en"] >= 42 * 2.5
    assert made["ja"] >= 44 * 2.5


@given(st.text(st.sampled_from("aé 　ﬁ1²½,.\u00ad\u3099がＡ\n"), max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_a_slice_of_a_text_is_found_where_the_same_words_stand(text: str, a: int, b: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    place = locate(text[start:end], text)
    if place is not None:
        assert fold(text[slice(*place)]) == fold(text[start:end])


def test_a_quote_in_other_widths_and_spaces_is_found_again_and_a_changed_one_is_not() -> None:
    text = "On  the\nﬁrst night ＮＧＣ 224 rose at 12,900 m. It was unlikely."
    assert text[slice(*locate("the first night NGC 224 rose at 12,900 m", text) or (0, 0))] == text[4:43]
    for wrong in ("the first night NGC 225", "900 m", "likely", "on the first", "", "  "):
        assert locate(wrong, text) is None
    assert locate("unlikely", text, 0, 20) is None


@pytest.mark.parametrize(
    ("words", "lang"),
    [("What does the paper find?", "en"), ("What did the authors measure in M87?", "en"), ("How far is it?", "en"),
     ("What does this study say about NGC 224?", "en"), ("Why did he leave?", "en"), ("How bright are these stars?", "en"),
     ("What is shown above for M31?", "en"), ("What did we find in M31?", "en"), ("本論文の結論は何か。", "ja"),
     ("この研究で測られた質量はいくらか。", "ja"), ("著者らは何を見つけたか。", "ja"), ("それは何か。", "ja"), ("上記の銀河の距離は。", "ja")],
)  # fmt: skip
def test_what_leans_is_refused(words: str, lang: str) -> None:
    assert leaning(words, lang)


@pytest.mark.parametrize(
    ("words", "lang"),
    [("How long does it take light to cross the Milky Way?", "en"), ("When a star dies, what happens to its core?", "en"),
     ("Which galaxy did Hubble find to lie outside our Galaxy?", "en"), ("What follows from the work of Vera Rubin?", "en"),
     ("太陽の磁場の強さはいくらか。", "ja"), ("平山清次が族と名づけたものは何か。", "ja"), ("恒星の明るさとその周期の関係は何を示すか。", "ja")],
)  # fmt: skip
def test_what_stands_alone_is_not(words: str, lang: str) -> None:
    assert not leaning(words, lang)
    assert not unnamed(words, lang)


# Proposals ------------------------------------------------------------------------------------

OWN = document("local:a", M31, "en", "On the paper that this study cites")
GOOD = Proposal(kind="open", lang="en", question="How fast does the Andromeda nebula approach the Sun?",
                answer="At about 300 km/s.", quotes=("approaches the Sun at a speed of about 300 km/s",))  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"question": " "}, "no_answer"), ({"answer": ""}, "no_answer"), ({"quotes": ()}, "quote_not_found"),
     ({"quotes": ("at a speed of about 301 km/s",)}, "quote_not_found"),
     ({"question": "What speed does the paper give for M31?"}, "not_self_contained"),
     ({"answer": "About 300 km/s, as the authors found."}, "not_self_contained"),
     ({"answer": "300 km/s", "question": "How far from 300 km/s is M31 off?"}, "leaks_answer"),
     ({"kind": "choice"}, "bad_options"), ({"choices": ("At about 300 km/s.", "1 km/s", "2 km/s")}, "bad_options"),
     ({"choices": ("At about 300 km/s.", "1 Mpc", "1000 kpc", "2 kpc")}, "bad_options"),
     ({"choices": ("At about 300 km/s.", "1 km/s", "2 km/s", "None of the above")}, "bad_options")],
    ids=str,
)  # fmt: skip
def test_a_proposal_with_a_fault_makes_no_pair(changed: dict[str, object], reason: str) -> None:
    assert isinstance(settle(GOOD, OWN), QA)
    row = {name: getattr(GOOD, name) for name in Proposal.__slots__} | changed
    made = settle(Proposal(**row), OWN)
    assert isinstance(made, Drop)
    assert made.reason == reason


def test_a_title_may_say_what_it_likes() -> None:
    row = {name: getattr(GOOD, name) for name in Proposal.__slots__}
    titled = Proposal(**row | {"question": f"On “{OWN.title}”: how fast does M31 approach the Sun?"})
    assert isinstance(settle(titled, OWN), QA)


# The step -------------------------------------------------------------------------------------


def test_the_step_leaves_pairs_and_drops_that_add_up(tmp_path: Path) -> None:
    record, folder = make(synthesis.write(shelf(), per_fact=2.0, metadata=4), tmp_path)
    pairs, drops = pairs_of(folder), drops_of(folder)
    texts = {d.id: d for d in DOCUMENTS}
    assert record.counts.kept == len(pairs) == record.counts.made["pairs"]
    assert record.counts.taken == len(pairs) + len(drops)
    assert set(record.metrics["kinds"]) >= {"relation", "numeric", "choice", "cloze", "metadata"}
    assert {pair.lang for pair in pairs} == {"en", "ja"}
    for evidence in (e for pair in pairs for e in pair.evidence):
        own = texts[evidence.span.doc_id]
        assert (own.text_hash, own.text[evidence.span.start : evidence.span.end]) == (
            evidence.span.text_hash,
            evidence.quote,
        )
    assert len({pair.id for pair in pairs}) == len(pairs)


def test_how_many_follows_the_facts_of_a_document(tmp_path: Path) -> None:
    def count(**settings: object) -> int:
        _, folder = make(synthesis.write(shelf(ids=("local:m31",)), metadata=0, **settings), tmp_path)
        return len(pairs_of(folder))

    assert count(per_fact=0.17) == 1
    assert count(per_fact=0.6) == 3
    assert count(per_fact=2.0, most=5) == 5


def test_metadata_is_answered_from_the_record(tmp_path: Path) -> None:
    _, folder = make(synthesis.write(shelf(), kinds=("metadata",), metadata=4), tmp_path)
    found = {pair.answer for pair in pairs_of(folder) if pair.doc_id == "local:m31"}
    assert found == {"J. Doe", "1950", "Journal, 1, 2", "Notes on the Andromeda nebula"}


def test_other_languages_and_texts_without_facts_are_counted(tmp_path: Path) -> None:
    record, _ = make(synthesis.write(shelf(), langs=("ja",)), tmp_path)
    assert record.counts.dropped["other_language"] == 2


@pytest.mark.parametrize(
    "wrong", [{"kinds": ("open",)}, {"most": 0}, {"passage": 10}, {"langs": ("fr",)}, {"per_fact": -1.0}], ids=str
)
def test_a_setting_that_cannot_be_used_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="synthesis/write"):
        make(synthesis.write(shelf(), **wrong), tmp_path)


def test_a_killed_run_ends_with_the_same_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = synthesis.write(shelf(per_file=1), per_fact=2.0)
    whole, _ = make(step, tmp_path / "whole")
    shards = 0
    real = writing_step._shard

    def dying(*arguments: object) -> object:
        nonlocal shards
        shards += 1
        if shards == 2:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(writing_step, "_shard", dying)
    with pytest.raises(KeyboardInterrupt):
        run(Recipe(name="toy", goals=(step,)), Workspace(tmp_path / "cut"))
    again, _ = make(step, tmp_path / "cut")
    assert shards == 4  # one before, one that died, two after
    digests = [{file.name: file.digest for file in record.files} for record in (whole, again)]
    assert digests[0] == digests[1]
    assert again.counts == whole.counts


def test_hash_seeds_do_not_matter(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom writing import make, shelf\nfrom gnomon.synthesis import steps\n"
        "print(sorted((f.name, f.digest) for f in make(steps.write(shelf(), per_fact=2.0), Path(sys.argv[2]))[0].files))"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / seed)],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert out[0] == out[1]


def test_documents_are_read_from_a_folder_of_files(tmp_path: Path) -> None:
    _, folder = make(shelf(per_file=1), tmp_path)
    assert [d.id for d in read_table(folder / "documents", Document)] == [d.id for d in DOCUMENTS]
