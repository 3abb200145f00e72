import json
import math
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_indexes import build, documents, forms, index, output, plain_count, plain_stretches

from gnomon.core.errors import ConfigError, CorruptArtifact, MissingExtra, NotFound, RunError
from gnomon.core.files import folder_files
from gnomon.core.records import Document
from gnomon.core.tables import write_table
from gnomon.knowledge.trace import TraceConfig, run
from gnomon.knowledge.tracing import Trace
from gnomon.knowledge.tracing import codes as codes_module
from gnomon.knowledge.tracing import table as table_module
from gnomon.knowledge.tracing.results import caveat

ATOMS = st.sampled_from(
    ["star", "Star", "gas", "0.3", "NGC1", ",", ". ", "!", " ", "\n", "\n\n", "銀", "河", "の", "ス", "ター", "。", "「", "」",
     "😀", "👩\u200d🚀", "e\u0301", "é", "か\u3099", "が", "Ａ", "A", "'", "\x00"]
)  # fmt: skip
TEXTS = st.lists(ATOMS, max_size=14).map(
    lambda atoms: "".join(a if a[0] in ",.。!「」 \n" else a + " " * (len(a) % 2) for a in atoms)
)
MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STARS = [
    "Young stars heat the gas around them. The gas cools slowly.",
    "The gas around them cools, and young stars form in the cold gas.",
    "銀河の中心には巨大なブラックホールがある。星はその周りを回る。",
]


@MANY
@given(
    texts=st.lists(TEXTS, max_size=5),
    phrases=st.lists(TEXTS, min_size=1, max_size=4),
    shard=st.sampled_from([1, 7, 10**6]),
)
def test_counts_are_those_of_looking_everywhere(tmp_path_factory, texts, phrases, shard) -> None:
    trace = index(tmp_path_factory.mktemp("t"), texts, words_per_shard=shard)
    for phrase in [*phrases, *texts]:
        assert trace.count(phrase) == plain_count(texts, phrase)


@MANY
@given(texts=st.lists(TEXTS, max_size=5), text=TEXTS, least=st.sampled_from([0.5, 1, 2, 6]))
def test_stretches_are_those_of_trying_every_run(tmp_path_factory, texts, text, least) -> None:
    trace = index(tmp_path_factory.mktemp("t"), texts)
    result = trace.attribute(text, min_words=least)
    assert sorted(result.stretches) == sorted(plain_stretches(texts, text, least))


@MANY
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), text=TEXTS)
def test_every_place_found_holds_the_words_it_is_said_to_hold(tmp_path_factory, texts, text) -> None:
    trace = index(tmp_path_factory.mktemp("t"), texts)
    known = {d.id: d for d in documents(texts)}
    result = trace.attribute(text, min_words=1, density=1.0)
    for span in result.spans:
        assert span.text == text[span.start : span.end]
        assert span.count == plain_count(texts, span.text)
        assert len(span.documents) == min(10, sum(plain_count([t], span.text) > 0 for t in texts))
        for document in span.documents:
            place = document.span
            assert known[document.doc_id].text_hash == place.text_hash
            assert forms(known[document.doc_id].text[place.start : place.end]) == forms(span.text)


@MANY
@given(texts=st.lists(TEXTS, max_size=5), phrase=TEXTS)
def test_next_words_are_counted_exactly(tmp_path_factory, texts, phrase) -> None:
    trace = index(tmp_path_factory.mktemp("t"), texts, words_per_shard=9)
    wanted, expected, total = forms(phrase), Counter[str](), 0
    for one in map(forms, texts):
        for i in range(len(one) - len(wanted) + 1):
            if wanted and one[i : i + len(wanted)] == wanted:
                total += 1
                rest = one[i + len(wanted) :]
                kinds = [trace._vocabulary.kinds[trace._vocabulary.find(w)] for w in rest[:8]]
                size = next((n for n, k in enumerate(kinds) if k != kinds[0]), len(kinds)) if kinds else 0
                expected["".join(rest[: size if kinds and kinds[0] >= 2 else 1])] += bool(rest)
    if wanted:
        found = trace.next_words(phrase, k=100)
        assert {w.word: w.count for w in found} == {w: n for w, n in expected.items() if n}
        assert all(w.probability == w.count / total for w in found)
        assert [(-w.count, w.word) for w in found] == sorted((-w.count, w.word) for w in found)


def test_rare_words_of_two_units_are_found_like_the_others(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(codes_module, "SINGLES", 3)
    monkeypatch.setattr("gnomon.knowledge.tracing.following.SINGLES", 3)
    texts = ["a a a b b c d e f", "d e f g 銀河系 h", "x d e"]
    trace = index(tmp_path, texts)
    assert trace.count("d e") == 3
    assert trace.find("e f")[1].span.start == 2
    assert [(w.word, w.count) for w in trace.next_words("e")] == [("f", 2)]
    assert [(w.word, w.count) for w in trace.next_words("g")] == [("銀河系", 1)]
    assert trace.attribute("q d e f g h", min_words=2).spans[0].text == "d e f g"


def test_a_quoted_sentence_is_found_where_it_stands_through_a_line_break(tmp_path: Path) -> None:
    trace = index(tmp_path, STARS)
    result = trace.attribute("He wrote: young stars form\nin the cold gas. I disagree.")
    assert [s.text for s in result.spans] == ["young stars form\nin the cold gas."]
    (place,) = result.spans[0].documents
    assert (place.doc_id, STARS[1][place.span.start : place.span.end]) == (
        "local:1",
        "young stars form in the cold gas.",
    )
    assert 0.5 < result.coverage < 0.8


def test_a_span_does_not_cross_a_sentence_border(tmp_path: Path) -> None:
    result = index(tmp_path, STARS).attribute(STARS[0], min_words=3)
    assert [STARS[0][i:j] for i, j in result.stretches] == STARS[0].replace(". ", ".|").split("|")
    assert result.coverage == 1.0


def test_japanese_is_traced_by_character_and_katakana_words_stay_whole(tmp_path: Path) -> None:
    trace = index(tmp_path, STARS)
    assert trace.count("ブラックホール") == 1
    result = trace.attribute("我々の銀河の中心には巨大なブラックライトがある。", min_words=1)
    assert "銀河の中心には巨大な" in [s.text for s in result.spans]
    assert not any("ブラック" in s.text for s in result.spans)


def test_a_span_does_not_begin_inside_a_katakana_word(tmp_path: Path) -> None:
    trace = index(tmp_path, ["ター銀河団の中心", "ス"])
    assert [s.text for s in trace.attribute("スター銀河団の中心", min_words=1).spans] == ["銀河団の中心"]


def test_a_rare_word_in_common_ranks_a_document_above_many_usual_ones(tmp_path: Path) -> None:
    shared = "We thank the anonymous referee."
    texts = [f"We see in the sky all of these. {shared}", f"Blazars do flicker today as ever. {shared}"]
    texts += ["We see in the sky all of these."] * 30
    text = f"We see in the sky blazars. {shared}"
    (span,) = [s for s in index(tmp_path, texts).attribute(text, min_words=3).spans if "referee" in s.text]
    assert [d.doc_id for d in span.documents] == ["local:1", "local:0"]


def test_what_a_killed_build_left_behind_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "work" / "index").mkdir(parents=True)
    (tmp_path / "work" / "index" / "table.7").write_bytes(b"left")
    folder, _ = build(tmp_path, STARS)
    assert not (folder / "index" / "table.7").exists()


def test_only_the_most_unusual_spans_are_listed_rarest_first(tmp_path: Path) -> None:
    texts = ["the sun is a star", *["it is in the"] * 50, "Chandrasekhar computed masses"]
    trace = index(tmp_path, texts)
    text = "the sun is a star it is in the Chandrasekhar computed masses " + "unseenword " * 8
    all_of_them = trace.attribute(text, min_words=2, density=1.0)
    few = trace.attribute(text, min_words=2, density=0.1)
    assert len(few.spans) == math.ceil(0.1 * few.words) == 2 + (few.words == 21)
    assert few.spans == all_of_them.spans[: len(few.spans)]
    assert [s.log_probability for s in all_of_them.spans] == sorted(s.log_probability for s in all_of_them.spans)
    assert few.coverage == all_of_them.coverage


def test_at_most_ten_documents_are_listed_and_the_nearest_comes_first(tmp_path: Path) -> None:
    texts = [f"filler{n} words here. We thank the anonymous referee for comments." for n in range(30)]
    texts[17] = "Accretion discs around quasars flicker. We thank the anonymous referee for comments."
    trace = index(tmp_path, texts)
    result = trace.attribute("Quasars have accretion discs. We thank the anonymous referee for comments.")
    (span,) = [s for s in result.spans if "referee" in s.text]
    assert span.count == 30
    assert len(span.documents) == 10
    assert span.documents[0].doc_id == "local:17"
    assert result.documents[0][0] == "local:17"
    assert trace.attribute(texts[3], documents=2).spans[0].documents[0].doc_id == "local:3"


def test_overlapping_spans_are_merged_for_colouring(tmp_path: Path) -> None:
    result = index(tmp_path, ["one two three four", "three four five six"]).attribute(
        "one two three four five six", min_words=2, density=1.0
    )
    assert len(result.spans) == 2
    assert result.highlights == ((0, 27),)


def test_a_result_has_the_shape_the_command_prints(tmp_path: Path) -> None:
    row = index(tmp_path, STARS).attribute("the gas around them").to_row()
    assert json.loads(json.dumps(row)) == row
    (span,) = row["spans"]
    assert set(row) == {"coverage", "spans"}
    assert set(span) == {"start", "end", "text", "count", "documents"}
    assert set(span["documents"][0]["span"]) == {"doc_id", "text_hash", "start", "end"}


def test_a_short_text_is_traced_as_a_whole(tmp_path: Path) -> None:
    trace = index(tmp_path, STARS)
    assert trace.attribute("Gas around").coverage == 0.0
    assert trace.attribute("gas around").coverage == 1.0
    assert trace.count("the gas") == 1
    assert index(tmp_path / "folded", STARS, fold_case=True).count("the gas") == 3


def test_documents_are_found_in_corpus_order_and_only_as_many_as_asked_for(tmp_path: Path) -> None:
    trace = index(tmp_path, ["a b"] * 20, words_per_shard=6)
    assert [d.doc_id for d in trace.find("a b", limit=7)] == [f"local:{n}" for n in range(7)]
    assert trace.find("b a") == trace.find("") == trace.find("zzz") == ()


@pytest.mark.parametrize("texts", [[], [""], [" \n "], ["a"], ["a", "a"], ["\x00\x01"], ["x" * 5_000], ["a " * 3_000]])
def test_small_and_strange_corpora_are_indexed(tmp_path: Path, texts: list[str]) -> None:
    trace = index(tmp_path, texts)
    for query in ["", " ", "a", "a a", "x" * 5_000, "\ud800", "\x00\x01", "。。。", "a " * 3_000, "🇯🇵" * 50]:
        result = trace.attribute(query, min_words=1)
        assert 0.0 <= result.coverage <= 1.0
        assert trace.count(query) == plain_count(texts, query)
        trace.find(query)
        trace.next_words(query)


def test_a_query_longer_than_everything_is_answered_quickly(tmp_path: Path) -> None:
    trace = index(tmp_path, ["alpha beta gamma " * 400])
    started = time.monotonic()
    assert trace.attribute("alpha beta gamma " * 7_000).coverage == 1.0
    assert time.monotonic() - started < 20


def test_equal_documents_give_equal_bytes_and_counts_add_up(tmp_path: Path) -> None:
    one, counts = build(tmp_path / "a", STARS, words_per_shard=10)
    other, _ = build(tmp_path / "b", STARS, words_per_shard=10)
    names = [p.relative_to(one) for p in folder_files(one)]
    assert [p.relative_to(other) for p in folder_files(other)] == names
    assert all((one / n).read_bytes() == (other / n).read_bytes() for n in names)
    assert len([n for n in names if n.name.startswith("table")]) == 3
    assert (counts.taken, counts.kept, counts.made) == (3, 3, {"words": sum(map(len, map(forms, STARS)))})


def test_hash_seeds_do_not_matter(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\nfrom trace_indexes import build\n"
        "from test_trace import STARS\nbuild(Path(sys.argv[2]), STARS)"
    )
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path / seed)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    files = [[(p.name, p.read_bytes()) for p in folder_files(tmp_path / seed / "work")] for seed in ("1", "2")]
    assert files[0] == files[1]


def test_a_killed_build_resumes_to_the_same_content(tmp_path: Path) -> None:
    texts = [f"star {n} of {n * 7 % 1000} shines over gas {n % 13}" for n in range(3_000)]
    whole, counts = build(tmp_path / "whole", texts, words_per_shard=5_000)
    seed = int(os.environ.get("GNOMON_TEST_SEED", "20240917"))
    print("seed", seed)
    rng = random.Random(seed)
    write_table(tmp_path / "cut" / "in" / "documents" / "0000.parquet", Document, documents(texts))
    started = time.monotonic()
    build(tmp_path / "timing", texts, words_per_shard=5_000)
    usual = time.monotonic() - started
    killed = 0
    for _ in range(6):
        process = multiprocessing.get_context("spawn").Process(target=_announce_and_resume, args=(tmp_path / "cut",))
        process.start()
        while process.is_alive() and not (tmp_path / "cut" / "started").exists():
            time.sleep(0.005)
        time.sleep(rng.random() * usual)
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        (tmp_path / "cut" / "started").unlink()
    assert killed >= 1
    assert _resume(tmp_path / "cut") == counts
    for path in folder_files(whole):
        assert path.read_bytes() == (tmp_path / "cut" / "work" / path.relative_to(whole)).read_bytes()
    assert [p.name for p in folder_files(tmp_path / "cut" / "work")] == [p.name for p in folder_files(whole)]


def _announce_and_resume(folder: Path) -> None:
    (folder / "started").touch()
    _resume(folder)


def _resume(folder: Path):
    out = output(folder)
    return run(TraceConfig(words_per_shard=5_000), {"documents": folder / "in"}, out)


def test_a_build_that_stopped_between_tables_makes_only_the_missing_one(tmp_path: Path, monkeypatch) -> None:
    made: list[str] = []
    real = table_module.build_table

    def build_table(text: Path, table: Path, scratch: Path) -> None:
        if len(made) == 1 and "stop" not in made:
            made.append("stop")
            raise KeyboardInterrupt
        made.append(table.name)
        real(text, table, scratch)

    monkeypatch.setattr("gnomon.knowledge.trace.build_table", build_table)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, STARS, words_per_shard=10)
    build(tmp_path, STARS, words_per_shard=10)
    assert made == ["table.0", "stop", "table.1", "table.2"]


def test_infini_gram_itself_reads_the_index_and_counts_the_same(tmp_path: Path) -> None:
    from infini_gram.engine import InfiniGramEngine

    texts = [*STARS, "a long tail of words " * 50]
    folder, _ = build(tmp_path, texts)
    trace = Trace.open(folder)
    link = tmp_path / "plain"
    link.symlink_to(folder / "index")
    engine = InfiniGramEngine(str(link), eos_token_id=0, vocab_size=65_535, version=4, token_dtype="u16")
    import numpy as np

    for phrase in ["the gas", "young stars", "long tail of words a", "銀河", "gas"]:
        units = np.frombuffer(trace._units(words_of(phrase, trace)) or b"", dtype="<u2").tolist()
        assert engine.count(units)["count"] == trace.count(phrase) > 0
    found = engine.search_docs(input_ids=units, maxnum=1)["documents"][0]
    assert json.loads(found["metadata"])["metadata"]["id"].startswith("local:")


def words_of(phrase: str, trace: Trace):
    from gnomon.knowledge.tracing.words import words

    return words(phrase, trace._forms)


def test_an_index_opens_below_any_folder_name(tmp_path: Path) -> None:
    assert index(tmp_path / "a stable table of tokenized offsets", STARS).count("gas") == 4


def test_what_cannot_be_opened_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no trace index"):
        Trace.open(tmp_path)
    (tmp_path / "trace.json").write_text('{"format": 99}')
    with pytest.raises(CorruptArtifact, match="format 99"):
        Trace.open(tmp_path)
    with pytest.raises(ConfigError, match="words_per_shard"):
        TraceConfig(words_per_shard=0)


def test_a_builder_that_fails_or_is_missing_is_reported(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(table_module, "_builder", lambda: Path("/bin/false"))
    with pytest.raises(RunError, match="builder failed"):
        build(tmp_path / "a", STARS)
    monkeypatch.undo()
    monkeypatch.setattr(table_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="infini-gram"):
        build(tmp_path / "b", STARS)


def test_the_caveat_is_said_in_both_languages() -> None:
    assert "not what caused" in caveat("en")
    assert "逐語的" in caveat("ja")


def test_a_removed_document_is_gone_after_the_next_build(tmp_path: Path) -> None:
    before, after = index(tmp_path / "a", STARS), index(tmp_path / "b", STARS[:1] + STARS[2:])
    phrase = "young stars form in the cold gas"
    assert before.count(phrase) == 1
    assert after.count(phrase) == 0
    assert after.attribute(phrase).spans == ()


def test_real_abstracts_trace_back_to_themselves(tmp_path: Path, shared: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(shared / "data" / "arxiv" / "astro_ph.parquet")
    rows = next(table.iter_batches(batch_size=1_500, columns=["abstract"])).to_pylist()
    texts = [row["abstract"] for row in rows]
    trace = index(tmp_path, texts)
    for number in range(0, 1_500, 60):
        result = trace.attribute(texts[number])
        assert result.coverage > 0.95
        assert result.documents[0][0] == f"local:{number}" or texts[int(result.documents[0][0][6:])]
        assert any(d.doc_id == f"local:{number}" for s in result.spans for d in s.documents)
