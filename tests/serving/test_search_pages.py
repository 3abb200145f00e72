import csv
import io
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

HOSTILE = "local:hostile-1"


def test_the_api_gives_documents_passages_and_facets(client: TestClient) -> None:
    told = client.get("/api/search", params={"q": "galaxies", "k": 3, "facets": True}).json()
    assert len(told["documents"]) == 3
    assert told["facets"]["documents"] == told["found"]
    assert told["documents"][0]["passages"][0]["chunk_id"].startswith(told["documents"][0]["id"] + "#")
    assert client.get("/api/search", params={"q": "galaxies"}).json()["facets"] is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"k": 101}, 422), ({"k": 0}, 422), ({"year": "never"}, 422), ({"mode": "magic"}, 422), ({"q": "x" * 2_001}, 422),
     ({"author": "x" * 301}, 422), ({"like": "local:nobody"}, 404), ({"page": 10**9}, 422), ({"q": "\x00\ud800'\"(*"}, 200)],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_a_cure(client: TestClient, asked: dict[str, Any], status: int) -> None:
    encoded = {
        key: value.encode("utf-8", "replace") if isinstance(value, str) else value for key, value in asked.items()
    }
    for path in ("/api/search", "/api/export"):
        told = client.get(path, params=encoded)
        assert told.status_code == status
        assert status == 200 or (told.headers["content-type"] == "application/problem+json" and told.json()["cure"])


def test_a_list_is_saved_in_its_order(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "galaxies", "k": 5}).json()
    saved = client.get("/api/export", params={"q": "galaxies", "k": 5, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(saved.text)))
    assert [row["id"] for row in rows] == [document["id"] for document in found["documents"]]
    assert saved.headers["content-disposition"] == 'attachment; filename="search.csv"'
    assert client.get("/api/export", params={"q": "galaxies", "format": "ris"}).text.startswith("TY  - ")
    assert client.get("/api/export", params={"q": "galaxies"}).text.startswith("@")


def test_the_page_works_without_a_script(client: TestClient) -> None:
    page = client.get("/search", params={"q": "galaxies", "category": "astro-ph.GA"}).text
    assert 'value="galaxies"' in page
    assert "<mark>" in page
    assert 'href="/search?q=galaxies"' in page  # the way out of the limit
    assert re.search(r'href="/api/export\?q=galaxies&amp;category=astro-ph.GA&amp;format=bib"', page)
    assert "<svg" in page
    assert "style=" not in page


def test_a_part_of_the_page_is_only_its_results(client: TestClient) -> None:
    part = client.get("/search", params={"q": "galaxies", "part": "results"}).text
    assert "<html" not in part
    assert '<ol class="records"' in part
    assert "part=results" not in part


def test_every_state_has_words_in_both_languages(client: TestClient) -> None:
    for asked, en, ja in (
        ({}, "papers in the library", "件の文献"), ({"q": "zzzqqq", "mode": "text"}, "Nothing was found", "見つからなかった"),
        ({"q": "zzzqqq"}, "nearest in meaning", "意味の最も近い"), ({"like": HOSTILE}, "Papers like", "似た文献"),
        ({"q": "galaxy", "page": 90}, "ends before page 90", "90 ページより前"),
    ):  # fmt: skip
        assert en in client.get("/search", params={**asked, "lang": "en"}).text
        assert ja in client.get("/search", params={**asked, "lang": "ja"}).text
        client.cookies.clear()


def test_the_readers_language_is_not_the_documents_language(client: TestClient) -> None:
    page = client.get("/search", params={"lang": "ja", "language": "en"}).text
    assert '<html lang="ja"' in page
    every, english = (client.get(f"/api/search?lang=ja&language={code}").json()["found"] for code in ("", "en"))
    assert every > english > 0


def test_hostile_titles_names_and_queries_are_only_words(client: TestClient) -> None:
    for path in (f"/search?like={HOSTILE}", "/search?q=polished+mirror+telescope", f"/paper/{HOSTILE}", f"/lineage/{HOSTILE}",
                 "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/search?author=%3Cb%3E"):  # fmt: skip
        page = client.get(path, headers={"accept": "text/html"}).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>X" not in page
    found = client.get("/search?q=polished+mirror+telescope").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found


def test_an_unreadable_year_is_a_page_that_says_how_to_write_one(client: TestClient) -> None:
    page = client.get("/search?year=soon", headers={"accept": "text/html"})
    assert page.status_code == 422
    assert "1990..2000" in page.text
