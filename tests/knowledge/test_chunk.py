import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.records import Document, Section, Source
from gnomon.core.text import sentences
from gnomon.knowledge.chunk import ChunkConfig, chunks, length
from gnomon.runs import Workspace, run
from gnomon.runs.step import Recipe

SMALL = ChunkConfig(whole=12, words=8, stump=3)
PIECES = st.sampled_from(
    ["Stars form in clouds. ", "Gas cools, e.g. by lines. ", "Why? ", "The halo of M 31 is large and old. ", "\n\n",
     "星は雲で生まれる。", "なぜか。", "銀河「天の川」の中心。", "word " * 30, "長い文字列が句点なしで続く" * 5, " ", "x" * 90]
)  # fmt: skip


def paper(text: str, sections: tuple[Section, ...] = (), lang: str = "en") -> Document:
    source = Source(kind="markdown", key="a.md", sha256="0")
    return Document(id="local:a", title="T", text=text, lang=lang, source=source, sections=sections)


def texts(document: Document, config: ChunkConfig = SMALL) -> list[str]:
    return [document.text[c.span.start : c.span.end] for c in chunks(document, config)]


@given(
    st.lists(PIECES, max_size=14).map("".join), st.lists(st.integers(0, 400), max_size=4), st.sampled_from(["en", "ja"])
)
def test_every_word_stands_in_exactly_one_chunk(text: str, cuts: list[int], lang: str) -> None:
    borders = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    sections = tuple(
        Section(title=f"S{i}", level=1 + i % 2, start=a, end=b) for i, (a, b) in enumerate(itertools.pairwise(borders))
    )
    document = paper(text, sections, lang)
    spans = [c.span for c in chunks(document, SMALL)]
    assert spans == sorted(spans)
    covered = "".join(text[s.start : s.end] for s in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(length(text[s.start : s.end]) <= 2 * SMALL.whole for s in spans)


def test_a_typical_abstract_is_one_chunk() -> None:
    text = " ".join(f"Sentence {i} tells of stars and of gas in a cloud." for i in range(24))
    assert texts(paper(text), ChunkConfig()) == [text]


def test_a_long_english_text_is_cut_between_sentences_into_even_parts() -> None:
    text = " ".join(f"Sentence {i} of Smith et al. tells of 3.5 stars." for i in range(60))
    found = texts(paper(text), ChunkConfig())
    assert len(found) == 3
    assert all(part.endswith("stars.") and part.startswith("Sentence") for part in found)
    assert max(map(length, found)) - min(map(length, found)) <= 10


def test_a_long_japanese_text_is_cut_after_its_full_stops() -> None:
    text = "".join(f"銀河{i}の中心を「電波。」で観測した。" for i in range(60))
    found = texts(paper(text, lang="ja"), ChunkConfig())
    assert len(found) > 1
    assert all(part.endswith("観測した。") and part.startswith("銀河") for part in found)
    assert "".join(found) == text


def test_a_chunk_stays_inside_its_section_and_knows_its_headings() -> None:
    one, two = "Intro. " + "Gas cools down here. " * 5, "Method. " + "We look at many stars. " * 5
    document = paper(
        one + two,
        (Section(title="Intro", level=1, start=0, end=len(one)),
         Section(title="Sample", level=2, start=len(one), end=len(one) + len(two))),
    )  # fmt: skip
    found = list(chunks(document, SMALL))
    for chunk in found:
        inside = chunk.span.end <= len(one) or chunk.span.start >= len(one)
        assert inside
    assert found[0].heading == ("Intro",)
    assert found[-1].heading == ("Intro", "Sample")


def test_a_stump_of_a_section_joins_the_next() -> None:
    text = "Short. " + "We look at many stars. " * 5
    document = paper(
        text, (Section(title="A", level=1, start=0, end=7), Section(title="B", level=1, start=7, end=len(text)))
    )
    assert texts(document)[0].startswith("Short. We look")


def test_overlap_repeats_whole_sentences_of_the_same_section() -> None:
    text = " ".join(f"Star {i} shines." for i in range(12))
    document = paper(text)
    plain = list(chunks(document, ChunkConfig(whole=12, words=9)))
    overlapping = list(chunks(document, ChunkConfig(whole=12, words=9, overlap=1)))
    assert len(plain) == len(overlapping)
    starts = {a for a, _ in sentences(text)}
    for before, chunk, bare in zip(overlapping, overlapping[1:], plain[1:], strict=False):
        assert chunk.span.start in starts
        assert before.span.start < chunk.span.start < before.span.end == bare.span.start - 1


def test_an_id_names_document_place_and_version() -> None:
    document = paper("  Stars form. ")
    (chunk,) = chunks(document, SMALL)
    assert chunk.id == f"local:a#2-13@{document.text_hash.removeprefix('b2:')[:8]}"
    assert chunk.span == document.span(2, 13)


def test_a_document_without_text_has_one_empty_chunk() -> None:
    (chunk,) = chunks(paper(" \n"), SMALL)
    assert (chunk.span.start, chunk.span.end) == (0, 0)


def test_settings_that_cannot_hold_are_refused() -> None:
    with pytest.raises(ConfigError, match="words = 900"):
        ChunkConfig(words=900)


def test_chunks_come_in_the_shards_of_their_documents(tmp_path) -> None:
    from papers import PAPERS, documents_step

    from gnomon.core.records import Chunk
    from gnomon.core.tables import read_table
    from gnomon.knowledge import steps

    workspace = Workspace(tmp_path)
    step = steps.chunk(documents_step(PAPERS, shard=2))
    record = run(Recipe(name="r", goals=(step,)), workspace)[step.address]
    folder = workspace.artifact(step.address) / "chunks"
    assert [file.name for file in sorted(folder.iterdir())] == ["00000.parquet", "00001.parquet", "00002.parquet"]
    made = [chunk.span.doc_id for chunk in read_table(folder, Chunk)]
    assert made == [f"local:{paper['id']}" for paper in PAPERS]
    assert (record.counts.taken, record.counts.made["chunks"]) == (6, 6)
