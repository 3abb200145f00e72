"""The labelled pairs that judges are held against are whole, even and tied to their notes."""

import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

STARTER = Path(__file__).parents[2] / "src" / "gnomon_recipes" / "starter"
FAULTS = {"wrong_number", "not_in_passage", "leaking", "dangling", "swapped_name", "negation"}


@cache
def read(pattern: str) -> list[dict[str, Any]]:
    files = sorted(STARTER.glob(pattern))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def pairs() -> dict[str, list[dict[str, Any]]]:
    of_note = defaultdict(list)
    for pair in read("audit.jsonl"):
        of_note[pair["note"]].append(pair)
    return of_note


def test_every_note_has_one_sound_pair_and_three_of_different_faults() -> None:
    assert set(pairs()) == {note["id"] for note in read("notes_*.jsonl")}
    for note, (sound, *faulty) in pairs().items():
        assert [pair["id"] for pair in (sound, *faulty)] == [f"audit-{note}-{k}" for k in range(4)]
        assert (sound["label"], sound["of"]) == ("good", "")
        assert len({pair["label"] for pair in faulty} & FAULTS) == 3, note
        assert all(pair["of"] == sound["id"] for pair in faulty), note


def test_faults_are_equally_many_in_each_language() -> None:
    for lang in ("en", "ja"):
        counts = Counter(p["label"] for p in read("audit.jsonl") if p["lang"] == lang and p["of"])
        assert set(counts) == FAULTS
        assert len(set(counts.values())) == 1, counts


def test_quotes_stand_in_the_note_word_for_word() -> None:
    notes = {note["id"]: note for note in read("notes_*.jsonl")}
    for pair in read("audit.jsonl"):
        note = notes[pair["note"]]
        assert pair["lang"] == note["lang"], pair["id"]
        assert pair["quote"] in note["text"], pair["id"]
        assert all(pair[key].strip() for key in ("question", "answer", "quote")), pair["id"]


def test_what_is_labelled_as_not_in_the_passage_is_not_there() -> None:
    notes = {note["id"]: note["text"].lower() for note in read("notes_*.jsonl")}
    for pair in read("audit.jsonl"):
        if pair["label"] == "not_in_passage":
            assert pair["answer"].rstrip(".。").lower() not in notes[pair["note"]], pair["id"]
