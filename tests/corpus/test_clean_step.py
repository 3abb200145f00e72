import dataclasses
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import shelves

from gnomon.core.errors import ConfigError
from gnomon.core.estimates import Estimate
from gnomon.core.records import Mark
from gnomon.core.tables import read_table
from gnomon.corpus import steps
from gnomon.corpus.cleaning.effects import Effects, merged
from gnomon.runs import Recipe, Record, Step, Workspace, plan, run

Row = tuple[str, str, str, str]
GOOD = "We find that $M_\\odot$ is the unit in which the masses of all stars of sample %d are given."
ROWS = [(f"local:{i}", f"Star~{i}, $z={i}$", GOOD % i, "2020-01-01") for i in range(12)]
BAD = [("local:gone", "Gone", "This paper has been withdrawn by the author.", ""), ("local:empty", "Empty", "", "")]


def cleaned(folder: Path, rows: Sequence[Row] = (*ROWS, *BAD), **settings: object) -> tuple[Record, Path]:
    return shelves.make(steps.clean(shelves.shelf(rows), **settings), folder)


def test_texts_and_titles_are_mended_and_the_rest_of_a_document_is_untouched(tmp_path: Path) -> None:
    before = {d.id: d for d in (shelves.document(*row) for row in ROWS)}
    _, folder = cleaned(tmp_path)
    for document in shelves.documents_of(folder):
        number = document.id.split(":")[1]
        assert (
            document.text
            == f"We find that M⊙ is the unit in which the masses of all stars of sample {number} are given."
        )
        assert document.title == f"Star~{number}, z={number}".replace("Star~", "Star ")
        old = before[document.id]
        assert document == dataclasses.replace(old, text=document.text, title=document.title, lang="en", text_hash="")


def test_counts_add_up_and_every_drop_has_its_reason_and_words(tmp_path: Path) -> None:
    record, folder = cleaned(tmp_path)
    assert record.counts.taken == 14
    assert record.counts.dropped == {"too_short": 1, "withdrawn": 1}
    drops = {d.doc_id: d for d in shelves.drops_of(folder)}
    assert drops["local:gone"].reason == "withdrawn"
    assert drops["local:gone"].excerpt == BAD[0][2]
    assert "0 words, least" in drops["local:empty"].detail


def test_each_effect_is_counted_and_sampled(tmp_path: Path) -> None:
    record, _ = cleaned(tmp_path)
    found = record.metrics["rules"]
    assert (found["latex"]["kind"], found["latex"]["count"], len(found["latex"]["samples"])) == ("change", 12, 5)
    assert (found["withdrawn"]["kind"], found["withdrawn"]["count"]) == ("drop", 1)
    assert found["withdrawn"]["samples"][0]["excerpt"] == BAD[0][2]
    sample = found["latex"]["samples"][0]
    assert set(sample) == {"doc_id", "detail", "excerpt"}
    assert "→" in sample["detail"]
    assert all(len(text) <= 200 for text in sample.values())


def test_marks_of_kept_documents_are_passed_on_and_the_confidence_is_added(tmp_path: Path) -> None:
    _, folder = cleaned(tmp_path)
    marks = list(read_table(folder / "marks", Mark))
    ids = {d.id for d in shelves.documents_of(folder)}
    assert {m.doc_id for m in marks if m.name == "column/comments"} == ids
    confidence = {m.doc_id: float(m.value) for m in marks if m.name == "clean/lang_confidence"}
    assert set(confidence) == ids
    assert min(confidence.values()) > 0.9


def test_a_second_build_judges_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gnomon.corpus import clean

    judged = []
    original = clean.judge
    monkeypatch.setattr(clean, "judge", lambda draft, config: judged.append(draft.title) or original(draft, config))
    _, first = cleaned(tmp_path)
    assert len(judged) == 14
    changed = [*ROWS[:5], ("local:5", "Changed", GOOD % 55, ""), *ROWS[6:], *BAD]
    judged.clear()
    _, second = cleaned(tmp_path, changed)
    assert judged == ["Changed"]
    again, fresh = cleaned(tmp_path / "elsewhere", changed)
    assert shelves.documents_of(second) == shelves.documents_of(fresh)
    assert len(shelves.documents_of(first)) == again.counts.kept


def test_verdicts_of_other_code_are_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gnomon.corpus import clean

    judged = []
    original = clean.judge
    monkeypatch.setattr(clean, "judge", lambda draft, config: judged.append(draft.title) or original(draft, config))
    cleaned(tmp_path)
    monkeypatch.setattr(clean, "_code_hash", lambda: "other")
    cleaned(tmp_path, [*ROWS, *BAD, ("local:new", "New", GOOD % 99, "")])
    assert len(judged) == 14 + 15


def test_cleaning_what_was_cleaned_changes_nothing(tmp_path: Path) -> None:
    once = steps.clean(shelves.shelf([*ROWS, *BAD]))
    twice = steps.clean(once)
    record, folder = shelves.make(twice, tmp_path)
    assert shelves.documents_of(folder) == shelves.documents_of(Workspace(tmp_path).artifact(once.address))
    assert record.metrics["rules"] == {}


def test_a_killed_run_resumes_with_the_same_content(tmp_path: Path) -> None:
    undisturbed, _ = cleaned(tmp_path / "a")
    code = (
        "import os, signal, shelves, test_clean_step\n"
        "from gnomon.runs import output\n"
        "done = output.Output.done\n"
        "def die(self, key, counts, note=None):\n"
        "    done(self, key, counts, note)\n"
        "    if 'clean' in str(self.shards): os.kill(os.getpid(), signal.SIGKILL)\n"
        "output.Output.done = die\n"
        f"test_clean_step.cleaned({str(tmp_path / 'b')!r})\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    resumed, _ = cleaned(tmp_path / "b")
    assert resumed.digest == undisturbed.digest
    assert resumed.metrics == undisturbed.metrics


def test_a_rule_can_be_switched_off_and_a_misspelt_one_is_refused(tmp_path: Path) -> None:
    record, _ = cleaned(tmp_path, off=("withdrawn",))
    assert record.counts.dropped == {"too_short": 1}
    with pytest.raises(ConfigError, match=r"'withdrown'.*withdrawn"):
        cleaned(tmp_path, off=("withdrown",))


def test_a_text_that_is_too_long_is_named_without_being_cleaned(tmp_path: Path) -> None:
    rows = [*ROWS, ("local:long", "Long", "star " * 1_000, "")]
    record, _ = cleaned(tmp_path, rows, max_characters=4_000)
    assert record.counts.dropped == {"too_long": 1}
    assert record.metrics["rules"]["too_long"]["samples"][0]["detail"] == "5000 characters, most 4000"


def test_samples_are_the_same_however_the_documents_are_cut_into_shards() -> None:
    def add(effects: Effects, numbers: range) -> None:
        for i in numbers:
            effects.add("latex", "change", {"doc_id": f"local:{i}", "detail": str(i), "excerpt": "x" * 999})

    whole, first, second = Effects(), Effects(), Effects()
    add(whole, range(100))
    add(first, range(30))
    add(second, range(30, 100))
    assert merged([whole.to_note()]) == merged([second.to_note(), first.to_note()])
    assert len(merged([whole.to_note()])["latex"]["samples"][0]["excerpt"]) == 200


def test_the_plan_shows_what_cleaning_will_take(tmp_path: Path) -> None:
    step: Step = steps.clean(shelves.shelf(ROWS))
    workspace = Workspace(tmp_path)
    run(Recipe(name="toy", goals=(step.inputs["documents"],)), workspace)
    line = plan(Recipe(name="toy", goals=(step,)), workspace)[-1]
    assert isinstance(line.estimate, Estimate)
    assert 0 < line.estimate.hours < 0.01
