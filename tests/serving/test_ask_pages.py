"""The pages that answer and trace, as a browser without scripts gets them."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gnomon.llm.fakes import Scripted
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import questions
from gnomon.serving.facts.answers import Evidence
from gnomon.serving.web.passages import sources

EN = {"accept": "text/html", "accept-language": "en"}


@pytest.fixture(scope="module")
def question(opened: OpenExpert) -> str:
    """A question that the small expert answers."""
    return next(q for q in questions.examples(opened, 12) if not opened.answer(q).refused)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What every model of the expert says, under ``reply``."""
    said = {"reply": "NO ANSWER"}
    monkeypatch.setattr(OpenExpert, "model", lambda self, name: Scripted(lambda _: said["reply"], name="scripted"))
    return said


def ask(client: TestClient, q: str, **more: Any) -> str:
    response = client.get("/ask", params={"q": q, **more}, headers=EN)
    assert response.status_code == 200
    return response.text


def test_the_empty_page_offers_questions_of_the_exam_and_tells_of_every_voice(client: TestClient) -> None:
    html = ask(client, "")
    assert len(re.findall(r'<li><a href="/ask\?q=', html)) == 5
    assert "Verbatim sentences" in html
    assert 'value="final"' in html
    assert 'value="base"' not in html


def test_an_answer_is_on_the_page_with_evidence_checks_and_ways_on(client: TestClient, question: str) -> None:
    html = ask(client, question)
    told = client.post("/api/ask", json={"question": question}).json()
    assert html.count('class="sentence"') == len(told["sentences"])
    for one in told["evidence"]:
        assert f'id="{one["id"]}"' in html
    assert "Every quote stands word for word in its document." in html
    assert f'href="/lineage/{told["id"]}"' in html
    assert f'href="/api/answers/{told["id"]}.md"' in html
    assert "#span" in html


def test_a_refusal_says_why_and_links_the_nearest_works(client: TestClient) -> None:
    html = ask(client, "Who won the football World Cup in Paris?")
    assert "Nothing is answered." in html
    assert 'class="near"' in html
    assert "Nearest documents" not in html


def test_a_model_is_waited_for_by_scripts_and_by_browsers_without_them(
    client: TestClient, question: str, writer: dict[str, str]
) -> None:
    writer["reply"] = "It weighs 77 tons [R1]. It is <b>green</b> [R1]."
    shell = ask(client, question, voice="final")
    assert 'class="sentence' not in shell.replace('class="sentences"', "")
    assert "data-events=" in shell
    refresh = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', shell)
    assert refresh
    whole = client.get(refresh[1].replace("&amp;", "&"), headers=EN).text
    assert "Doubted." in whole
    assert "77" in whole
    assert "<b>green</b>" not in whole
    assert "Ask further" in whole


def test_the_events_of_a_page_are_its_own_parts(client: TestClient, question: str, writer: dict[str, str]) -> None:
    writer["reply"] = "It weighs 77 tons [R1]. It is green [R1]."
    told = client.get("/ask/events", params={"q": question, "voice": "final"}, headers=EN).text
    names = re.findall(r"^event: (\w+)$", told, re.MULTILINE)
    assert [n for n in names if n != "writing"] == ["evidence", "sentence", "sentence", "answer", "evidence"]
    assert 'data: <li class="sentence doubted"' in told or "sentence doubted" in told


def test_a_follow_up_shows_what_was_asked_before(client: TestClient, question: str, writer: dict[str, str]) -> None:
    first = client.post("/api/ask", json={"question": question}).json()
    html = ask(client, "And then?", voice="final", after=first["id"])
    assert question.replace("'", "&#39;") in html
    assert f"after={first['id'].replace(':', '%3A')}" in html


def test_colours_are_a_state_with_an_address(client: TestClient, question: str) -> None:
    html = ask(client, question, colours="1")
    assert 'class="of-evidence"' in html
    assert "Verbatim matches only" in html
    told = client.post("/api/ask", json={"question": question}).json()
    part = client.get(f"/ask/answers/{told['id']}", params={"colours": "1", "q": question})
    assert 'class="of-evidence"' in part.text
    assert "<html" not in part.text


def test_what_cannot_be_asked_is_a_page_with_a_cure(client: TestClient) -> None:
    for params, status in (({"q": "x" * 2_001}, 422), ({"q": "a", "voice": "nobody"}, 404),
                           ({"q": "a", "voice": "final", "after": "none"}, 404)):  # fmt: skip
        response = client.get("/ask", params=params, headers=EN)
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/html")


def test_hostile_text_of_the_library_is_shown_as_text(client: TestClient) -> None:
    html = ask(client, "What does the hostile telescope weigh in tons on the mountain?")
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def quoted(name: str, start: int, end: int, text: str, doc: str = "d") -> Evidence:
    return Evidence(
        id=name, doc_id=doc, title="", authors=(), year=None, lang="en", quote=text[start:end], start=start, end=end,
        text_hash="h", before=text[max(0, start - 5) : start], after=text[end : end + 5], current=True, address="",
    )  # fmt: skip


def test_quotes_of_one_document_share_a_passage_where_they_touch() -> None:
    text = "".join(chr(97 + i % 26) for i in range(100))
    found = sources([quoted("R1", 30, 40, text), quoted("R2", 8, 20, text), quoted("R3", 70, 80, text),
                     quoted("R4", 35, 45, text), quoted("R5", 0, 9, text, "e")])  # fmt: skip
    assert [source.head.id for source in found] == ["R1", "R5"]
    passages = found[0].passages
    assert ["".join(piece.text for piece in passage) for passage in passages] == [text[3:50], text[65:85]]
    assert [(piece.text, piece.ids) for piece in passages[0] if len(piece.ids) > 1] == [(text[35:40], ("R1", "R4"))]
    assert [quote.id for passage in passages for piece in passage for quote in piece.first] == ["R2", "R1", "R4", "R3"]


# Trace ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def passage(opened: OpenExpert) -> str:
    """A sentence that stands in the corpus."""
    document = opened.library.document(opened.trace.find("the", 1)[0].doc_id)
    return document.text[: document.text.index(". ") + 1]


def test_a_short_text_is_led_to_its_own_address(client: TestClient, passage: str) -> None:
    form = client.get("/trace", headers=EN).text
    token = re.search(r'name="form_token" value="([^"]+)"', form)
    assert token
    sent = client.post("/trace", data={"text": passage, "form_token": token[1]}, headers=EN, follow_redirects=False)
    assert sent.status_code == 303
    html = client.get(sent.headers["location"], headers=EN).text
    assert 'class="rank-once"' in html or 'class="rank-few"' in html
    assert "Verbatim matches only" in html
    assert "#span" in html


def test_a_long_text_is_traced_where_it_was_sent(client: TestClient, passage: str) -> None:
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/trace", headers=EN).text)
    assert token
    text = f"{passage} " + "Nobody wrote this <b>at all</b>. " * 60
    sent = client.post("/trace", data={"text": text, "form_token": token[1]}, headers=EN)
    assert sent.status_code == 200
    assert "no address of its own" in sent.text
    assert "<b>at all</b>" not in sent.text


def test_a_phrase_goes_on_and_back(client: TestClient, opened: OpenExpert) -> None:
    html = client.get("/trace", params={"phrase": "of the"}, headers=EN).text
    assert f"{opened.trace.count('of the'):,} times" in html
    first = opened.trace.next_words("of the", 1)[0]
    assert f"phrase=of+the+{first.word}" in html
    assert 'phrase=of#next"' in html
    assert "stand nowhere" in client.get("/trace", params={"phrase": "zzzz"}, headers=EN).text
    assert "commonest words" in client.get("/trace", headers=EN).text
