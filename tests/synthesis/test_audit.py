"""The audit page: a fair sample, shown safely, with the words it rests on; in a browser where there is one."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from choosing import leave, listing, marked, output, pair
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.messages import Message
from gnomon.core.records import Document, Source
from gnomon.core.synthetic import QA, Evidence
from gnomon.core.tables import write_table
from gnomon.synthesis.audit.page import page
from gnomon.synthesis.audit.passages import passages
from gnomon.synthesis.audit.step import AuditConfig, draw, run
from gnomon.synthesis.labels import LABELS, read_labels

HOSTILE = '</script><script>document.title="x"</script>\u2028<img src=x onerror=alert(1)> {{data}} \ud800'


def document(text: str, doc_id: str = "local:a", title: str = "A title") -> Document:
    source = Source(kind="markdown", key="k", sha256="0")
    return Document(id=doc_id, title=title, text=text, lang="en", source=source)


def quoting(about: Document, *quotes: str, **more: Any) -> QA:
    spans = [about.span(at := about.text.index(q), at + len(q)) for q in quotes]
    found = tuple(Evidence(span=s, quote=q) for s, q in zip(spans, quotes, strict=True))
    return pair(1, evidence=found, **more)


def made(folder: Path, pairs: list[QA], documents: list[Document], **settings: Any) -> str:
    write_table(folder / "docs" / "documents" / "0.parquet", Document, documents)
    out = output(folder / "out")
    inputs = {"pairs": leave(folder / "in", pairs), "documents": folder / "docs"}
    counts = run(AuditConfig(**settings), inputs, out)
    assert counts.add_up
    return (out.path / "audit.html").read_text(encoding="utf-8")


def data_of(html: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    data: dict[str, Any] = json.loads(found)
    return data


# What is shown --------------------------------------------------------------------------------


def test_the_page_holds_a_pair_with_its_passage_and_verdicts(tmp_path: Path) -> None:
    text = "Before it. " * 100 + "M31 is 780 kpc away. " + "After it. " * 100
    turns = (Message(role="user", text="Why?"), Message(role="assistant", text="So."))
    one = marked(quoting(document(text), "M31 is 780 kpc away.", turns=turns, kind="dialogue"), correctness=4)
    (shown,) = data_of(made(tmp_path, [one], [document(text)], around=100))["pairs"]
    (runs,) = shown["passages"]
    assert [quoted for _, quoted in runs] == [False, False, True, False, False]
    assert runs[2][0] == "M31 is 780 kpc away."
    assert "".join(t for t, _ in runs[1:-1]) in text
    assert 60 < len(runs[1][0]) <= 100
    assert (shown["title"], shown["document"], shown["question"]) == ("A title", "local:a", one.question)
    assert shown["verdicts"] == [{"judge": "j", "criterion": "correctness", "score": 4, "reason": "correctness 4"}]
    assert [turn["text"] for turn in shown["turns"]] == ["Why?", "So."]


def test_a_quote_of_another_version_of_a_text_is_shown_without_a_passage(tmp_path: Path) -> None:
    shown = data_of(made(tmp_path, [pair(1)], [document("The star S1 is not here.", "local:d1")]))["pairs"][0]
    assert shown["passages"] == []
    assert shown["quotes"] == ["The star S1 is 1 pc away."]


WORDS = st.lists(st.sampled_from(["star", "銀河。", "M31", "\n\n", "light."]), min_size=1, max_size=60).map(" ".join)


@given(WORDS, st.lists(st.tuples(st.integers(0, 300), st.integers(1, 40)), min_size=1, max_size=4), st.integers(0, 80))
def test_passages_are_the_text_around_the_quotes_and_mark_exactly_them(
    text: str, places: list[tuple[int, int]], around: int
) -> None:
    doc = document(text)
    spans = [(min(a, len(text) - 1), min(a + n, len(text))) for a, n in places]
    quotes = [Evidence(span=doc.span(a, b), quote=text[a:b] if text[a:b].strip() else "x") for a, b in spans]
    found = passages(quotes, {doc.id: doc}, around)
    quoted = [t for runs in found for t, marked_ in runs if marked_]
    covered = {i for a, b in spans for i in range(a, b)}
    assert sum(map(len, quoted)) == len(covered)
    for runs in found:
        whole = "".join(t for t, _ in runs if t != "…")
        assert whole in text
        assert len(runs[0][0]) <= max(around, 1) or runs[0][1]


# The sample -----------------------------------------------------------------------------------


def test_a_sample_is_random_and_the_same_for_a_seed_whatever_the_order(tmp_path: Path) -> None:
    pairs = [pair(i) for i in range(200)]
    drawn = [one.id for one in draw(pairs, AuditConfig(sample=20))]
    assert drawn == [one.id for one in draw(reversed(pairs), AuditConfig(sample=20))]
    assert drawn != [one.id for one in draw(pairs, AuditConfig(sample=20, seed=1))]
    numbers = sorted(int(one.answer.split()[0]) for one in draw(pairs, AuditConfig(sample=50)))
    assert 60 < sum(numbers) / len(numbers) < 140
    data = data_of(made(tmp_path, pairs, [], sample=20))
    assert [one["id"] for one in data["pairs"]] == drawn


def test_a_sample_larger_than_the_set_is_the_set(tmp_path: Path) -> None:
    assert len(data_of(made(tmp_path, [pair(1), pair(2)], []))["pairs"]) == 2
    assert data_of(made(tmp_path / "none", [], []))["pairs"] == []
    with pytest.raises(ConfigError, match="sample = 0"):
        made(tmp_path / "wrong", [], [], sample=0)


# Safety ---------------------------------------------------------------------------------------


def test_a_hostile_pair_stays_data() -> None:
    html = page([{"id": "x", "question": HOSTILE}], "0" * 32)
    assert html.count("<script") == 2
    assert html.count("</script>") == 2
    assert "<img" not in html
    assert data_of(html)["pairs"][0]["question"].startswith("</script><script>")


def test_the_policy_allows_this_script_and_this_style_and_no_request() -> None:
    html = page([], "0" * 32)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy
    assert len(script) == len(style) == 1
    assert "default-src 'none'" in policy[1]
    for text in (script[0], style[0]):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy[1]
    assert not re.search(r"\b(?:https?:)?//[a-z]", html)
    assert "innerHTML" not in html


def test_the_page_offers_the_labels_that_are_read_in_both_languages() -> None:
    html = page([], "0" * 32)
    assert data_of(html)["labels"] == list(LABELS)
    script = html.split("<script>")[1]
    for label in LABELS:
        assert len(re.findall(rf"\b{label}: \"", script)) == 2
    said = set(re.findall(r'data-say="(\w+)"', html))
    for word in said:
        assert len(re.findall(rf"\b{word}: \"", script)) == 2, word


# A browser ------------------------------------------------------------------------------------


def test_a_reader_labels_with_the_keyboard_and_the_file_sets_a_threshold(tmp_path: Path, browser: Any) -> None:
    doc = document("It is known. " * 20 + HOSTILE.replace("\ud800", "") + " M31 is 780 kpc away. " + "More. " * 300)
    pairs = [quoting(doc, "M31 is 780 kpc away.", question=f"{HOSTILE[:-1]} {i}?") for i in range(4)]
    made(tmp_path, pairs, [doc])
    window = browser.new_context(accept_downloads=True).new_page()
    wrong: list[str] = []
    window.on("pageerror", lambda error: wrong.append(str(error)))
    window.on("console", lambda message: wrong.append(message.text))
    window.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)
    window.goto((tmp_path / "out" / "audit.html").as_uri())
    assert window.title() == "Audit of synthetic pairs – Gnomon"
    assert HOSTILE[:20] in window.text_content("#question")
    assert window.text_content("mark") == "M31 is 780 kpc away."
    assert window.is_visible("mark")
    for key in ("1", "2", "9"):
        window.keyboard.press(key)
    assert window.text_content("#count") == "3 of 4 labelled"
    window.keyboard.press("ArrowLeft")
    window.keyboard.press("0")
    window.keyboard.press("u")
    assert window.text_content("#place") in {"3 / 4", "4 / 4"}
    window.reload()
    assert window.text_content("#count") == "2 of 4 labelled"
    window.click("#language")
    assert window.text_content("h1") == "合成した質問と回答の監査"
    with window.expect_download() as download:
        window.keyboard.press("d")
    target = tmp_path / "labels.jsonl"
    download.value.save_as(target)
    labels = read_labels(listing(tmp_path / "l", target))
    first, second = (one["id"] for one in data_of((tmp_path / "out" / "audit.html").read_text("utf-8"))["pairs"][:2])
    assert labels.sound == {first}
    assert labels.faulty == {second: "wrong_number"}
    assert wrong == []
