import dataclasses
import random
import subprocess
import sys
from pathlib import Path

import pytest
from corpus_making import artifact, document, output, prose

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.records import Document, Drop, Pair
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.corpus import steps
from gnomon.corpus.apart import facts_of
from gnomon.corpus.dedup import PRESETS, DedupConfig, find_pairs, preference, run
from gnomon.runs.output import Output
from gnomon.runs.step import Step


def deduplicated(tmp_path: Path, documents: list[Document], **settings: object) -> tuple[list[str], list[Pair], Output]:
    out = output(tmp_path / "out")
    counts = run(DedupConfig(**settings), {"documents": artifact(tmp_path / "in", documents)}, out)  # type: ignore[arg-type]
    kept = [d.id for d in read_table(out.path / "documents", Document)]
    assert counts.add_up
    assert counts.kept == len(kept)
    return kept, list(read_table(out.path / "pairs.parquet", Pair)), out


def near_copy(text: str, every: int) -> str:
    words = text.split()
    return " ".join("changed" if i % every == every - 1 else word for i, word in enumerate(words))


def test_an_exact_copy_is_left_out_and_the_pair_kept_as_evidence(tmp_path: Path) -> None:
    text = prose(1)
    kept, pairs, out = deduplicated(
        tmp_path, [document("local:b", text), document("local:a", text), document("local:c", prose(2))]
    )
    assert kept == ["local:a", "local:c"]
    assert pairs == [Pair(a="local:a", b="local:b", jaccard=1.0, kind="exact", kept="local:a", cluster="local:a")]
    [drop] = read_table(out.path / "drops.parquet", Drop)
    assert (drop.doc_id, drop.reason) == ("local:b", "duplicate_exact")
    assert "local:a" in drop.detail
    assert text.startswith(drop.excerpt)


def test_a_near_copy_is_left_out_with_its_true_similarity(tmp_path: Path) -> None:
    text = prose(1)
    kept, [pair], _ = deduplicated(tmp_path, [document("local:a", text), document("local:b", near_copy(text, 70))])
    assert kept == [pair.kept]
    words, other = text.lower().replace(".", "").split(), near_copy(text, 70).lower().replace(".", "").split()
    a, b = ({tuple(w[i : i + 5]) for i in range(len(w) - 4)} for w in (words, other))
    assert pair.kind == "near"
    assert pair.jaccard == pytest.approx(len(a & b) / len(a | b), abs=1e-6)


def test_texts_below_the_threshold_stay(tmp_path: Path) -> None:
    text = prose(1)
    kept, pairs, _ = deduplicated(tmp_path, [document("local:a", text), document("local:b", near_copy(text, 6))])
    assert (kept, pairs) == (["local:a", "local:b"], [])


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"at 1500 \r{A} and $z\sim3$", "at 1500 Å and z~3"),
        (r"the $\alpha$-element, H$\alpha$ and $\Lambda$CDM", "the α-element, Hα and ΛCDM"),
        (r"Schr\"odinger's na\"{\i}ve caf\'e", "Schrödinger's naïve café"),
        (r"of {\rm 12 \,km\,s$^{-1}$}", "of 12 km s-1"),
    ],
)
def test_markup_and_unicode_are_the_same_text(tmp_path: Path, latex: str, plain: str) -> None:
    before, after = prose(1, 4), prose(2, 4)
    pair = [document(k, f"{before} {middle} {after}") for k, middle in (("local:a", latex), ("local:b", plain))]
    kept, [found], _ = deduplicated(tmp_path, pair)
    assert len(kept) == 1
    assert found.jaccard > 0.9


def test_japanese_is_compared_by_shingles_of_characters(tmp_path: Path) -> None:
    text = (
        "銀河団の高温ガスは重力で閉じこめられ、X線で明るく輝く。その温度と密度の分布から、暗黒物質の量をはかることができる。"
        * 2
    )
    text += "われわれは三つの望遠鏡で得た像を重ね、外縁までの温度の落ち方を調べた。"
    changed = text.replace("三つの望遠鏡", "四つの望遠鏡").replace("、", "，")
    kept, [pair], _ = deduplicated(tmp_path, [document("local:a", text), document("local:b", changed)])
    assert kept == [pair.kept]
    assert pair.kind == "near"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Tides in binaries. I. Theory", "Tides in binaries. II. Observations"),
        ("Tides in binaries: Paper I", "Tides in binaries: Paper II"),
        ("Contributions to the 38th conference", "Contributions to the 39th conference"),
        ("連星の潮汐 第一報", "連星の潮汐 第二報"),
        ("Tides in binaries", "Erratum: Tides in binaries"),
    ],
)
def test_members_of_a_series_are_kept_apart_even_with_the_same_text(tmp_path: Path, first: str, second: str) -> None:
    text = prose(1)
    kept, [pair], out = deduplicated(tmp_path, [document("local:a", text, first), document("local:b", text, second)])
    assert kept == ["local:a", "local:b"]
    assert (pair.apart, pair.kept, pair.jaccard) == ("series", "", 1.0)
    assert out.metrics["kept_apart"] == {"series": 1}


def test_records_with_other_registered_ids_are_kept_apart_unless_text_and_title_are_equal(tmp_path: Path) -> None:
    text, title = prose(1), "A survey of comets"
    versions = [document("arxiv:2512.00001", text, title), document("arxiv:2607.00002", near_copy(text, 70), title)]
    kept, [pair], _ = deduplicated(tmp_path / "versions", versions)
    assert (len(kept), pair.apart) == (2, "identifiers")
    same = [document("arxiv:2512.00001", text, title), document("arxiv:2607.00002", text, title)]
    assert len(deduplicated(tmp_path / "same", same)[0]) == 1
    dois = [
        document("local:a", text, title, doi="10.1/x"),
        document("local:b", near_copy(text, 70), title, doi="10.1/y"),
    ]
    assert len(deduplicated(tmp_path / "dois", dois)[0]) == 2
    assert len(deduplicated(tmp_path / "off", versions, bibliography=False)[0]) == 1


def test_a_shared_title_is_never_evidence(tmp_path: Path) -> None:
    kept, pairs, _ = deduplicated(
        tmp_path, [document("local:a", prose(1), "Same title"), document("local:b", prose(2), "Same title")]
    )
    assert (len(kept), pairs) == (2, [])


def test_short_equal_texts_under_other_titles_are_other_works(tmp_path: Path) -> None:
    text = "This paper has been withdrawn by its author."
    kept, [pair], _ = deduplicated(
        tmp_path, [document("local:a", text, "On comets"), document("local:b", text, "On quasars")]
    )
    assert (len(kept), pair.apart) == (2, "titles")


def test_empty_texts_are_no_copies_of_each_other(tmp_path: Path) -> None:
    assert len(deduplicated(tmp_path, [document("local:a", ""), document("local:b", " … ")])[0]) == 2


def test_the_copy_with_a_doi_stays_then_arxiv_then_the_longer_then_the_earlier_then_the_smaller_id() -> None:
    ranked = [
        document("local:z", "ab", doi="10.1/x"),
        document("arxiv:2401.00001", "ab"),
        document("local:y", "abc"),
        document("local:x", "ab", year=1990),
        document("local:w", "ab", year=2000),
        document("local:v", "ab"),
        document("local:w2", "ab"),
    ]
    shuffled = random.Random(1).sample(ranked, len(ranked))
    assert sorted(shuffled, key=lambda d: preference(facts_of(d))) == ranked


def test_a_chain_of_changes_never_loses_its_far_end(tmp_path: Path) -> None:
    words = prose(1, 14).split()
    middle = ["x"] * 9 + words[9:]
    far = ["x"] * 9 + words[9:-9] + ["y"] * 9
    texts = {"local:a": words, "local:b": middle, "local:c": far}
    kept, pairs, _ = deduplicated(tmp_path, [document(k, " ".join(t)) for k, t in texts.items()], threshold=0.9)
    assert {(p.a, p.b) for p in pairs} == {("local:a", "local:b"), ("local:b", "local:c")}
    assert {p.cluster for p in pairs} == {"local:a"}
    gone = set(texts) - set(kept)
    assert all(any({p.a, p.b} == {g, k} for p in pairs for k in kept) for g in gone)
    assert "local:c" in kept


def test_questions_are_compared_by_the_same_functions() -> None:
    texts = {
        "q1": "How far is the nearest star beyond the Sun from us?",
        "q2": "How far is the nearest star, beyond the Sun, from us",
        "q3": "What keeps a white dwarf from collapsing under its weight?",
    }
    found = find_pairs(iter(texts.items()), PRESETS["questions"], Settings(threads=1))
    assert [(p.a, p.b, p.same) for p in found] == [("q1", "q2", True)]
    with pytest.raises(DataError, match="q1"):
        find_pairs([("q1", "a"), ("q1", "b")], PRESETS["questions"], Settings(threads=1))


def test_a_large_group_of_near_copies_leaves_one(tmp_path: Path) -> None:
    text = prose(1, 20)
    copies = [document(f"local:{i:02}", f"{text} Copy number c{i}.") for i in range(40)]
    assert len(deduplicated(tmp_path, copies)[0]) == 1


def test_documents_keep_their_files_and_order(tmp_path: Path) -> None:
    folder = artifact(tmp_path / "in", [document("local:b", prose(1)), document("local:a", prose(2))], "one.parquet")
    artifact(folder, [document("local:d", prose(1)), document("local:c", prose(3))], "two.parquet")
    out = output(tmp_path / "out")
    counts = run(DedupConfig(), {"documents": folder}, out)
    assert [p.name for p in sorted((out.path / "documents").iterdir())] == ["one.parquet", "two.parquet"]
    assert [d.id for d in read_table(out.path / "documents", Document)] == ["local:b", "local:a", "local:c"]
    assert dict(counts.dropped) == {"duplicate_exact": 1}


def test_nothing_in_gives_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    out = output(tmp_path / "out")
    assert run(DedupConfig(), {"documents": tmp_path / "in"}, out).taken == 0
    assert list(read_table(out.path / "pairs.parquet", Pair)) == []
    assert deduplicated(tmp_path / "none", [])[0] == []


def test_presets_are_named_and_a_wrong_one_is_refused() -> None:
    source = Step(name="a/b", entry="c:d", version=1, config=DedupConfig())
    step = steps.dedup(source, preset="llm-jp", threshold=0.8)
    assert (step.config.ngram, step.config.bands, step.config.rows, step.config.threshold) == (5, 20, 10, 0.8)
    assert steps.dedup(source).identity == dataclasses.replace(steps.dedup(source), config=DedupConfig()).identity
    with pytest.raises(ConfigError, match="llmjp"):
        steps.dedup(source, preset="llmjp")
    with pytest.raises(ConfigError, match="threshold"):
        steps.dedup(source, threshold=1.5)


def test_an_unknown_runner_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="spark"):
        find_pairs([("a", "b")], PRESETS["papers"], Settings(data_runner="spark"))


_TWICE = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_dedup import document, prose, near_copy, deduplicated
from gnomon.core.files import content_digest
folder = Path({folder!r})
texts = [prose(i % 7) if i % 3 else near_copy(prose(i % 7), 60 + i) for i in range(30)]
_, _, out = deduplicated(folder, [document(f"local:{{i}}", t, f"Title {{i % 7}}") for i, t in enumerate(texts)])
print([content_digest(p) for p in sorted(out.path.rglob("*.parquet"))])
"""


def test_the_result_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent)
    results = set()
    for seed in ("0", "4711"):
        code = _TWICE.format(tests=tests, folder=str(tmp_path / seed))
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        )
        results.add(done.stdout)
    assert len(results) == 1
    assert "b2:" in results.pop()
