"""The quickstart as a user meets it: every command, on the real starter library."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from runs_of import ALONE

from gnomon.core.records import Document
from gnomon.core.tables import read_table
from gnomon.runs import Workspace

SPAN = {"doc_id", "text_hash", "start", "end"}
STARTER = Path(__file__).parents[2] / "src" / "gnomon_recipes" / "starter"


@pytest.fixture(scope="session")
def texts(quickstart: Path) -> dict[str, str]:
    workspace = Workspace(quickstart)
    (address,) = [r.address for r in workspace.records() if r.name == "corpus/dedup"]
    return {d.id: d.text for d in read_table(workspace.artifact(address) / "documents", Document)}


def at(texts: dict[str, str], span: dict[str, Any]) -> str:
    return texts[span["doc_id"]][span["start"] : span["end"]]


def test_every_note_is_in_the_library(texts: dict[str, str]) -> None:
    lines = [line for path in STARTER.glob("notes_*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    notes = [json.loads(line)["id"] for line in lines]
    assert set(texts) == {f"local:{note}" for note in notes}


def test_a_second_run_does_nothing(quickstart: Path, gnomon) -> None:
    before = {p: p.stat().st_mtime_ns for p in quickstart.rglob("record.json")}
    gnomon(*ALONE, "--workspace", str(quickstart))
    assert {p: p.stat().st_mtime_ns for p in quickstart.rglob("record.json")} == before


@pytest.mark.parametrize("mode", ["hybrid", "text", "vector"])
def test_search_prints_the_promised_object(quickstart: Path, answer_json, texts: dict[str, str], mode: str) -> None:
    found = answer_json(
        "search", "expanding universe redshift of galaxies", "--k", "5", "--mode", mode, "--workspace", str(quickstart)
    )
    assert set(found) == {"query", "hits", "ms"}
    assert [h["rank"] for h in found["hits"]] == [1, 2, 3, 4, 5]
    for hit in found["hits"]:
        assert set(hit) == {"rank", "score", "doc_id", "title", "year", "text", "span"}
        assert set(hit["span"]) == SPAN
        assert at(texts, hit["span"]) == hit["text"]
    scores = [h["score"] for h in found["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_filters_limit_what_is_found(quickstart: Path, answer_json) -> None:
    def years(*options: str) -> list[int]:
        hits = answer_json("search", "galaxies and stars", "--k", "50", *options, "--workspace", str(quickstart))[
            "hits"
        ]
        return [h["year"] for h in hits]

    assert years("--year", "1990..1999")
    assert all(1990 <= y <= 1999 for y in years("--year", "1990..1999"))
    assert all(y <= 1950 for y in years("--year", "..1950"))
    hits = answer_json("search", "expansion", "--author", "hubble", "--workspace", str(quickstart))["hits"]
    assert hits
    assert all("hubble" in h["doc_id"] for h in hits)
    hits = answer_json("search", "星", "--lang", "ja", "--workspace", str(quickstart))["hits"]
    assert hits
    assert all(h["doc_id"].startswith("local:ja-") for h in hits)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What did Slipher find about the radial velocities of spiral nebulae?", "local:slipher-1917"),
        ("太陽黒点の磁場はどのようにして見つかったか", "local:ja-hale-1908"),
    ],
)
def test_an_answer_is_cited_sentence_by_sentence(
    quickstart: Path, answer_json, texts, question: str, wanted: str
) -> None:
    answer = answer_json("ask", question, "--workspace", str(quickstart))
    assert {"id", "answer", "voice", "refused", "citations", "checks"} <= set(answer)
    assert answer["voice"] == "extractive"
    assert not answer["refused"]
    assert wanted in {c["doc_id"] for c in answer["citations"]}
    for number, citation in enumerate(answer["citations"], 1):
        assert citation["id"] == f"R{number}"
        assert f"[R{number}]" in answer["answer"]
        assert at(texts, citation["span"]) == citation["quote"]
        assert citation["quote"] in answer["answer"]
    checks = answer["checks"]
    assert (checks["unknown_ids"], checks["quotes_verbatim"], checks["coverage"]) == (0, 1.0, 1.0)


def test_weak_evidence_is_refused_with_the_nearest_documents(quickstart: Path, answer_json) -> None:
    answer = answer_json("ask", "Who won the football world cup in 1998?", "--workspace", str(quickstart))
    assert answer["refused"]
    assert answer["citations"] == []
    answer = answer_json("ask", "東京で一番おいしいラーメン屋はどこか", "--workspace", str(quickstart))
    assert answer["refused"]


def test_an_answer_can_be_walked_back_to_the_bytes_it_came_from(quickstart: Path, answer_json) -> None:
    answer = answer_json("ask", "Which evidence showed that the Universe expands?", "--workspace", str(quickstart))
    told = json.dumps(answer_json("lineage", answer["id"], "--workspace", str(quickstart)))
    import hashlib

    sums = {hashlib.sha256(p.read_bytes()).hexdigest() for p in STARTER.glob("notes_*.jsonl")}
    assert any(s in told for s in sums)
    for citation in answer["citations"]:
        assert citation["doc_id"] in told


def test_a_text_is_traced_to_the_documents_it_copies(quickstart: Path, answer_json, texts: dict[str, str]) -> None:
    copied = " ".join(texts["local:hartmann-1904"].split()[10:30])
    found = answer_json(
        "trace", f"Nobody has written this before. {copied} and so the end.", "--workspace", str(quickstart)
    )
    assert set(found) == {"coverage", "spans"}
    assert 0 < found["coverage"] < 1
    best = max(found["spans"], key=lambda s: s["end"] - s["start"])
    assert set(best) == {"start", "end", "text", "count", "documents"}
    assert best["count"] >= 1
    assert "local:hartmann-1904" in {d["doc_id"] for d in best["documents"]}
    spans = [d["span"] for d in best["documents"] if d["doc_id"] == "local:hartmann-1904"]
    assert at(texts, spans[0]) in copied


def test_a_fresh_workspace_verifies_and_a_harmed_one_does_not(quickstart: Path, gnomon, tmp_path: Path) -> None:
    gnomon("verify", "--workspace", str(quickstart))
    harmed = tmp_path / "ws"
    shutil.copytree(quickstart, harmed)
    (path,) = harmed.glob("runs/corpus/dedup/*/data/drops.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    assert "drops.parquet" in gnomon("verify", "--workspace", str(harmed), code=1).stdout


def test_a_removed_document_is_found_no_more(quickstart: Path, gnomon, answer_json, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    shutil.copytree(quickstart, workspace)
    gnomon("remove", "local:hubble-1929", "--workspace", str(workspace))
    hits = answer_json(
        "search", "Hubble velocity distance relation of nebulae", "--k", "50", "--workspace", str(workspace)
    )["hits"]
    assert "local:hubble-1929" not in {h["doc_id"] for h in hits}
    told = json.dumps(answer_json("lineage", "local:hubble-1929", "--workspace", str(workspace)))
    assert "removed" in told
    gnomon("gc", "--yes", "--workspace", str(workspace))
    gnomon("verify", "--workspace", str(workspace))


def test_wrong_usage_exits_with_two_and_says_how_to_mend_it(quickstart: Path, gnomon, tmp_path: Path) -> None:
    done = gnomon("ask", "Why?", "--workspace", str(tmp_path / "none"), code=2)
    assert "gnomon run quickstart" in done.stderr + done.stdout
    done = gnomon("search", "x", "--expert", "nobody", "--workspace", str(quickstart), code=2)
    assert "quickstart" in done.stderr + done.stdout
    gnomon("lineage", "local:no-such-note", "--workspace", str(quickstart), code=2)


def test_messages_are_japanese_for_a_japanese_reader(quickstart: Path, gnomon, tmp_path: Path) -> None:
    done = gnomon("ask", "なぜ?", "--workspace", str(tmp_path / "none"), code=2, GNOMON_LANG="ja")
    assert "エキスパート" in done.stderr + done.stdout


def test_contents_are_equal_under_another_hash_seed(quickstart: Path, gnomon, tmp_path: Path) -> None:
    gnomon(*ALONE, "--workspace", str(tmp_path / "ws"), PYTHONHASHSEED="4242")
    digests = [{r.address: r.digest for r in Workspace(w).records()} for w in (quickstart, tmp_path / "ws")]
    assert digests[0] == digests[1]
