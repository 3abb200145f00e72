"""The playground as a browser without scripts sees it, and as one with them does."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

HTML = {"accept": "text/html", "accept-language": "en"}
HOSTILE = "<img src=x onerror=alert(1)> \"'</textarea><script>alert(1)</script>"


def shown(client: TestClient, **asked: Any) -> str:
    page = client.get("/playground", params=asked, headers=HTML)
    assert page.status_code == 200
    return page.text


def words(page: str) -> str:
    """The text of a page, without tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_empty_page_offers_base_and_specialised_and_beginnings_of_the_library(client: TestClient) -> None:
    page = shown(client)
    chosen = re.findall(r'name="model" value="([^"]+)" checked', page)
    assert chosen == ["base", "specialised"]
    assert "not facts" in page
    links = re.findall(r'<li><a href="(/playground\?[^"]+)"', page)
    assert links
    assert parse_qs(urlsplit(html.unescape(links[0])).query)["text"][0].strip()


def test_without_scripts_a_reader_is_led_to_the_whole_texts(client: TestClient) -> None:
    page = shown(client, text="A star", max_tokens=6)
    led = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert led
    whole = client.get(html.unescape(led[1]), headers=HTML).text
    assert "http-equiv" not in whole
    assert words(whole).count("6 tokens, then the limit") == 2
    api = client.post("/api/complete", json={"text": "A star", "max_tokens": 6, "models": ["base", "specialised"]})
    for one in api.json()["continuations"]:
        assert f'value="{html.escape("A star" + one["text"], quote=True)}"'.replace("&#x27;", "&#39;") in whole
        assert one["name"] in whole


def test_a_conversation_without_scripts_goes_on_in_its_address(client: TestClient) -> None:
    asked = {"do": "chat", "q": ["What is a star?", "And a planet?"], "max_tokens": 12, "thinking": "off", "whole": 1}
    page = shown(client, **asked)
    assert words(page).index("What is a star?") < words(page).index("And a planet?")
    assert page.count('<input type="hidden" name="q"') == 2
    assert "A linear merge" in page, "its honest label"
    assert shown(client, **asked).count(page[page.index('<li class="turn">') :][:400]) == 1, "the same again"


def test_thinking_stands_apart_and_folds(client: TestClient) -> None:
    page = shown(client, do="chat", q="What is a star?", max_tokens=24, temperature=0, thinking="on", whole=1)
    thought = re.search(r'<details class="thought"( open)?>.*?<div class="words">(.*?)</div>', page, re.S)
    assert thought
    assert thought[2].strip()
    assert "&lt;think" not in page


def test_what_a_reader_types_is_text_and_nothing_else(client: TestClient) -> None:
    for asked in ({"text": HOSTILE}, {"do": "chat", "q": HOSTILE}):
        page = shown(client, **asked)
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert html.escape("<img src=x") in page or "\\u003cimg" in page


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"text": "A", "model": "nobody"}, 404, "nobody"),
        ({"do": "chat", "q": "A", "model": "/etc"}, 404, "/etc"),
        ({"text": "galaxy " * 2_000, "whole": 1}, 422, "1024"),
        ({"text": "A", "max_tokens": 0}, 422, "max_tokens"),
    ],
)
def test_what_cannot_be_done_is_a_page_that_says_why(
    client: TestClient, asked: dict[str, Any], status: int, told: str
) -> None:
    page = client.get("/playground", params=asked, headers=HTML)
    assert page.status_code == status
    assert told in words(page.text)


def test_a_base_model_says_that_it_holds_no_conversation(client: TestClient) -> None:
    assert "base is a base model" in words(shown(client, do="chat", model="base"))


def test_the_page_speaks_japanese(client: TestClient) -> None:
    page = client.get("/playground?lang=ja", headers={"accept": "text/html"}).text
    assert "文章の続き" in page
    assert "専門化" in page


# With scripts -----------------------------------------------------------------------------------


def test_words_appear_while_they_are_written_and_can_be_traced(address: str, browser: Any) -> None:
    page = browser.new_page(locale="en")
    page.goto(f"{address}/playground")
    page.get_by_label("A beginning").fill("The galaxy is")
    page.get_by_label("most tokens").fill("30")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Every model has written.").wait_for()
    assert page.locator(".own").all_inner_texts()[0].strip()
    assert page.locator(".seen").filter(has_text="tokens").count() == 2
    assert "text=The+galaxy+is" in page.url
    page.get_by_role("button", name="Where its words come from").first.click()
    page.wait_for_url("**/trace**")
    page.close()


def test_a_conversation_grows_on_its_page_and_comes_back_by_its_address(address: str, browser: Any) -> None:
    page = browser.new_page(locale="en")
    page.goto(f"{address}/playground?do=chat&thinking=off&max_tokens=12")
    field = page.get_by_label("What you say")
    for question in ("What is a star?", "And a planet?"):
        field.fill(question)
        field.press("Enter")
        page.locator(".reply:not(.busy) > .seen").filter(has_text="tokens").nth(
            page.locator(".turn").count() - 1
        ).wait_for()
    said = page.locator(".reply > .words").all_inner_texts()
    assert len(said) == 2
    page.reload()
    page.locator(".reply:not(.busy) > .seen").filter(has_text="tokens").nth(1).wait_for()
    assert page.locator(".reply > .words").all_inner_texts() == said
    page.close()


def test_a_refusal_is_shown_where_the_reply_would_be(address: str, browser: Any) -> None:
    page = browser.new_page(locale="en")
    page.goto(f"{address}/playground?do=chat")
    page.get_by_label("What you say").fill("galaxy " * 3_000)
    page.get_by_label("What you say").press("Enter")
    page.get_by_role("alert").wait_for()
    assert "1024" in page.get_by_role("alert").inner_text()
    page.close()
