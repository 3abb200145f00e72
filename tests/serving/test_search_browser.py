"""Searching and reading as a person does it: typing, narrowing, going back, selecting words."""

from typing import Any

import pytest
from test_browser import SETTLED, grave, looking

DESK, PHONE = (1280, 900), (390, 844)
A_PAPER = "main ol.records h3 a"


def test_results_follow_the_typing_and_the_address_follows_them(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", DESK) as (page, wrong):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "part=results" in request.url else None)
        page.goto(f"{address}/search", wait_until=SETTLED)
        page.locator("#q").press_sequentially("galaxies", delay=20)
        page.wait_for_url("**/search?q=galaxies")
        page.wait_for_selector("#results:not([aria-busy]) mark")
        assert len(asked) < len("galaxies")
        assert page.locator("#q").evaluate("field => field === document.activeElement")
        page.reload(wait_until=SETTLED)
        assert page.locator("#q").input_value() == "galaxies"
        assert wrong == []


def test_a_facet_narrows_and_the_way_back_widens(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", DESK) as (page, wrong):
        page.goto(f"{address}/search?q=galaxies", wait_until=SETTLED)
        whole = page.locator(".summary b").inner_text()
        page.locator(".facet", has_text="Subjects").locator("a").first.click()
        page.wait_for_url("**category=**")
        page.wait_for_selector(".limited .chip")
        assert page.locator("input[name=category]").input_value() != ""
        assert int(page.locator(".summary b").inner_text()) <= int(whole)
        page.go_back()
        page.wait_for_selector(".limited", state="detached")
        assert page.locator(".summary b").inner_text() == whole
        page.locator(".histogram a").last.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**year=**")
        page.wait_for_selector(".limited .chip")
        assert wrong == []


def test_a_wish_that_cannot_be_fulfilled_is_told_beside_the_last_results(address: str, browser: Any) -> None:
    with looking(browser, "ja", "dark", PHONE) as (page, _):
        page.goto(f"{address}/search?q=galaxies", wait_until=SETTLED)
        page.locator("input[name=year]").fill("soon")
        page.wait_for_selector(".note.bad")
        assert "年の範囲" in page.locator(".note.bad").inner_text()
        assert page.locator(A_PAPER).count() > 0
        page.locator("input[name=year]").fill("")
        page.wait_for_selector(".note.bad", state="detached")


def test_selected_words_get_an_address_that_marks_them(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", DESK) as (page, wrong):
        page.goto(f"{address}/search?q=galaxies", wait_until=SETTLED)
        page.locator(A_PAPER).first.click()
        page.wait_for_url("**/paper/**")
        chosen = page.evaluate("""() => {
            const node = document.querySelector('#text [data-at]').firstChild, range = document.createRange();
            range.setStart(node, 4); range.setEnd(node, 30);
            const all = getSelection(); all.removeAllRanges(); all.addRange(range);
            return all.toString();
        }""")
        page.locator("#here").click()
        page.wait_for_url("**start=4&end=30#span")
        assert page.locator("mark#span").inner_text() == chosen
        assert wrong == []


@pytest.mark.parametrize(("lang", "theme", "size"), [("en", "light", DESK), ("ja", "dark", PHONE)])
def test_papers_and_lineages_can_be_read_by_everybody(
    address: str, browser: Any, lang: str, theme: str, size: Any
) -> None:
    with looking(browser, lang, theme, size) as (page, wrong):
        for path in ("/search?like=local:hostile-1", "/search?q=galaxies&category=astro-ph.GA&year=1990..2020", "/paper/local:hostile-1?start=3&end=40",
                     "/lineage", "/lineage/final", "/lineage/local:hostile-1", "/lineage/corpus/dedup"):  # fmt: skip
            page.goto(address + path, wait_until=SETTLED)
            for fold in page.locator("main details").all()[:6]:
                fold.evaluate("fold => { fold.open = true; }")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            assert page.locator("h1").count() == 1, path
            assert grave(page) == [], path
        assert wrong == []
