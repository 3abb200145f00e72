from pathlib import Path

import pytest

from gnomon.core.answers import Answer, Checks, Citation, Claim
from gnomon.core.records import Document
from gnomon.core.tables import read_table, to_row
from gnomon.runs import Workspace
from gnomon.runs.experts import open_expert, part


@pytest.fixture
def built(gnomon, papers: Path, tmp_path: Path) -> Workspace:
    gnomon("build", papers)
    return Workspace(tmp_path / "ws")


def kinds(link: dict) -> list[str]:
    return [link["kind"], *(kind for below in link["below"] for kind in kinds(below))]


def steps(link: dict) -> list[tuple[str, str]]:
    return [(b["id"].rpartition("/")[0], b["facts"]["outcome"]) for b in link["below"] if b["kind"] == "step"]


def test_a_document_is_walked_back_through_every_step_to_its_file(gnomon, built: Workspace, papers: Path) -> None:
    link = gnomon("lineage", "local:alpha", "--json").row
    assert link["facts"]["state"] == "in the library"
    assert steps(link) == [
        ("knowledge/index", "served"), ("knowledge/chunk", "cut"), ("corpus/dedup", "changed"), ("corpus/ingest", "read"),
    ]  # fmt: skip
    source = link["below"][-1]
    assert (source["kind"], source["id"], source["facts"]["licence"]) == ("source", "alpha.txt", "CC0-1.0")
    assert source["facts"]["url"] == "https://x.test/alpha"
    assert source["facts"]["bytes"] == (papers / "alpha.txt").stat().st_size
    assert len(source["facts"]["sha256"]) == 64


def test_a_dropped_document_is_found_with_where_and_why(gnomon, built: Workspace) -> None:
    link = gnomon("lineage", "copy", "--json").row
    assert link["id"] == "local:copy"
    assert link["facts"]["state"] == "dropped by corpus/dedup: duplicate_exact"
    assert steps(link) == [("corpus/dedup", "dropped"), ("corpus/ingest", "read")]
    assert "same text as local:alpha" in gnomon("lineage", "copy").out


def test_a_file_that_could_not_be_used_is_found_by_its_name(gnomon, built: Workspace) -> None:
    link = gnomon("lineage", "empty.txt", "--json").row
    assert link["kind"] == "file"
    assert link["below"][0]["facts"]["state"] == "dropped by corpus/ingest: empty"
    assert gnomon("lineage", "sub/copy.txt", "--json").row["below"][0]["id"] == "local:copy"


def test_a_chunk_leads_to_its_text_and_document(gnomon, built: Workspace) -> None:
    cut = next(b for b in gnomon("lineage", "local:beta", "--json").row["below"] if "chunks" in b["facts"])
    link = gnomon("lineage", cut["facts"]["chunks"][0], "--json").row
    assert (link["kind"], link["below"][0]["id"]) == ("chunk", "local:beta")
    assert link["facts"]["text"] == "A galaxy moved away at 1090 km/s."


def test_a_question_leads_to_the_document_its_evidence_stands_in(gnomon, built: Workspace) -> None:
    link = gnomon("lineage", "q-1", "--json").row
    assert (link["kind"], link["facts"]["evidence"]) == ("question", "The star went down.")
    assert link["below"][0]["id"] == "local:alpha"


@pytest.mark.parametrize("cut", [8, 32])
def test_a_step_leads_to_its_inputs_and_files(gnomon, built: Workspace, cut: int) -> None:
    address = part(open_expert(built), "dedup")
    link = gnomon("lineage", address[: len("corpus/dedup/") + cut], "--json").row
    assert link["id"] == address
    assert link["facts"]["dropped"] == {"duplicate_exact": 1}
    assert sorted(kinds(link)) == ["source"] * 4 + ["step", "step"]


def saved_answer(workspace: Workspace, quote: str) -> Answer:
    expert = open_expert(workspace)
    folder = workspace.artifact(part(expert, "dedup"))
    alpha = next(d for d in read_table(folder / "documents", Document) if d.id == "local:alpha")
    start = alpha.text.index("It was red.")
    citation = Citation(id="R1", doc_id=alpha.id, title=alpha.title, authors=(), year=1917, quote=quote,
                        span=alpha.span(start, start + len("It was red.")))  # fmt: skip
    checks = Checks(unknown_ids=0, quotes_verbatim=1.0, numbers_supported=None, coverage=1.0)
    answer = Answer(id="answer:b2:0123abcd", question="Which colour?", text="It was red. [R1]", voice="extractive",
                    refused=False, claims=(Claim(text="It was red.", citations=("R1",)),), citations=(citation,),
                    checks=checks, parts=expert.parts)  # fmt: skip
    workspace.save("answers", "b2-0123abcd", to_row(answer))
    return answer


def test_an_answer_is_walked_back_to_the_file(gnomon, built: Workspace) -> None:
    answer = saved_answer(built, "It was red.")
    link = gnomon("lineage", answer.id, "--json").row
    assert kinds(link)[:5] == ["answer", "claim", "citation", "chunk", "document"]
    assert kinds(link)[-1] == "source"
    citation = link["below"][0]["below"][0]
    assert citation["facts"]["verbatim"] is True
    assert "verbatim" in gnomon("lineage", answer.id).out


def test_a_quote_that_is_not_at_its_place_is_said_to_be_so(gnomon, built: Workspace) -> None:
    answer = saved_answer(built, "It was blue.")
    assert gnomon("lineage", answer.id, "--json").row["below"][0]["below"][0]["facts"]["verbatim"] is False


def test_an_old_answer_says_that_its_text_is_gone_after_gc(gnomon, built: Workspace, papers: Path) -> None:
    answer = saved_answer(built, "It was red.")
    (papers / "alpha.txt").write_text("Alpha\nEntirely new words.\n")
    gnomon("build", papers)
    gnomon("gc", "--yes")
    link = gnomon("lineage", answer.id, "--json").row
    assert link["below"][0]["below"][0]["facts"]["verbatim"] is None
    assert "no longer here" in gnomon("lineage", answer.id).out


def test_an_unknown_id_names_the_nearest(gnomon, built: Workspace) -> None:
    done = gnomon("lineage", "local:alpah")
    assert (done.code, "local:alpha" in done.err) == (2, True)


def test_hostile_titles_cannot_command_a_terminal(gnomon, papers: Path) -> None:
    (papers / "evil.txt").write_text("\x1b]0;owned\x07[red]Evil\x1b[2J\nText of evil.\n", encoding="utf-8")
    gnomon("build", papers)
    out = gnomon("lineage", "evil").out
    assert "\x1b" not in out
    assert "[red]Evil" in out


def test_show_tells_each_part_and_step(gnomon, built: Workspace) -> None:
    row = gnomon("show", "--json").row
    (expert,) = row["experts"]
    assert {p["role"]: p["state"] for p in expert["parts"]} == dict.fromkeys(
        ["chunk", "dedup", "index", "ingest", "items"], "made"
    )
    assert next(s for s in expert["steps"] if s["step"] == "corpus/ingest")["dropped"] == {"empty": 1}
    assert row["bytes"] > 0
    assert "papers" in gnomon("show").out


def test_show_says_how_far_an_unfinished_part_is(gnomon, built: Workspace) -> None:
    from gnomon.core.files import write_json

    expert = built.load("experts", "papers")
    expert["parts"] += [["vectors", "knowledge/vectors/" + "a" * 32], ["trace", "knowledge/trace/" + "b" * 32]]
    built.save("experts", "papers", expert)
    counts = {"taken": 1, "kept": 1, "dropped": {}, "made": {}}
    write_json(built.local / "runs/knowledge/vectors" / ("a" * 32) / "shards/0.json", {"counts": counts, "note": None})
    parts = {p["role"]: p for p in gnomon("show", "--json").row["experts"][0]["parts"]}
    assert (parts["vectors"]["state"], parts["vectors"]["done"], parts["vectors"]["of"]) == ("filling", 1, 2)
    assert parts["trace"]["state"] == "missing"
    assert "vectors filling: 1 of 2" in " ".join(gnomon("show").out.split())


def test_show_without_a_workspace_says_how_to_make_one(gnomon) -> None:
    done = gnomon("show")
    assert (done.code, "gnomon run quickstart" in done.err) == (2, True)


def test_verify_finds_a_flipped_byte_and_ends_with_1(gnomon, built: Workspace) -> None:
    assert gnomon("verify", "--json").row == {"checked": 5, "findings": []}
    path = next((built.local / "runs/corpus/ingest").glob("*/data/documents/0.parquet"))
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    done = gnomon("verify", "--json")
    assert done.code == 1
    assert [(f["place"], f["problem"]) for f in done.row["findings"]] == [("documents/0.parquet", "changed")]
    assert "documents/0.parquet" in gnomon("verify").out
