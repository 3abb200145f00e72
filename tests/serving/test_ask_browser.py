"""Asking and tracing with a real browser: sentences as they come, what belongs together lights up, phrases go on."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from test_browser import SETTLED, grave, looking

from gnomon.core.records import ModelRef
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts import questions

DESK = (1280, 900)


class Halting:
    """A model that cites the first quote, goes on when it is let, and knows whether anybody still listens."""

    def __init__(self) -> None:
        self.ref = ModelRef(name="halting")
        self.go, self.closed = threading.Event(), threading.Event()

    def stream(self, turns: Conversation, options: ChatOptions) -> Iterator[Reply]:
        quote = re.search(r"^\[R1\] \(.*?\) (.*)$", turns[-1].text, re.MULTILINE)
        first = f"{quote[1] if quote else ''} [R1] It weighs 77 tons [R1]. And "
        try:
            yield Reply(text=first)
            while not self.go.wait(0.02):
                yield Reply(text=first)
            yield Reply(text=first + "that is all [R1].")
        finally:
            self.closed.set()


@pytest.fixture(scope="module")
def question(opened: OpenExpert) -> str:
    """A question that the small expert answers."""
    return next(q for q in questions.examples(opened, 12) if not opened.answer(q).refused)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Halting]:
    """The model behind every voice."""
    made = Halting()
    monkeypatch.setattr(OpenExpert, "model", lambda self, name: made)
    yield made
    made.go.set()


def ask(page: Any, address: str, question: str, voice: str = "") -> None:
    page.goto(f"{address}/ask?voice={voice}", wait_until=SETTLED)
    page.fill("#q", question)
    page.press("#q", "Enter")


@pytest.mark.timeout(120)
def test_sentences_come_while_the_model_still_writes(address: str, browser: Any, question: str, model: Halting) -> None:
    with looking(browser, "en", "light", DESK) as (page, wrong):
        ask(page, address, question, "final")
        page.wait_for_selector(".sentence.doubted .doubt:has-text('77')")
        assert page.locator("#evidence #R1").is_visible()
        assert page.locator("#stop").is_visible()
        assert "characters" in page.locator(".waiting").inner_text()
        assert grave(page) == []
        model.go.set()
        page.wait_for_selector(".findings")
        assert not page.locator("#stop").is_visible()
        assert page.locator("#follow").is_visible()
        assert wrong == []


@pytest.mark.timeout(120)
def test_who_stops_an_answer_ends_the_models_work(address: str, browser: Any, question: str, model: Halting) -> None:
    with looking(browser, "ja", "dark", (390, 844)) as (page, wrong):
        ask(page, address, question, "final")
        page.wait_for_selector(".sentence")
        page.click("#stop")
        page.wait_for_selector("#again:visible")
        assert "中止" in page.locator(".waiting").inner_text()
        assert model.closed.wait(10)
        assert wrong == []


@pytest.mark.timeout(120)
def test_a_chip_lights_its_evidence_and_colours_come_and_go(address: str, browser: Any, question: str) -> None:
    with looking(browser, "en", "dark", DESK) as (page, wrong):
        ask(page, address, question)
        page.wait_for_selector(".sentence .chip")
        page.locator(".sentence .chip").first.focus()
        assert page.locator("#evidence mark.lit").count() >= 1
        page.locator("#evidence a.chip").first.hover()
        assert page.locator(".sentence.lit").count() >= 1
        assert grave(page) == []
        page.click("[data-part]")
        page.wait_for_selector(".of-evidence")
        assert "colours=1" in page.url
        assert page.locator("[data-part]").inner_text() == "Without colours"
        assert grave(page) == []
        page.click("[data-part]")
        page.wait_for_selector(".of-evidence", state="detached")
        assert wrong == []


@pytest.mark.timeout(120)
def test_an_answer_is_copied_as_markdown(address: str, browser: Any, question: str) -> None:
    with looking(browser, "en", "light", DESK) as (page, wrong):
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        ask(page, address, question)
        page.locator("[data-copy$='.md']").click()
        page.wait_for_selector("button:text-is('Copied')")
        assert page.evaluate("navigator.clipboard.readText()").startswith("# ")
        assert wrong == []


@pytest.mark.timeout(120)
def test_a_text_is_traced_and_a_phrase_goes_on_and_back(address: str, browser: Any, opened: OpenExpert) -> None:
    document = opened.library.document(opened.trace.find("the", 1)[0].doc_id)
    with looking(browser, "en", "light", DESK) as (page, wrong):
        page.goto(f"{address}/trace", wait_until=SETTLED)
        page.fill("#text", f"💫 {document.text[: document.text.index('. ') + 1]}")
        page.click("#trace button")
        page.wait_for_selector(".traced a")
        page.locator(".traced a").first.hover()
        assert page.locator(".spans .lit").count() >= 1
        assert "💫" in page.locator(".traced").inner_text()
        page.fill("#phrase", "of the")
        page.press("#phrase", "Enter")
        page.wait_for_selector(".steps:has-text('times')")
        word = page.locator(".bars a").first.inner_text()
        page.locator(".bars a").first.click()
        page.wait_for_selector(f".steps a:nth-of-type(3):text-is('{word}')")
        assert page.locator("#phrase").input_value() == f"of the {word}"
        assert "phrase=of+the+" in page.url
        assert page.locator(".traced").is_visible()
        page.go_back()
        page.wait_for_selector(".steps a:nth-of-type(3)", state="detached")
        assert page.locator("#phrase").input_value() == "of the"
        assert grave(page) == []
        assert wrong == []
