"""The starter library keeps its own promises."""

import csv
import hashlib
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from gnomon.core.text import ngrams, terms

STARTER = Path(__file__).parents[2] / "src" / "gnomon_recipes" / "starter"
SUBJECTS = {f"astro-ph.{s}" for s in ("CO", "GA", "HE", "IM", "SR", "EP")}
STOP = set(
    "the a an of in to and or is are was were by for on at with from as that which it its be than this these".split()
)
DANGLING = re.compile(r"\b(this|the) (paper|study|note|passage|authors?)\b|この(論文|研究|ノート)", re.IGNORECASE)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@cache
def read(pattern: str) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(STARTER.glob(pattern)) for line in lines(path)]


def notes() -> dict[str, dict[str, Any]]:
    return {n["id"]: n for n in read("notes_*.jsonl")}


def questions() -> list[dict[str, Any]]:
    return read("questions_*.jsonl")


def test_there_are_enough_notes_in_both_languages_and_all_subjects() -> None:
    languages = Counter(n["lang"] for n in notes().values())
    assert languages["en"] >= 160
    assert languages["ja"] >= 40
    for lang in ("en", "ja"):
        mine = [n for n in notes().values() if n["lang"] == lang]
        assert {c for n in mine for c in n["categories"]} == SUBJECTS
        assert min(n["year"] for n in mine) < 1920
        assert max(n["year"] for n in mine) >= 2020


def test_ids_are_unique_and_citations_lead_to_older_notes() -> None:
    assert len(notes()) == len(read("notes_*.jsonl"))
    for note in notes().values():
        for cited in note["cites"]:
            assert notes()[cited]["year"] <= note["year"], (note["id"], cited)


def test_notes_are_of_the_promised_length() -> None:
    for note in notes().values():
        size = len(note["text"]) if note["lang"] == "ja" else len(note["text"].split())
        low, high = (240, 500) if note["lang"] == "ja" else (110, 190)
        assert low <= size <= high, (note["id"], size)
        assert note["licence"] == "CC0-1.0"


def test_there_are_enough_questions_each_with_its_evidence() -> None:
    languages = Counter(q["lang"] for q in questions())
    assert sum(languages.values()) >= 240
    assert languages["ja"] >= 40
    assert len({q["id"] for q in questions()}) == len(questions())
    for question in questions():
        assert question["evidence"] in notes()[question["note"]]["text"], question["id"]
        assert len(set(question["choices"])) == 4
        assert not DANGLING.search(question["question"]), question["id"]


def test_questions_are_worded_unlike_their_notes() -> None:
    for question in questions():
        n = 9 if question["lang"] == "ja" else 5
        note = set(ngrams(terms(notes()[question["note"]]["text"]), n))
        asked = {g for g in ngrams(terms(question["question"]), n) if not any(t.isdigit() for t in g)}
        shared = note & asked
        assert not shared, (question["id"], shared)


def overlaps(question: dict[str, Any]) -> list[float]:
    def units(text: str) -> set[Any]:
        found = terms(text)
        return set(ngrams(found, 2)) if question["lang"] == "ja" else set(found) - STOP

    note = units(notes()[question["note"]]["text"])
    return [len(units(c) & note) / max(1, len(units(c))) for c in question["choices"]]


def test_answer_positions_are_balanced() -> None:
    positions = Counter(q["answer"] for q in questions())
    assert max(positions.values()) - min(positions.values()) <= 8


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_no_blind_solver_gains_from_overlap_or_length(lang: str) -> None:
    most, longest = [], []
    for question in (q for q in questions() if q["lang"] == lang):
        for scores, wins in ((overlaps(question), most), ([len(c) for c in question["choices"]], longest)):
            best = max(scores)
            wins.append((scores[question["answer"]] == best) / scores.count(best))
    assert fmean(most) < 0.35
    assert fmean(longest) < 0.35


def test_every_struck_claim_is_gone_and_every_review_line_has_a_source() -> None:
    with (STARTER / "review.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["verdict"] in {"corrected", "struck", "disputed"}, row
        assert row["source"], row
        if row["verdict"] != "disputed":
            assert row["claim"] not in notes().get(row["note"], {"text": ""})["text"], row


def test_the_questions_are_frozen() -> None:
    frozen = json.loads((STARTER / "frozen.json").read_text(encoding="utf-8"))
    now = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(STARTER.glob("questions_*.jsonl"))
    }
    assert now == frozen["sha256"], "questions may be struck or mended for fact only; record why in review.csv"


ASTRONOMY = re.compile(
    r"\b(stars?|planets?|galax\w*|telescop\w*|astronom\w*|orbit\w*|rockets?|cosm\w*|universe|nebula\w*)\b", re.I
)


def test_general_texts_are_enough_for_a_control_and_about_other_things() -> None:
    texts = read("general.jsonl")
    assert len(texts) >= 160
    words = sum(len(t["text"].split()) for t in texts)
    assert words > sum(len(n["text"].split()) for n in notes().values() if n["lang"] == "en")
    for text in texts:
        assert list(text) == ["id", "title", "text", "lang", "licence"], text["id"]
        assert (text["lang"], text["licence"]) == ("en", "CC0-1.0"), text["id"]
        assert "\n" not in text["text"], text["id"]
        assert not ASTRONOMY.search(text["title"] + " " + text["text"]), text["id"]


def test_no_two_general_texts_say_the_same() -> None:
    texts = read("general.jsonl")
    assert len({t["id"] for t in texts}) == len({t["title"] for t in texts}) == len(texts)
    shown = [set(ngrams(terms(t["text"]), 5)) for t in texts]
    for number, one in enumerate(shown):
        assert all(len(one & other) < 0.05 * len(one) for other in shown[:number]), texts[number]["id"]


def test_dialogues_are_enough_in_both_languages_and_well_formed() -> None:
    dialogues = read("chat.jsonl")
    assert Counter(d["lang"] for d in dialogues) >= Counter(en=400, ja=200)
    assert len({d["id"] for d in dialogues}) == len(dialogues) >= 600
    for dialogue in dialogues:
        assert list(dialogue) == ["id", "lang", "kind", "messages", "licence"], dialogue["id"]
        assert dialogue["licence"] == "CC0-1.0"
        turns = [m for m in dialogue["messages"] if m["role"] != "system"]
        assert [m["role"] for m in turns] == ["user", "assistant"] * (len(turns) // 2), dialogue["id"]
        assert all(m["text"].strip() == m["text"] != "" for m in dialogue["messages"]), dialogue["id"]
        assert not ASTRONOMY.search(" ".join(m["text"] for m in turns)), dialogue["id"]


def test_thinking_is_where_the_system_message_asks_for_it_and_not_where_it_forbids_it() -> None:
    for dialogue in read("chat.jsonl"):
        first = dialogue["messages"][0]
        thoughts = [bool(m.get("thinking")) for m in dialogue["messages"] if m["role"] == "assistant"]
        if first["text"] == "thinking: on":
            assert all(thoughts), dialogue["id"]
        if first["text"] == "thinking: off":
            assert not any(thoughts), dialogue["id"]
