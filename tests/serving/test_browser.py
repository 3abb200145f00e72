"""A walk through every page as a person takes it: a real browser, both languages, both themes, desk and phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest

PAGES = ("/", "/ask", "/ask?q=What+did+Slipher+measure%3F", "/ask?q=Who+won+the+cup%3F", "/search", "/search?q=galaxies",
         "/search?q=zzzqqq", "/trace", "/trace?text=only+four+were+approaching+the+Sun", "/corpus", "/exam", "/exam/items",
         "/playground", "/api/docs", "/nowhere")  # fmt: skip
DESK, PHONE = (1280, 900), (390, 844)
EVERY_DAY = (("en", "light", DESK), ("en", "dark", PHONE), ("ja", "light", PHONE), ("ja", "dark", DESK))
"""Every two of language, theme and size meet; all three together in ``make test-slow``."""
VIEWS = tuple(
    pytest.param(*view, marks=() if view in EVERY_DAY else pytest.mark.slow)
    for view in product(("en", "ja"), ("light", "dark"), (DESK, PHONE))
)
SETTLED = "networkidle"


@contextmanager
def looking(browser: Any, lang: str, theme: str, size: tuple[int, int]) -> Iterator[tuple[Any, list[str]]]:
    """A page of its own, and what went wrong in it."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=lang, color_scheme=theme)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
    page.on("request", lambda asked: wrong.append(asked.url) if "127.0.0.1" not in asked.url else None)
    yield page, wrong
    context.close()


def grave(page: Any) -> list[str]:
    """What axe-core finds serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found if one["impact"] in {"serious", "critical"} for node in one["nodes"][:5]
    ]  # fmt: skip


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("lang", "theme", "size"), VIEWS, ids=lambda value: str(value))
def test_every_page_can_be_read_by_everybody(address: str, browser: Any, lang: str, theme: str, size: Any) -> None:
    with looking(browser, lang, theme, size) as (page, wrong):
        for path in (*PAGES, _a_paper(page, address)):
            page.goto(address + path, wait_until=SETTLED)
            assert page.locator("html").get_attribute("lang") == lang
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                f"{path} is wider than the window"
            )
            assert page.locator("h1").count() == 1, path
            assert grave(page) == [], path
        assert [w for w in wrong if "404" not in w] == []


def _a_paper(page: Any, address: str) -> str:
    page.goto(f"{address}/search?q=nebulae", wait_until=SETTLED)
    return str(page.locator("a[href^='/paper/']").first.get_attribute("href"))


def test_a_reader_asks_follows_a_citation_and_comes_back(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", (1280, 900)) as (page, wrong):
        page.goto(address, wait_until=SETTLED)
        page.keyboard.press("/")
        page.keyboard.type("What did Slipher measure?")
        page.keyboard.press("Enter")
        page.wait_for_url("**/ask?q=**")
        page.wait_for_selector("main a[href^='/paper/']")
        page.locator("main a[href^='/paper/']").first.click()
        page.wait_for_url("**/paper/**")
        assert page.locator("mark").first.is_visible()
        page.go_back(wait_until=SETTLED)
        assert "Slipher" in page.locator("main").inner_text()
        assert wrong == []


def test_the_first_page_is_light(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", (1280, 900)) as (page, _):
        sizes: list[int] = []
        page.on("response", lambda got: sizes.append(int(got.headers.get("content-length", 0))))
        page.goto(address, wait_until=SETTLED)
        weights = page.evaluate("performance.getEntriesByType('resource').map(e => e.transferSize)")
        whole = sum(weights) + page.evaluate("performance.getEntriesByType('navigation')[0].transferSize")
        assert 0 < whole < 600_000


def test_the_switches_of_language_and_colours_are_remembered(address: str, browser: Any) -> None:
    with looking(browser, "en", "light", (1280, 900)) as (page, wrong):
        page.goto(address, wait_until=SETTLED)
        page.click("#theme")
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.click("a[hreflang=ja]")
        page.goto(f"{address}/corpus", wait_until=SETTLED)
        assert page.locator("html").get_attribute("lang") == "ja"
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert wrong == []
