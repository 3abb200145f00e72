"""Search, ask and trace on a real little library, made once by the real recipe."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gnomon.cli.main import main

RED = (
    "# Red star\n\nThe red star was seen to fade by two magnitudes in 1987. Its distance is 51 kpc, measured from an"
    " expanding ring of gas around it. No later outburst was recorded by any observer.\n"
)
BLUE = (
    "# Blue galaxy\n\nThe blue galaxy moves away from us at 1090 km/s, as its spectral lines show. It forms forty suns"
    " worth of stars in a year. Dust hides half of its light.\n"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an expert of two papers."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "papers").mkdir()
    (folder / "papers" / "red.md").write_text(RED, encoding="utf-8")
    (folder / "papers" / "blue.md").write_text(BLUE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "home"))
        assert main(["build", str(folder / "papers"), "--workspace", str(folder / "ws")]) == 0
    return folder / "ws"


@pytest.fixture
def ask(library: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., SimpleNamespace]:
    """Run a command on the library."""

    def run(*words: str) -> SimpleNamespace:
        capsys.readouterr()
        code = main([*words, "--workspace", str(library)])
        said = capsys.readouterr()
        row = json.loads(said.out) if "--json" in words else None
        return SimpleNamespace(code=code, out=said.out, err=said.err, row=row)

    return run


def test_search_gives_hits_whose_span_is_exactly_their_text(ask) -> None:
    row = ask("search", "fading", "red", "star", "--json").row
    assert set(row) == {"query", "hits", "ms"}
    assert row["query"] == "fading red star"
    hit = row["hits"][0]
    assert set(hit) == {"rank", "score", "doc_id", "title", "year", "text", "span"}
    assert (hit["rank"], hit["title"]) == (1, "Red star")
    assert hit["span"]["end"] - hit["span"]["start"] == len(hit["text"])
    assert hit["span"]["doc_id"] == hit["doc_id"]


@pytest.mark.parametrize("mode", ["text", "vector", "hybrid"])
def test_search_works_in_every_mode_and_obeys_k(ask, mode: str) -> None:
    assert len(ask("search", "galaxy", "--mode", mode, "--k", "1", "--json").row["hits"]) == 1


def test_search_filters(ask) -> None:
    assert ask("search", "star", "--year", "1800..1810", "--json").row["hits"] == []
    assert ask("search", "star", "--lang", "ja", "--json").row["hits"] == []
    assert ask("search", "star", "--source", "markdown", "--json").row["hits"]


def test_search_for_a_person_shows_title_text_and_time(ask) -> None:
    out = ask("search", "blue galaxy").out
    assert "Blue galaxy" in out
    assert "1090 km/s" in out
    assert " ms." in out
    assert "Nothing was found" in ask("search", "zzzz", "--mode", "text").out


def test_ask_cites_and_its_answer_can_be_walked_back(ask, library: Path) -> None:
    row = ask("ask", "How fast does the blue galaxy move away?", "--json").row
    assert set(row) == {"id", "answer", "voice", "refused", "citations", "checks"}
    assert (row["voice"], row["refused"]) == ("extractive", False)
    assert set(row["checks"]) == {"unknown_ids", "quotes_verbatim", "numbers_supported", "coverage"}
    assert "1090 km/s" in row["citations"][0]["quote"]
    lineage = ask("lineage", row["id"], "--json").row
    citation = lineage["below"][0]["below"][0]
    assert citation["facts"]["verbatim"] is True
    assert citation["below"][0]["below"][0]["below"][-1]["kind"] == "source"
    assert "[R1]" in ask("ask", "How fast does the blue galaxy move away?").out


def test_ask_refuses_with_the_nearest_documents(ask) -> None:
    done = ask("ask", "Who baked the bread of the emperor's cook in Lisbon?", "--json")
    assert (done.code, done.row["refused"], done.row["citations"]) == (0, True, [])


def test_trace_finds_a_verbatim_stretch(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Everyone knows that it forms forty suns worth of stars in a year indeed."
    row = ask("trace", text, "--json").row
    assert set(row) == {"coverage", "spans"}
    span = row["spans"][0]
    assert text[span["start"] : span["end"]] == span["text"]
    assert "forty suns worth of stars in a year" in span["text"]
    assert (span["count"], len(span["documents"])) == (1, 1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert ask("trace", "-", "--json").row == row
    assert "not what caused" in ask("trace", text).out


@pytest.mark.parametrize("words", [("search", " "), ("ask", ""), ("trace", " ")])
def test_an_empty_text_is_refused(ask, words: tuple[str, ...]) -> None:
    assert ask(*words).code == 2


@pytest.mark.parametrize("years", ["twelve", "..", "2000..1990", "1990..x"])
def test_a_wrong_range_of_years_is_refused_with_an_example(ask, years: str) -> None:
    done = ask("search", "star", "--year", years)
    assert (done.code, "1990..2000" in done.err) == (2, True)


def test_show_counts_the_vectors(ask) -> None:
    parts = {p["role"]: p["state"] for p in ask("show", "--json").row["experts"][0]["parts"]}
    assert parts["index"] == parts["vectors"] == parts["trace"] == parts["report"] == "made"


def test_a_real_workspace_verifies_and_holds_no_garbage(ask) -> None:
    assert ask("verify", "--json").row["findings"] == []
    assert ask("gc", "--json").row["garbage"] == []


def test_a_reader_that_stops_early_is_no_error(library: Path) -> None:
    command = f"'{sys.executable}' -m gnomon.cli.main search star --workspace '{library}'"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command} | head -c 1"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
