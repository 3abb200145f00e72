import dataclasses
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.records import Biblio, Document, Drop, Item, Leak, Pair, Source
from gnomon.core.tables import write_table
from gnomon.evaluation import steps
from gnomon.evaluation.report.composition import bin_top, length_bin, word_count
from gnomon.evaluation.report.facts import gather
from gnomon.evaluation.report.make import ReportConfig
from gnomon.evaluation.report.markup import both, el, escape, for_reader, join, place_rules
from gnomon.evaluation.report.page import page
from gnomon.evaluation.report.plots import bars, years
from gnomon.runs import Counts, Record
from gnomon.runs.output import SilentMeter

EVIL = '<script>alert("1")</script>&<img src=x onerror=y>\x1b[2J'
LIMITS = (2, 10, 10)


def record(name: str, taken: int, kept: int, **other) -> Record:
    dropped = other.pop("dropped", {})
    return Record(
        name=name, identity="0123456789abcdef" * 2, version=1, entry="x:y", entry_hash="", config={}, inputs={},
        sources=other.pop("sources", {}), metrics=other.pop("metrics", {}), files=(),
        counts=Counts(taken=taken, kept=kept, dropped=dropped, made=other.pop("made", {})), **other,
    )  # fmt: skip


def document(number: int, title: str = "A title", lang: str = "en", year: int | None = 1990) -> Document:
    source = Source(kind="jsonl", key=f"a.jsonl#{number}", sha256="0" * 64, licence="CC0-1.0" if number % 2 else "")
    return Document(id=f"local:{number}", title=title, text="three little words", lang=lang, source=source,
                    biblio=Biblio(year=year, categories=("astro-ph.CO",) if number else ()))  # fmt: skip


@pytest.fixture
def artifacts(tmp_path: Path) -> tuple[dict[str, Path], dict[str, Record]]:
    """The artifacts of a small build with a copy, a leak, and hostile words everywhere."""
    folders = {name: tmp_path / name for name in ("ingest", "clean", "dedup", "decontaminate", "items")}
    every = [document(n, title=EVIL if n == 3 else f"Title {n}", year=1990 + n) for n in range(5)]
    every += [document(5, lang="ja", year=None)]
    write_table(folders["ingest"] / "documents/0.parquet", Document, every)
    write_table(folders["clean"] / "documents/0.parquet", Document, every)
    write_table(folders["dedup"] / "documents/0.parquet", Document, [d for d in every if d.id != "local:4"])
    drops = [Drop(doc_id=f"file:{EVIL}{n}", reason="broken_line", detail=f"line {n}", excerpt=EVIL) for n in range(4)]
    write_table(folders["ingest"] / "drops.parquet", Drop, drops)
    write_table(folders["dedup"] / "drops.parquet", Drop, [Drop(doc_id="local:4", reason="duplicate_near")])
    pairs = [
        Pair(a="local:3", b="local:4", jaccard=0.91, kind="near", kept="local:3", cluster="local:3"),
        Pair(a="local:1", b="local:2", jaccard=0.85, kind="near", apart="numbered_titles"),
    ]
    write_table(folders["dedup"] / "pairs.parquet", Pair, pairs)
    write_table(folders["items"] / "items.parquet", Item, [Item(id="q1", prompt=f"Why {EVIL}?")])
    leak = Leak(item_id="q1", span=every[1].span(0, 5), method="ngram", score=0.9, passage=f"three {EVIL}")
    write_table(folders["decontaminate"] / "leaks.parquet", Leak, [leak])
    write_table(folders["decontaminate"] / "drops.parquet", Drop, [Drop(doc_id="local:1", reason="contaminated")])
    rules = {
        "latex": {"kind": "change", "count": 3, "samples": [{"doc_id": "local:0", "detail": EVIL, "excerpt": EVIL}]}
    }
    records = {
        "ingest": record("corpus/ingest", 10, 6, dropped={"broken_line": 4},
                         sources={"files": {"files": [["a.jsonl", "0" * 64, 10]], "left_out": []}}),
        "clean": record("corpus/clean", 6, 6, metrics={"rules": rules}),
        "dedup": record("corpus/dedup", 6, 5, dropped={"duplicate_near": 1}),
        "decontaminate": record("corpus/decontaminate", 5, 4, dropped={"contaminated": 1},
                                metrics={"items": 7, "items_too_short_to_find": 1}),
    }  # fmt: skip
    return folders, records


def facts(artifacts) -> dict:
    return gather("Test", *artifacts, LIMITS, SilentMeter())


def test_the_facts_count_the_library_by_every_kind(artifacts) -> None:
    made = facts(artifacts)
    assert made["size"] == {"documents": 5, "words": 12 + 16, "characters": 90, "files": 1}
    assert made["composition"]["year"] == [[1990, 1], [1991, 1], [1992, 1], [1993, 1]]
    assert made["composition"]["year_unknown"] == 1
    assert made["composition"]["language"] == [["en", 4], ["ja", 1]]
    assert made["composition"]["subject"] == [["astro-ph.CO", 4], ["", 1]]
    assert made["composition"]["licence"] == [["CC0-1.0", 3], ["", 2]]
    for name in ("language", "subject", "source", "licence", "length"):
        assert sum(n for _, n in made["composition"][name]) == 5


def test_the_facts_name_what_was_left_out_with_samples(artifacts) -> None:
    dropped = facts(artifacts)["dropped"]
    told = [(row["step"], row["reason"], row["count"], len(row["samples"])) for row in dropped]
    assert told == [
        ("ingest", "broken_line", 4, 2), ("dedup", "duplicate_near", 1, 1), ("decontaminate", "contaminated", 1, 1),
    ]  # fmt: skip


def test_the_facts_show_clusters_with_the_kept_member_first_and_what_stayed_apart(artifacts) -> None:
    found = facts(artifacts)["duplicates"]
    assert (found["pairs"], found["clusters"], found["left_out"], found["kept_apart"]) == (
        2,
        1,
        1,
        {"numbered_titles": 1},
    )
    (cluster,) = found["clusters_shown"]
    assert [(m["id"], m["kept"], m["title"]) for m in cluster["members"]] == [
        ("local:3", True, EVIL), ("local:4", False, "Title 4"),
    ]  # fmt: skip


def test_the_facts_tell_each_leaked_question_with_its_passages(artifacts) -> None:
    found = facts(artifacts)["contamination"]
    assert (found["items"], found["items_leaked"], found["documents"], found["too_short"]) == (7, 1, 1, 1)
    assert found["shown"][0]["prompt"].startswith("Why")
    assert found["shown"][0]["passages"][0]["doc_id"] == "local:1"


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append(tag)

    def handle_data(self, data) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_hostile_words_are_only_shown(artifacts) -> None:
    html = page(facts(artifacts))
    reader = read(html)
    assert not {"script", "img", "iframe", "object", "link"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert 'alert("1")' in "".join(reader.text)
    assert "\x1b" not in html


def test_the_page_asks_for_nothing_from_anywhere(artifacts) -> None:
    html = page(facts(artifacts))
    reader = read(html)
    assert {value[0] for name, value in reader.attributes if name == "href"} == {"#"}
    assert not [name for name, _ in reader.attributes if name in {"src", "srcset", "data", "action", "poster"}]
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", html)
    assert "default-src &#x27;none&#x27;" in html


def test_every_phrase_stands_in_both_languages(artifacts) -> None:
    html = page(facts(artifacts))
    assert html.count('class="en"') == html.count('class="ja"') > 40
    assert "重複" in html
    assert "From source to library" in html
    assert "prefers-color-scheme:dark" in html
    assert "@media print" in html


def test_times_and_costs_do_not_reach_the_files(artifacts) -> None:
    folders, records = artifacts
    later = {
        name: dataclasses.replace(
            r, seconds=99.0, started="2031-01-01T00:00:00+00:00", cost_usd=5.0, code={"commit": "x"}
        )
        for name, r in records.items()
    }
    one, two = facts((folders, records)), facts((folders, later))
    assert json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert page(one) == page(two)


CODE = """
import sys, json
from gnomon.evaluation.report.page import page
sys.stdout.write(page(json.load(sys.stdin)))
"""


def test_two_hash_seeds_give_the_same_page(artifacts) -> None:
    given_facts = json.dumps(facts(artifacts))
    pages = [
        subprocess.run([sys.executable, "-c", CODE], input=given_facts, capture_output=True, text=True, check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert pages[0] == pages[1]
    assert pages[0] == page(json.loads(given_facts))


@pytest.mark.parametrize("names", [(), ("ingest",), ("ingest", "dedup"), ("decontaminate",)])
def test_any_part_may_be_missing(artifacts, names: tuple[str, ...]) -> None:
    folders, records = artifacts
    made = gather("", {n: folders[n] for n in names}, {n: records[n] for n in names}, LIMITS, SilentMeter())
    assert read(page(made)).tags[0] == "html"


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_is_escaped_whole(text: str) -> None:
    reader = Reader()
    reader.feed(str(el("p", text, title=text)))
    assert reader.tags == ["p"]
    visible = escape(text)
    assert "<" not in visible
    assert '"' not in visible
    assert "".join(reader.text).replace("\r", "") == str(dict(reader.attributes)["title"])


def test_a_phrase_holds_both_languages() -> None:
    assert str(both("a", "b")) == '<span class="en" lang="en">a</span><span class="ja" lang="ja">b</span>'


@given(st.integers(min_value=1, max_value=10**7))
def test_a_length_lies_in_its_bin(words: int) -> None:
    at = length_bin(words)
    assert bin_top(at - 1) < words <= bin_top(at) or bin_top(at) == bin_top(at - 1)


def test_words_of_japanese_are_its_characters() -> None:
    assert word_count("星 が\n光る", "ja") == 4
    assert word_count("a star  shines", "en") == 3


def test_the_door_gives_a_step_that_reads_the_steps_it_is_given() -> None:
    from gnomon.runs import FileSet

    read_step = steps.items(FileSet(files=()))
    step = steps.report({"items": read_step}, samples=3)
    assert (step.name, dict(step.inputs)) == ("evaluation/report", {"items": read_step})
    assert step.identity != steps.report({"items": read_step}).identity
    with pytest.raises(ConfigError, match="samples is -1"):
        ReportConfig(samples=-1)


def test_every_reason_that_corpus_gives_has_a_name_in_both_languages() -> None:
    from gnomon.corpus.cleaning import rules
    from gnomon.evaluation.report.words import REASONS

    source = Path(steps.__file__).parents[1] / "corpus"
    given_reasons = {
        code
        for path in source.rglob("*.py")
        for code in re.findall(r"(?:reason=|Unreadable\()\"([a-z_]+)\"", path.read_text("utf-8"))
    }
    assert {*given_reasons, *rules.NAMES} <= set(REASONS), "name it in gnomon.evaluation.report.words"
    assert all(re.search("[\u3041-\u9fff]", ja) for _, ja in REASONS.values())


def test_drawings_for_a_reader_speak_one_language_and_carry_no_style_attributes() -> None:
    rows = [[2020, 3], [2021, 1]]
    with for_reader("ja"):
        drawn = join([both("years", "年"), years(rows, "documents by year"), bars([("<b>", 3), ("c", 1)], 4)])
    assert ">years<" not in drawn
    assert "年" in drawn
    assert "style=" not in drawn
    assert "&lt;b&gt;" in drawn
    assert 'class="w1000"' in drawn
    assert ".w1000{width:100%}" in place_rules()
    assert 'style="width:100.00%"' in bars([("a", 3)], 3)
