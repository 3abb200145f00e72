import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import messy_library
import pytest
from fastapi.testclient import TestClient
from filelock import FileLock

from gnomon.knowledge.library import Library
from gnomon.research.opened import OpenExpert
from gnomon.runs import Workspace
from gnomon.runs.experts import open_expert
from gnomon.serving.app import app

HTML = {"accept": "text/html", "accept-language": "en"}
JAPANESE = {"accept": "text/html", "accept-language": "ja"}


@pytest.fixture(scope="module")
def client(workspace: Path) -> Iterator[TestClient]:
    """The whole expert, opened once for all tests here: its facts never change."""
    with TestClient(app(OpenExpert.of(Workspace(str(workspace)))), base_url="http://127.0.0.1:8000") as made:
        yield made


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A library of few records, without models and exam, whose vectors are still to come."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent / "messy"
    with FileLock(f"{shared}.lock"):
        if not (shared / "ready").exists():
            messy_library.build(shared)
            (shared / "ready").touch()
    expert = OpenExpert.of(Workspace(str(shared / "ws")))
    with TestClient(app(expert), base_url="http://127.0.0.1:8000") as made:
        yield made


def test_what_every_step_kept_and_left_out_adds_up(messy: TestClient, client: TestClient) -> None:
    for served in (messy, client):
        for step in served.get("/api/corpus").json()["flow"]:
            assert step["taken"] == step["kept"] + sum(step["dropped"].values()), step["name"]


def test_reasons_lead_to_the_records_that_were_left_out(messy: TestClient) -> None:
    page = messy.get("/corpus", headers=HTML).text
    assert "/corpus/dropped?step=clean&amp;reason=digits" in page
    found = messy.get("/api/corpus/dropped", params={"step": "clean", "reason": "digits"}).json()
    assert [row["doc_id"] for row in found["rows"]] == ["local:digits"]
    assert found["rows"][0]["excerpt"].startswith("1 2 3")
    shown = messy.get("/corpus/dropped?step=clean&reason=digits", headers=HTML).text
    assert "mostly digits" in shown
    assert "local:digits" in shown


def test_a_record_that_only_models_do_not_see_is_told_as_readable(messy: TestClient) -> None:
    rows = messy.get("/api/corpus/dropped").json()["rows"]
    assert {row["doc_id"]: row["readable"] for row in rows}["local:leak"] is True
    assert {row["doc_id"]: row["readable"] for row in rows}["local:digits"] is False


def test_copies_stand_side_by_side_with_the_words_that_differ(messy: TestClient) -> None:
    pairs = messy.get("/api/corpus/duplicates", params={"kind": "copies"}).json()
    assert [(row["a"], row["b"]) for row in pairs["rows"]] == [("local:again", "local:slipher")]
    beside = messy.get("/api/corpus/duplicates/compared", params={"a": "local:slipher", "b": "local:again"}).json()
    only = [part["text"].strip() for part in beside["a"] if not part["same"]]
    assert only == ["very"]
    assert re.search(
        r"<ins>\s*very\s*</ins>", messy.get("/corpus/duplicates?a=local:again&b=local:slipher", headers=HTML).text
    )


def test_documents_that_are_no_pair_are_not_compared(messy: TestClient) -> None:
    told = messy.get("/api/corpus/duplicates/compared", params={"a": "local:dust", "b": "local:slipher"})
    assert told.status_code == 404
    assert "local:dust" in told.json()["detail"]


def test_leaked_questions_say_where_they_stand_and_whether_models_saw_it(messy: TestClient) -> None:
    found = messy.get("/api/corpus/contamination").json()
    assert (found["total"], found["items"], found["documents"]) == (1, 1, 1)
    passage = found["rows"][0]["passages"][0]
    assert passage["withheld"] is True
    assert passage["passage"].startswith("Of the 25 spirals")
    page = messy.get("/corpus/contamination", headers=HTML).text
    assert f"/paper/local:leak?start={passage['start']}&amp;end={passage['end']}#span" in page
    assert "/exam/items/" not in page  # no exam put the question, so nothing leads to one


def test_titles_and_licences_are_shown_and_never_run(messy: TestClient) -> None:
    for path in ("/", "/corpus", "/corpus/dropped", "/corpus/duplicates", "/corpus/contamination"):
        assert messy_library.HOSTILE not in messy.get(path, headers=HTML).text, path


def test_pages_hold_no_inline_script_and_no_inline_style(messy: TestClient, client: TestClient) -> None:
    for served in (messy, client):
        for path in ("/", "/corpus", "/exam", "/corpus/dropped"):
            text = served.get(path, headers=HTML).text
            assert " style=" not in text, path
            assert "<script>" not in text, path


def test_a_step_or_page_that_is_not_there_is_a_problem_with_what_there_is(messy: TestClient) -> None:
    told = messy.get("/api/corpus/dropped", params={"step": "nowhere"})
    assert told.status_code == 404
    assert "ingest" in told.json()["cure"]
    assert messy.get("/api/corpus/dropped", params={"page": 7}).status_code == 404
    assert messy.get("/api/corpus/dropped", params={"page": 0}).status_code == 422


def test_lists_come_in_pages(messy: TestClient) -> None:
    whole = messy.get("/api/corpus/dropped", params={"rows": 100}).json()
    single = [
        messy.get("/api/corpus/dropped", params={"rows": 1, "page": at + 1}).json() for at in range(whole["total"])
    ]
    assert [page["rows"][0] for page in single] == whole["rows"]
    assert {page["pages"] for page in single} == {whole["total"]}


def test_an_expert_without_models_or_exam_says_so_and_claims_nothing(messy: TestClient) -> None:
    home = messy.get("/", headers=HTML).text
    assert "No exam was held" in home
    assert "no language model" in home
    exam = messy.get("/exam", headers=HTML)
    assert exam.status_code == 200
    assert "No exam is finished" in exam.text
    assert messy.get("/api/exam").json() == {"sittings": [], "perplexity": [], "embeddings": []}
    assert messy.get("/api/exam/items").status_code == 404


def test_what_is_still_to_come_is_named_on_the_home_page(messy: TestClient) -> None:
    home = messy.get("/", headers=HTML).text
    assert "not begun yet" in home
    assert "not made yet" in home
    assert "vectors" in home


def test_the_corpus_speaks_japanese_where_the_reader_does(messy: TestClient) -> None:
    page = messy.get("/corpus", headers=JAPANESE).text
    assert "文献庫の構成" in page
    assert "数字ばかり" in page
    assert "Composition" not in page


def test_the_same_facts_stand_in_the_report_of_the_build(client: TestClient, workspace: Path) -> None:
    report = json.loads(next(workspace.glob("runs/evaluation/report/**/report.json")).read_text(encoding="utf-8"))
    told = client.get("/api/corpus").json()
    assert told["documents"] == report["size"]["documents"]
    assert told["composition"]["years"] == report["composition"]["year"]
    assert [step["kept"] for step in told["flow"]] == [step["kept"] for step in report["flow"]]


@pytest.mark.parametrize(
    "kept", ["training/ evaluation/exam/ evaluation/items/", "knowledge/index/", "corpus/ingest/", ""]
)
def test_an_expert_of_which_only_some_is_made_has_every_page(workspace: Path, kept: str) -> None:
    whole = open_expert(Workspace(str(workspace)))
    parts = tuple((role, address) for role, address in whole.parts if address.startswith(tuple(kept.split()) or ("-",)))
    some = OpenExpert(Workspace(str(workspace)), replace(whole, parts=parts))
    with TestClient(app(some), base_url="http://127.0.0.1:8000") as served:
        for path in ("/", "/corpus", "/corpus/dropped", "/corpus/duplicates", "/corpus/contamination", "/exam"):
            assert served.get(path, headers=HTML).status_code == 200, path
        assert served.get("/api/corpus").status_code == 200
        assert served.get("/api/exam").status_code == 200


def test_vectors_that_are_filling_up_say_how_far_they_are(messy: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    side = {"address": "knowledge/vectors/x", "model": "small", "rows": 40, "of": 100, "finished": False}
    monkeypatch.setattr(Library, "stats", lambda _: {"documents": 3, "passages": 3, "vectors": [side]})
    home = messy.get("/", headers=HTML).text
    assert '<progress max="100" value="40">' in home
    assert "still filling: 40 / 100" in " ".join(home.split())
