from fastapi.testclient import TestClient


def test_an_unknown_address_is_a_page_to_a_browser_and_a_problem_to_a_program(client: TestClient) -> None:
    page = client.get("/nowhere", headers={"accept": "text/html"})
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    told = client.get("/api/nowhere")
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["status"] == 404
    assert client.get("/v1/nowhere").json()["error"]["type"] == "invalid_request_error"


def test_a_page_of_an_error_leads_on_and_sets_commands_as_code(client: TestClient) -> None:
    page = client.get("/lineage/<b>nowhere", headers={"accept": "text/html", "accept-language": "en"}).text
    assert "<code>gnomon search</code> shows ids" in page
    assert "&lt;b&gt;nowhere" in page
    assert '<a href="/search">Search the library</a>' in page


def test_a_page_speaks_the_readers_language(client: TestClient) -> None:
    assert "見つからない" in client.get("/nowhere?lang=ja", headers={"accept": "text/html"}).text
    client.cookies.clear()
    assert "Not found" in client.get("/nowhere", headers={"accept": "text/html", "accept-language": "en"}).text
