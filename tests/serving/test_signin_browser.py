"""The door in a real browser: a key is entered once, by hand, and everything behind it opens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safety_apps import application, running
from test_browser import VIEWS, grave, looking

from gnomon.serving.safety.keys import Keys
from gnomon.serving.safety.policy import Policy


@pytest.fixture(scope="module")
def key_and_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server on loopback that demands a key all the same."""
    folder: Path = tmp_path_factory.mktemp("keys")
    keys = Keys(folder)
    key, _ = keys.add("reader")
    with running(application(folder, policy=Policy(keys=keys, demands_key=True))) as address:
        yield key, address


@pytest.mark.parametrize(("lang", "theme", "size"), VIEWS, ids=lambda value: str(value))
def test_the_door_can_be_read_by_everybody(
    key_and_address: tuple[str, str], browser: Any, lang: str, theme: str, size: Any
) -> None:
    _, address = key_and_address
    with looking(browser, lang, theme, size) as (page, wrong):
        page.goto(f"{address}/sign-in", wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("h1").count() == 1
        assert grave(page) == []
        assert [each for each in wrong if "verbose" not in each] == []


def test_a_reader_signs_in_and_out(key_and_address: tuple[str, str], browser: Any) -> None:
    key, address = key_and_address
    with looking(browser, "en", "light", (1280, 900)) as (page, _):
        page.goto(f"{address}/api/docs?lang=en")
        assert "/sign-in" in page.url
        page.keyboard.type("gnomon_wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_url("**/api/docs**")
        assert page.locator("h1").inner_text() == "API"
        assert "reader" in str(page.locator(".switches button").get_attribute("title"))
        assert page.evaluate("document.cookie").count("session") == 0
        page.click(".switches button")
        page.wait_for_url("**/sign-in")
        page.goto(f"{address}/api/docs")
        assert "/sign-in" in page.url


def test_a_page_of_another_site_can_neither_read_nor_change_anything(
    key_and_address: tuple[str, str], browser: Any
) -> None:
    _, address = key_and_address
    with looking(browser, "en", "light", (1280, 900)) as (page, _):
        page.goto("data:text/html,<h1>elsewhere</h1>")
        asked = "async (url) => { try { return (await fetch(url)).status } catch (e) { return String(e) } }"
        assert "TypeError" in page.evaluate(asked, f"{address}/health")
        page.goto(f"{address}/sign-in")
        page.evaluate("document.querySelector('[name=form_token]').value = 'AAAA'")
        page.fill("#key", "gnomon_x")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=not made by this server")
