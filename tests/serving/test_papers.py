import re
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from gnomon.core.protocols import Filters
from gnomon.core.records import Drop
from gnomon.core.tables import read_table
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.papers import Heading, paper, similar, text_of
from gnomon.serving.facts.provenance import Examined, chain_behind, provenance
from gnomon.serving.web.paper import paragraphs, wanted_of

HOSTILE = "local:hostile-1"


@pytest.fixture(scope="module")
def taught(opened: OpenExpert) -> str:
    """A paper that questions were written from and an exam asks about."""
    rows = opened.library.facts.where(Filters())["doc_id"].to_pylist()
    return next(doc_id for doc_id in rows if (found := paper(opened, doc_id)).questions and found.training)


def test_a_paper_tells_what_became_of_it(opened: OpenExpert, taught: str) -> None:
    found = paper(opened, taught)
    assert found.in_library
    assert found.way.kind == "document"
    assert found.way.below[-1].kind == "source"
    assert found.way.below[-1].facts["sha256"] == found.source.sha256
    for question in found.questions:
        start, end = question.spans[0]
        assert found.text[start:end].strip()
        assert question.verdicts
        assert question.lines
    states = {question.state for question in found.questions}
    assert states & {"taught", "kept"} or all(state.startswith("left out") for state in states)
    stage = found.training[0]
    assert stage.passes >= 1
    assert all(step >= 1 for step in stage.steps)


def test_exam_questions_stand_where_their_evidence_does(opened: OpenExpert) -> None:
    ids = opened.library.facts.where(Filters())["doc_id"].to_pylist()
    found = next(paper for doc_id in ids if (paper := text_and_exam(opened, doc_id))[1])
    for item in found[1]:
        assert item.span is None or found[0][slice(*item.span)] == item.evidence
        assert item.targets


def text_and_exam(opened: OpenExpert, doc_id: str) -> tuple[str, tuple[Examined, ...]]:
    document = opened.library.document(doc_id)
    return document.text, provenance(opened, document).exam


def test_a_paper_that_was_left_out_says_where_and_why(opened: OpenExpert, client: TestClient) -> None:
    chain = chain_behind(opened)
    lost = [
        drop.doc_id for record in chain.records if record.address in chain.readers and (folder := chain.folder(record))
        and record.name.startswith("corpus/") and (folder / "drops.parquet").exists()
        for drop in read_table(folder / "drops.parquet", Drop) if not drop.doc_id.startswith("file:")
    ]  # fmt: skip
    gone = [doc_id for doc_id in lost if doc_id not in opened.library.documents(lost)]
    for doc_id in gone[:1]:
        assert not text_of(opened, doc_id).in_library
        assert "not in the library" in client.get(f"/paper/{doc_id}").text


def test_similar_papers_are_others(opened: OpenExpert, taught: str) -> None:
    near = similar(opened, taught, 4)
    assert len(near.documents) == 4
    assert taught not in [document.id for document in near.documents]
    likeness = [document.likeness for document in near.documents]
    assert likeness == sorted(likeness, reverse=True)


def test_the_api_tells_record_similar_provenance_and_reference(client: TestClient, taught: str) -> None:
    told = client.get(f"/api/documents/{taught}").json()
    assert told["record"]["id"] == taught
    assert told["text_hash"].startswith("b2:")
    assert client.get(f"/api/documents/{quote(taught, safe='')}").json() == told
    assert len(client.get(f"/api/documents/{taught}/similar?k=3").json()["documents"]) == 3
    assert client.get(f"/api/documents/{taught}/provenance").json()["questions"]
    assert client.get(f"/api/documents/{taught}/reference?format=ris").text.startswith("TY  - ")
    for path in ("/api/documents/local:nobody", "/api/documents/local:nobody/similar", "/api/documents/", "/api/documents/a/b/c",
                 "/api/documents/%00", "/api/documents/local:nobody/reference", "/api/documents/local:nobody/provenance"):  # fmt: skip
        assert client.get(path).status_code == 404
    assert client.get(f"/api/documents/{taught}/similar?k=1000").status_code == 422


def test_a_span_is_marked_and_can_be_linked_to(client: TestClient, opened: OpenExpert, taught: str) -> None:
    text = opened.library.document(taught).text
    page = client.get(f"/paper/{taught}?start=10&end=40").text
    marked = re.findall(r"<mark data-at=\"(\d+)\" id=\"span\">(.*?)</mark>", page)
    assert marked == [("10", text[10:40].replace("'", "&#39;"))]
    assert page.count('id="span"') == 1


def test_an_outdated_or_impossible_span_is_told(client: TestClient, taught: str) -> None:
    for asked, told in (
        ("start=0&end=9&text_hash=b2:old", "another version"), ("start=900000&end=900009", "there is none from"),
        ("start=9&end=3", "there is none from"), ("start=-4&end=3", "there is none from"),
    ):  # fmt: skip
        page = client.get(f"/paper/{taught}?{asked}").text
        assert told in page
        assert "<mark" not in page
    assert client.get(f"/paper/{taught}?start=x", headers={"accept": "text/html"}).status_code == 422


def test_sections_and_paragraphs_make_up_the_whole_text(opened: OpenExpert) -> None:
    base = text_of(opened, HOSTILE)
    words = "Lead words.\n\nIntro\nFirst $a_1$ here.\n\nSecond.\n\nMethods\nThird \\(b\\)."
    sections = [("", 0, 0, 13), ("Intro", 1, 13, 47), ("Methods", 1, words.index("Methods"), len(words))]
    headings = tuple(Heading(title=title, level=level, start=start, end=end) for title, level, start, end in sections)
    made = base.model_copy(update={"text": words, "sections": headings})
    found = paragraphs(made, (13, 24))
    assert [paragraph.heading for paragraph in found if paragraph.heading] == ["Intro", "Methods"]
    assert "".join(part.text for paragraph in found for part in paragraph.parts).split() == words.split()
    assert "".join(part.text for paragraph in found for part in paragraph.parts if part.marked).startswith(words[13:24])
    assert [part.text for paragraph in found for part in paragraph.parts if part.math] == ["$a_1$", "\\(b\\)"]
    assert wanted_of(made, (None, None), "").span is None
    assert wanted_of(made, (5, None), "").span == (5, len(words))


def test_markup_of_a_text_is_text(client: TestClient) -> None:
    page = client.get(f"/paper/{HOSTILE}").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert 'rel="noreferrer"' in page or "doi.org" not in page


def test_an_unknown_paper_says_what_to_do(client: TestClient) -> None:
    page = client.get("/paper/local:nobody", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert "Search for its title" in page.text
