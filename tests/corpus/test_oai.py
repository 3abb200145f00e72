"""Harvesting over OAI-PMH, against a server on this machine that answers as the protocol says."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from ingest_kit import ingested

from gnomon.core.errors import ConfigError, OfflineError, RunError
from gnomon.core.settings import Settings
from gnomon.corpus.oai import HarvestPlace, HarvestQuery, harvest

Reply = tuple[int, dict[str, str], str]
QUERY = HarvestQuery(set="physics:astro-ph", since="2024-01-01")


def response(body: str, day: str = "2024-02-03T10:00:00Z") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f'<responseDate>{day}</responseDate><request verb="ListRecords">x</request>{body}</OAI-PMH>'
    )


def record(name: str, abstract: str) -> str:
    return (
        f"<record><header><identifier>oai:arXiv.org:{name}</identifier><datestamp>2024-02-02</datestamp></header><metadata>"
        f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{name}</id><created>2024-01-05</created><updated>2024-02-02</updated>'
        "<authors><author><keyname>Payne</keyname><forenames>Cecilia H.</forenames><affiliation>Hill</affiliation></author>"
        "<author><keyname>Some Collaboration</keyname></author></authors><title>On the\n  stars</title>"
        "<categories>astro-ph.SR astro-ph.GA</categories><comments>9 pages</comments><doi>10.1000/ABC</doi>"
        f"<license>http://creativecommons.org/licenses/by/4.0/</license><abstract>  {abstract}\n</abstract></arXiv></metadata></record>"
    )


DELETED = '<record><header status="deleted"><identifier>oai:arXiv.org:2401.99999</identifier></header></record>'


def page(*records: str, token: str = "") -> str:
    end = (
        f'<resumptionToken cursor="0" completeListSize="3">{token}</resumptionToken>' if token else "<resumptionToken/>"
    )
    return response(f"<ListRecords>{''.join(records)}{end}</ListRecords>")


FIRST = (200, {}, page(record("2401.00001", "One &amp; only."), record("astro-ph/0102003", "Two."), token="t|2"))
SECOND = (200, {}, page(record("2401.00002", "Three\nlines.\n  A new paragraph."), DELETED))
BUSY = (503, {"Retry-After": "7"}, "busy")
EXPIRED = (200, {}, response('<error code="badResumptionToken">too old</error>'))


class Server:
    def __init__(self, replies: list[Reply]) -> None:
        self.replies, self.asked, self.times = list(replies), list[dict[str, list[str]]](), list[float]()
        self.url = ""


@contextmanager
def serving(*replies: Reply) -> Iterator[Server]:
    state = Server(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(parse_qs(urlparse(self.path).query))
            state.times.append(time.monotonic())
            status, headers, body = state.replies.pop(0)
            data = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/oai"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def patient(url: str) -> tuple[HarvestPlace, list[float]]:
    waited: list[float] = []
    return HarvestPlace(url=url, wait=waited.append), waited


def test_a_list_is_followed_through_its_tokens_and_read_by_content(tmp_path: Path) -> None:
    with serving(FIRST, SECOND) as server:
        place, waited = patient(server.url)
        assert harvest(QUERY, tmp_path / "oai", Settings(), place) == 2
    assert server.asked[0] == {
        "verb": ["ListRecords"], "metadataPrefix": ["arXiv"], "set": ["physics:astro-ph"], "from": ["2024-01-01"],
    }  # fmt: skip
    assert server.asked[1] == {"verb": ["ListRecords"], "resumptionToken": ["t|2"]}
    assert waited == [3.0]
    result = ingested(tmp_path / "ws", tmp_path / "oai")
    assert set(result.documents) == {"arxiv:2401.00001", "arxiv:2401.00002", "arxiv:astro-ph/0102003"}
    paper = result.documents["arxiv:2401.00001"]
    assert (paper.title, paper.text) == ("On the stars", "One & only.")
    assert [a.name for a in paper.biblio.authors] == ["Payne, Cecilia H.", "Some Collaboration"]
    assert paper.biblio.authors[0].affiliations == ("Hill",)
    assert (paper.biblio.date, paper.biblio.doi) == ("2024-01-05", "10.1000/abc")
    assert paper.biblio.categories == ("astro-ph.SR", "astro-ph.GA")
    assert paper.source.kind == "oai-pmh"
    assert paper.source.retrieved == "2024-02-03"
    assert paper.source.licence == "http://creativecommons.org/licenses/by/4.0/"
    assert result.documents["arxiv:2401.00002"].text == "Three lines.\n\nA new paragraph."
    assert list(result.reasons.values()) == ["deleted_record"]
    assert result.marks["arxiv:2401.00001", "column/comments"] == '"9 pages"'


def test_a_busy_server_is_asked_again_after_the_time_it_names(tmp_path: Path) -> None:
    with serving(BUSY, BUSY, SECOND) as server:
        place, waited = patient(server.url)
        assert harvest(QUERY, tmp_path, Settings(), place) == 1
    assert waited == [7.0, 3.0, 7.0, 3.0]


def test_requests_really_keep_their_distance(tmp_path: Path) -> None:
    with serving(FIRST, SECOND) as server:
        harvest(QUERY, tmp_path, Settings(), HarvestPlace(url=server.url, pause=0.25))
    assert server.times[1] - server.times[0] >= 0.25


def test_a_stopped_harvest_goes_on_at_its_token(tmp_path: Path) -> None:
    with serving(FIRST, (404, {}, "gone")) as server:
        place, _ = patient(server.url)
        with pytest.raises(RunError, match="HTTP 404"):
            harvest(QUERY, tmp_path, Settings(), place)
        server.replies.append(SECOND)
        assert harvest(QUERY, tmp_path, Settings(), place) == 2
        assert server.asked[-1] == {"verb": ["ListRecords"], "resumptionToken": ["t|2"]}
        assert harvest(QUERY, tmp_path, Settings(), place) == 2
    assert len(server.asked) == 3


def test_a_token_that_has_expired_makes_the_list_begin_again(tmp_path: Path) -> None:
    with serving(FIRST, EXPIRED, FIRST, SECOND) as server:
        place, _ = patient(server.url)
        assert harvest(QUERY, tmp_path, Settings(), place) == 2
    assert "resumptionToken" not in server.asked[2]
    assert len(list(tmp_path.glob("page-*"))) == 2


def test_an_empty_list_is_no_error_and_a_refused_query_is(tmp_path: Path) -> None:
    nothing = (200, {}, response('<error code="noRecordsMatch">none</error>'))
    wrong = (200, {}, response('<error code="badArgument">no such set</error>'))
    with serving(nothing, wrong) as server:
        place, _ = patient(server.url)
        assert harvest(QUERY, tmp_path / "a", Settings(), place) == 0
        with pytest.raises(ConfigError, match="badArgument"):
            harvest(QUERY, tmp_path / "b", Settings(), place)


def test_a_folder_holds_one_query(tmp_path: Path) -> None:
    with serving(SECOND) as server:
        place, _ = patient(server.url)
        harvest(QUERY, tmp_path, Settings(), place)
        with pytest.raises(ConfigError, match="another query"):
            harvest(HarvestQuery(set="math"), tmp_path, Settings(), place)


def test_nothing_is_asked_while_offline(tmp_path: Path) -> None:
    with serving(FIRST) as server, pytest.raises(OfflineError):
        harvest(QUERY, tmp_path, Settings(offline=True), patient(server.url)[0])
    assert server.asked == []


@pytest.mark.parametrize("body", ["<html>login</html>", "not xml", '<!DOCTYPE x [<!ENTITY a "b">]><OAI-PMH/>'])
def test_an_answer_that_is_not_the_protocol_is_an_error(tmp_path: Path, body: str) -> None:
    with serving((200, {}, body)) as server, pytest.raises(RunError):
        harvest(QUERY, tmp_path, Settings(), patient(server.url)[0])
    assert not list(tmp_path.glob("page-*"))


def test_pages_are_the_same_bytes_whenever_they_are_kept(tmp_path: Path) -> None:
    with serving(SECOND) as server:
        harvest(QUERY, tmp_path, Settings(), patient(server.url)[0])
    (kept,) = tmp_path.glob("page-*")
    assert gzip.decompress(kept.read_bytes()).decode() == SECOND[2]
    assert kept.read_bytes()[4:8] == b"\0\0\0\0"
