"""What is kept of judged pairs: thresholds, labels, near-duplicates, exams, parts."""

import json
from pathlib import Path

import pytest
from choosing import accepted, given, leave, listing, marked, output, pair, reasons, rows
from hypothesis import given as for_all
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import content_digest, folder_files
from gnomon.core.records import Document, Item
from gnomon.core.synthetic import QA
from gnomon.corpus import steps as corpus
from gnomon.corpus.split import SplitConfig
from gnomon.corpus.split import part_of as corpus_part_of
from gnomon.evaluation import steps as evaluation
from gnomon.runs import Recipe, Workspace, run
from gnomon.runs.sources import FileSet
from gnomon.synthesis import as_documents, items, part, select
from gnomon.synthesis import steps as synthesis
from gnomon.synthesis.labels import LEAST_SOUND, threshold
from gnomon.synthesis.select import Least, SelectConfig, refusal

GOOD = {"correctness": 5, "stand_alone": 4, "pertinence": 3, "educational": 3}


def kept(folder: Path) -> list[QA]:
    return rows(folder / "pairs.parquet", QA)


# Thresholds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (pair(1), "not_judged"),
        (accepted(pair(1), 0.5), None),
        (accepted(pair(1), 0.49), "low_accept"),
        (marked(pair(1), **GOOD), None),
        (marked(marked(pair(1), **GOOD), "other", correctness=2), "low_correctness"),
        (marked(pair(1), **{**GOOD, "stand_alone": 3}), "low_stand_alone"),
        (marked(pair(1), **{**GOOD, "pertinence": 2}), "low_pertinence"),
        (marked(pair(1), **{**GOOD, "educational": 2.5}), "low_educational"),
        (accepted(marked(pair(1), **GOOD), 0.1), "low_accept"),
    ],
)
def test_a_pair_is_kept_when_every_judge_is_content(judged: QA, why: str | None) -> None:
    refused = refusal(judged, SelectConfig(), 0.5)
    assert (refused and refused[0]) == why


def test_counts_add_up_and_every_reason_is_told_with_its_value(tmp_path: Path) -> None:
    pairs = [accepted(pair(1), 0.9), accepted(pair(2), 0.2), pair(3), marked(pair(4), **{**GOOD, "correctness": 1})]
    out = output(tmp_path / "out")
    counts = select.run(SelectConfig(), {"pairs": leave(tmp_path / "in", pairs)}, out)
    assert counts.add_up
    assert counts.dropped == {"low_accept": 1, "low_correctness": 1, "not_judged": 1}
    assert kept(out.path) == pairs[:1]
    assert reasons(out.path)[pairs[1].id] == "low_accept"
    assert select.run(SelectConfig(unjudged=True), {"pairs": tmp_path / "in"}, output(tmp_path / "two")).kept == 2
    lenient = SelectConfig(accept=0.1, least=Least(correctness=1), unjudged=True)
    assert select.run(lenient, {"pairs": tmp_path / "in"}, output(tmp_path / "three")).kept == 4


def test_when_nothing_is_kept_the_error_says_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not_judged 1"):
        select.run(SelectConfig(), {"pairs": leave(tmp_path / "in", [pair(1)])}, output(tmp_path / "out"))
    counts = select.run(SelectConfig(), {"pairs": leave(tmp_path / "none", [])}, output(tmp_path / "empty"))
    assert counts.taken == 0


@pytest.mark.parametrize("wrong", [{"accept": 1.5}, {"acceptance": 0}, {"least": Least(pertinence=0)}])
def test_a_threshold_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="synthesis/select"):
        select.run(SelectConfig(**wrong), {"pairs": tmp_path}, output(tmp_path / "out"))  # type: ignore[arg-type]


# Labels ---------------------------------------------------------------------------------------


@for_all(st.lists(st.floats(0, 1), min_size=LEAST_SOUND, max_size=60), st.floats(0.01, 1))
def test_the_threshold_is_the_highest_that_accepts_enough_sound_pairs(scores: list[float], acceptance: float) -> None:
    found = threshold(scores, acceptance)
    accepted_now = sum(score >= found for score in scores)
    assert accepted_now >= acceptance * len(scores) - 1e-6
    higher = [score for score in scores if score > found]
    assert not higher or sum(score >= min(higher) for score in scores) < acceptance * len(scores) + 1e-6


def labelled(folder: Path, person: str, labels: dict[str, str], broken: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": key, "label": label}) for key, label in labels.items()]
    (folder / f"{person}.jsonl").write_text("\n".join([*lines, broken]), encoding="utf-8")
    return folder / f"{person}.jsonl"


def test_labels_set_the_threshold_and_outrank_the_judge(tmp_path: Path) -> None:
    pairs = [accepted(pair(i), i / 20) for i in range(20)]
    labels = {p.id: "sound" for p in pairs[5:15]} | {pairs[2].id: "wrong_number", pairs[16].id: "negation"}
    labels |= {pairs[17].id: "unsure", "qa:unknown": "sound", pairs[18].id: "splendid"}
    given_labels = listing(tmp_path / "labels", labelled(tmp_path / "a", "ann", labels, "no json"))
    inputs = {"pairs": leave(tmp_path / "in", pairs), "labels": given_labels}
    out = output(tmp_path / "out")
    counts = select.run(SelectConfig(acceptance=0.8), inputs, out)
    assert out.metrics["accept"] == pytest.approx(7 / 20)  # 8 of the 10 sound ones
    told = out.metrics["labels"]
    assert told["faulty"] == {"negation": {"n": 1, "rejected": 0}, "wrong_number": {"n": 1, "rejected": 1}}
    assert (told["sound"], told["sound_accepted"], told["of_no_pair_here"]) == (10, 8, 1)
    assert told["left_out"] == {"broken_line": 1, "no_label": 1, "unsure": 1}
    why = reasons(out.path)
    assert {why[pairs[2].id], why[pairs[16].id]} == {"labelled_faulty"}
    assert why[pairs[4].id] == "low_accept"
    assert pairs[5].id not in why  # below the threshold, and a person called it sound
    assert counts.add_up


def test_of_one_person_the_last_word_counts_and_two_must_agree(tmp_path: Path) -> None:
    pairs = [accepted(pair(i), 0.9) for i in range(14)]
    sound = {p.id: "sound" for p in pairs[:12]}
    ann = labelled(tmp_path / "a", "ann", sound | {pairs[12].id: "leaking", pairs[13].id: "dangling"})
    ann.write_text(ann.read_text() + json.dumps({"id": pairs[13].id, "label": "sound"}) + "\n", encoding="utf-8")
    bob = labelled(tmp_path / "b", "bob", {pairs[0].id: "negation", pairs[12].id: "other_fault", pairs[1].id: "unsure"})
    out = output(tmp_path / "out")
    inputs = {"pairs": leave(tmp_path / "in", pairs), "labels": listing(tmp_path / "l", ann, bob)}
    select.run(SelectConfig(), inputs, out)
    assert out.metrics["labels"]["left_out"] == {"disagreement": 1}
    assert out.metrics["labels"]["sound"] == 12  # 11 of the first 12, and the one that was called dangling first
    assert set(reasons(out.path)) == {pairs[12].id}


def test_too_few_labels_set_no_threshold(tmp_path: Path) -> None:
    pairs = [accepted(pair(1), 0.9)]
    labels = listing(tmp_path / "l", labelled(tmp_path / "a", "ann", {pairs[0].id: "sound"}))
    with pytest.raises(DataError, match="1 labelled pairs are sound"):
        select.run(SelectConfig(), {"pairs": leave(tmp_path / "in", pairs), "labels": labels}, output(tmp_path / "o"))


def test_labels_are_part_of_the_identity(tmp_path: Path) -> None:
    pairs = given(("a?", "b", "local:a"))
    one = synthesis.select(pairs, FileSet.scan([labelled(tmp_path / "a", "ann", {"x": "sound"})]))
    two = synthesis.select(pairs, FileSet.scan([labelled(tmp_path / "b", "ann", {"x": "leaking"})]))
    assert len({one.identity, two.identity, synthesis.select(pairs).identity}) == 3


# Copies and exams -----------------------------------------------------------------------------

HUBBLE = "What did Edwin Hubble find in the Andromeda nebula in 1924, which placed it far outside the Milky Way?"
SLIPHER = (
    "Of how many spiral nebulae had Vesto Slipher measured the radial velocities at the Lowell Observatory by 1917?"
)
LEAVITT = "Which stars in the Small Magellanic Cloud did Henrietta Leavitt use to find the period-luminosity relation?"


def test_copies_and_exam_questions_are_found_by_the_steps_that_find_them_in_documents(tmp_path: Path) -> None:
    pairs = given(
        (HUBBLE, "Cepheid variable stars", "local:a"),
        (HUBBLE.replace("What did", "Just what did"), "Cepheid variable stars", "local:b"),
        (SLIPHER, "25 spiral nebulae", "local:c"),
        (LEAVITT, "Cepheid variables, 25 of them", "local:d"),
    )
    exam = tmp_path / "exam.jsonl"
    asked = {"id": "q", "question": SLIPHER, "choices": ["25", "12", "41", "5"], "answer": "A"}
    exam.write_text(json.dumps(asked), encoding="utf-8")
    texts = corpus.dedup(synthesis.as_documents(pairs), preset="questions")
    clean = corpus.decontaminate(texts, evaluation.items(FileSet.scan([exam])))
    last = synthesis.surviving(pairs, clean)
    workspace = Workspace(tmp_path / "w")
    records = run(Recipe(name="toy", goals=(last,)), workspace)
    folder = workspace.artifact(last.address)
    assert records[last.address].counts.dropped == {"contaminated": 1, "duplicate_near": 1}
    left = [one.question for one in kept(folder)]
    assert LEAVITT in left
    assert SLIPHER not in left
    assert len(left) == 2


def test_like_questions_with_other_answers_are_two(tmp_path: Path) -> None:
    said = "The supernova of 1987 in the Large Magellanic Cloud gave {} neutrinos within {} in the Kamiokande detector"
    pairs = given(
        (said.format("how many", "13 seconds") + "?", "11", "local:a"),
        (said.format("11", "how many seconds") + "?", "13 seconds", "local:a"),
        (said.format("about how many", "13 seconds") + "?", "11", "local:a"),
    )
    last = synthesis.surviving(pairs, corpus.dedup(synthesis.as_documents(pairs), preset="questions"))
    workspace = Workspace(tmp_path)
    assert run(Recipe(name="toy", goals=(last,)), workspace)[last.address].counts.dropped == {"duplicate_near": 1}
    assert {one.answer for one in kept(workspace.artifact(last.address))} == {"11", "13 seconds"}


def test_a_pair_whose_document_went_for_no_known_reason_is_counted_too(tmp_path: Path) -> None:
    pairs = given((HUBBLE, "Cepheids", "local:a"), (LEAVITT, "Cepheids", "local:d"))
    made = synthesis.as_documents(given((HUBBLE, "Cepheids", "local:a")))
    last = synthesis.surviving(pairs, made)
    record = run(Recipe(name="toy", goals=(last,)), Workspace(tmp_path))[last.address]
    assert record.counts.dropped == {"left_out": 1}


def test_a_pair_as_a_document_says_what_is_asked_and_answered(tmp_path: Path) -> None:
    pairs = [pair(1), pair(2, "choice")]
    out = output(tmp_path / "out")
    as_documents.run(as_documents.AsDocumentsConfig(), {"pairs": leave(tmp_path / "in", pairs)}, out)
    made = rows(out.path / "documents", Document)
    assert [document.id for document in made] == [one.id for one in pairs]
    assert made[1].text.splitlines() == [pairs[1].question, "2 pc", "3 pc", "4 pc", "5 pc", "2 pc"]
    none = output(tmp_path / "none")
    as_documents.run(as_documents.AsDocumentsConfig(), {"pairs": leave(tmp_path / "empty", [])}, none)
    assert rows(none.path / "documents", Document) == []


# Parts and items ------------------------------------------------------------------------------


@for_all(st.text(max_size=20), st.text(max_size=4))
def test_pairs_are_divided_as_their_documents_are(doc_id: str, salt: str) -> None:
    ours = part.PairsPartConfig(part="train", development=0.2, test=0.3, salt=salt)
    theirs = SplitConfig(development=0.2, test=0.3, salt=salt)
    assert part.part_of(doc_id, ours) == corpus_part_of(doc_id, "", theirs)


def test_the_parts_make_up_the_whole_and_no_document_is_in_two(tmp_path: Path) -> None:
    pairs = [pair(i, doc=f"local:{i % 40}") for i in range(120)]
    folder = leave(tmp_path / "in", pairs)
    found: dict[str, list[QA]] = {}
    for name in part.PARTS:
        out = output(tmp_path / name)
        config = part.PairsPartConfig(part=name, development=0.2, test=0.2)
        counts = part.run(config, {"pairs": folder}, out)
        assert counts.add_up
        found[name] = kept(out.path)
    assert sorted(one.id for some in found.values() for one in some) == sorted(one.id for one in pairs)
    docs = [{one.doc_id for one in some} for some in found.values()]
    assert sum(map(len, docs)) == len(set().union(*docs)) == 40
    assert min(map(len, docs)) >= 3


def test_a_part_that_does_not_exist_or_is_too_small_is_an_error(tmp_path: Path) -> None:
    folder = leave(tmp_path / "in", [pair(1)])
    for config, kind in (
        (part.PairsPartConfig(part="exam"), ConfigError),
        (part.PairsPartConfig(part="train", development=0.6, test=0.6), ConfigError),
        (part.PairsPartConfig(part="test", test=0.0, least=1), DataError),
    ):
        with pytest.raises(kind):
            part.run(config, {"pairs": folder}, output(tmp_path / "out"))


def test_pairs_with_options_are_exam_questions(tmp_path: Path) -> None:
    japanese = pair(3, "choice", lang="ja", question="恒星S3までの距離は?")
    folder = leave(tmp_path / "in", [pair(1), pair(2, "choice"), japanese])
    out = output(tmp_path / "out")
    counts = items.run(items.PairItemsConfig(langs=("en",)), {"pairs": folder}, out)
    assert counts.dropped == {"no_options": 1, "other_language": 1}
    (item,) = rows(out.path / "items.parquet", Item)
    assert item.choices[item.targets[0]] == "2 pc"
    assert item.origin == "local:d2"
    assert item.evidence == "The star S2 is 2 pc away."


def test_a_pair_without_options_borrows_answers_of_its_kind(tmp_path: Path) -> None:
    folder = leave(
        tmp_path / "in", [*(pair(n) for n in range(1, 7)), pair(9, lang="ja", question="恒星S9までの距離は?")]
    )
    out = output(tmp_path / "out")
    counts = items.run(items.PairItemsConfig(options=4), {"pairs": folder}, out)
    assert (counts.kept, counts.dropped) == (6, {"no_options": 1}), "in Japanese there is nothing to borrow"
    for item in rows(out.path / "items.parquet", Item):
        number = item.origin.removeprefix("local:d")
        assert item.choices[item.targets[0]] == f"{number} pc"
        assert len(set(item.choices)) == 4
    assert len({item.targets for item in rows(out.path / "items.parquet", Item)}) > 1, (
        "the right one has no fixed place"
    )


def test_too_few_answers_are_not_borrowed(tmp_path: Path) -> None:
    folder = leave(tmp_path / "in", [pair(1), pair(2), pair(3)])
    counts = items.run(items.PairItemsConfig(options=4), {"pairs": folder}, output(tmp_path / "out"))
    assert counts.dropped == {"no_options": 3}
    with pytest.raises(DataError, match="hold out"):
        items.run(items.PairItemsConfig(options=4, least=1), {"pairs": folder}, output(tmp_path / "other"))


def test_steps_give_the_same_files_twice(tmp_path: Path) -> None:
    folder = leave(tmp_path / "in", [accepted(pair(i, "choice"), i / 10) for i in range(10)])
    for name, module, config in (
        ("select", select, SelectConfig()),
        ("documents", as_documents, as_documents.AsDocumentsConfig()),
        ("items", items, items.PairItemsConfig()),
    ):
        outs = [output(tmp_path / f"{name}{i}") for i in range(2)]
        for out in outs:
            module.run(config, {"pairs": folder}, out)  # type: ignore[attr-defined]
        first, second = ([content_digest(f) for f in folder_files(out.path)] for out in outs)
        assert first == second
        assert first
