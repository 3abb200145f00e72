import json
from pathlib import Path

import pytest

from gnomon.runs import Workspace


def test_build_says_what_was_taken_kept_and_left_out(gnomon, papers: Path) -> None:
    done = gnomon("build", papers, "--json")
    assert done.code == 0
    assert {key: done.row[key] for key in ("expert", "taken", "kept", "dropped")} == {
        "expert": "papers", "taken": 4, "kept": 2, "dropped": {"duplicate_exact": 1, "empty": 1},
    }  # fmt: skip
    assert done.row["steps"][0]["step"] == "corpus/ingest"


def test_the_summary_for_a_person_names_every_reason(gnomon, papers: Path) -> None:
    done = gnomon("build", papers)
    assert "2 of 4 documents" in done.out
    assert "exact copy" in done.out
    assert "empty" in done.out
    assert "gnomon ask" in done.out
    assert "[1/5] corpus/ingest 3 kept, 1 left out" in done.err


def test_a_second_build_makes_nothing_anew(gnomon, papers: Path) -> None:
    gnomon("build", papers)
    again = gnomon("build", papers)
    assert again.err.count("made before") == 5


def test_nothing_usable_ends_with_2_and_says_why(gnomon, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    none = gnomon("build", tmp_path / "bad")
    assert (none.code, "no readable file" in none.err) == (2, True)
    (tmp_path / "bad" / "empty.txt").touch()
    empty = gnomon("build", tmp_path / "bad")
    assert (empty.code, "empty: 1" in empty.err) == (2, True)


def test_a_source_that_does_not_exist_is_named(gnomon, tmp_path: Path) -> None:
    done = gnomon("build", tmp_path / "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err


def test_a_name_with_a_slash_is_refused(gnomon, papers: Path) -> None:
    done = gnomon("build", papers, "--name", "../evil")
    assert (done.code, "'../evil'" in done.err) == (2, True)


def test_plan_shows_what_would_run_and_then_that_it_is_made(gnomon, papers: Path) -> None:
    before = gnomon("plan", papers, "--json").row["steps"]
    assert [step["state"] for step in before] == ["run"] * 5
    assert before[1]["why"] == "after documents"
    gnomon("build", papers)
    assert [step["state"] for step in gnomon("plan", papers, "--json").row["steps"]] == ["made"] * 5


def test_a_recipe_is_found_by_its_entry(gnomon) -> None:
    failed = gnomon("run", "toy_recipes:failing")
    assert failed.code == 3
    assert "toy/fail" in failed.err
    assert "broken on purpose" in failed.err
    assert "Traceback" not in failed.err
    assert "Traceback" in gnomon("run", "toy_recipes:failing", "--debug").err


def test_an_unknown_recipe_lists_those_there_are(gnomon) -> None:
    done = gnomon("run", "nothing")
    assert done.code == 2
    assert "quickstart" in done.err


def test_remove_makes_the_expert_again_without_a_document_and_undo_puts_it_back(gnomon, papers: Path, tmp_path) -> None:
    gnomon("build", papers)
    removed = gnomon("remove", "beta", "--json")
    assert removed.row["dropped"] == {"duplicate_exact": 1, "empty": 1, "withheld": 1}
    expert = json.loads((tmp_path / "ws" / "experts" / "papers.json").read_text())
    assert json.loads(expert["arguments"])["removed"] == ["local:beta"]
    assert "withheld" in gnomon("lineage", "local:beta").out
    assert gnomon("build", papers, "--json").row["dropped"]["withheld"] == 1, "a rebuild brought it back"
    assert gnomon("remove", "local:beta").code == 2
    assert "withheld" not in gnomon("remove", "local:beta", "--undo", "--json").row["dropped"]


@pytest.mark.parametrize("name", ["local:nobody", "local:copy"])
def test_what_is_not_in_the_library_cannot_be_removed(gnomon, papers: Path, name: str) -> None:
    gnomon("build", papers)
    done = gnomon("remove", name)
    assert (done.code, name in done.err) == (2, True)


def test_an_interrupt_ends_cleanly_with_130(gnomon) -> None:
    done = gnomon("run", "toy_recipes:interrupted")
    assert done.code == 130
    assert "What was finished is kept" in done.err
    assert "Traceback" not in done.err


def test_gc_lists_what_no_expert_needs_and_deletes_only_with_yes(gnomon, papers: Path, tmp_path: Path) -> None:
    gnomon("build", papers)
    assert gnomon("gc", "--json").row["garbage"] == []
    (papers / "gamma.txt").write_text("Gamma\nNew text.\n")
    gnomon("build", papers)
    listed = gnomon("gc", "--json").row
    assert len(listed["garbage"]) == 4
    assert listed["deleted"] is False
    workspace = Workspace(tmp_path / "ws")
    old = listed["garbage"][0]["address"]
    assert workspace.record(old) is not None
    freed = gnomon("gc", "--yes", "--json").row
    assert freed["freed"] == listed["bytes"] > 0
    assert workspace.record(old) is None
    assert gnomon("gc", "--json").row["garbage"] == []
    assert gnomon("verify").code == 0
    assert gnomon("build", papers).err.count("made before") == 5


def test_gc_waits_for_a_run_at_work(gnomon, papers: Path, tmp_path: Path) -> None:
    gnomon("build", papers)
    (papers / "gamma.txt").write_text("Gamma\nNew text.\n")
    gnomon("build", papers)
    with Workspace(tmp_path / "ws").lock("toy/step/1"):
        done = gnomon("gc", "--yes")
    assert (done.code, "at work" in done.err) == (2, True)
