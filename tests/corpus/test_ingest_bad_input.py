"""A folder full of damage: everything readable is built, everything else is named."""

import gzip
import io
import json
import sys
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from ingest_kit import files, ingested, pdf

from gnomon.core.errors import DataError
from gnomon.corpus import crew
from gnomon.corpus.readers.draft import Fault, Limits
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.formats import BY_NAME, guarded

GOOD = {"id": "a", "title": "Spots", "text": "Spots on the star rotate with it."}


def lines(*rows: object) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def bad_folder(folder: Path) -> Path:
    files(
        folder,
        {
            "good.jsonl": lines(GOOD),
            "broken.jsonl": lines({**GOOD, "id": "b"}, '{"id": "c", "text": "cut', {**GOOD, "id": "d"}, [1]),
            "truncated.parquet": parquet([GOOD] * 50)[:-30],
            "latin.txt": "The café at the observatoire opened in 1923.".encode("latin-1"),
            "empty.md": b"",
            "blank.txt": b"  \n\n ",
            "image.dat": bytes(range(256)) * 9,
            "renamed.txt": bytes(range(256)) * 9,
            "locked.pdf": pdf([[(72, 700, 11, "Nobody may read this sentence without the word.")]], password="key"),
            "scan.pdf": pdf([[]]),
            "torn.pdf": b"%PDF-1.4\nnothing more",
            "not.pdf": b"<html>moved</html>",
            "numbers.csv": "x,y\n1,2\n",
            "LICENSE": "Permission is granted to everybody to read this.",
            "cut.jsonl.gz": gzip.compress(lines(*[{**GOOD, "id": f"g{n}"} for n in range(4000)]).encode())[:-9],
            "broken.jsonl.zst": b"\x28\xb5\x2f\xfdnot really",
            "bare.bib": "@article{x1, title={No abstract here}, year=1999}\n",
        },
    )
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "gone.md").symlink_to(folder / "nowhere")
    return folder


def test_everything_readable_is_built_and_everything_else_is_named_with_its_reason(tmp_path: Path) -> None:
    result = ingested(tmp_path / "ws", bad_folder(tmp_path / "in"))
    assert {"local:a", "local:b", "local:d", "local:latin.txt", "local:g0"} <= set(result.documents)
    reasons = result.reasons
    expected = {
        "broken.jsonl#1": "broken_line", "broken.jsonl#3": "not_a_record", "truncated.parquet": "broken_parquet",
        "empty.md": "empty_file", "blank.txt": "empty_file", "image.dat": "unknown_format", "renamed.txt": "binary",
        "locked.pdf": "encrypted_pdf", "scan.pdf": "pdf_without_text", "torn.pdf": "broken_pdf",
        "not.pdf": "broken_pdf", "numbers.csv": "no_text_column", "LICENSE": "unknown_format",
        "cut.jsonl.gz": "truncated", "broken.jsonl.zst": "broken_packing", "bare.bib#0": "no_text",
    }  # fmt: skip
    assert {name: reasons.get(f"file:{name}") for name in expected} == expected
    assert reasons["file:loop"] == "link_loop"
    assert "file:gone.md" in reasons
    counts = result.record.counts
    assert counts.taken == len(result.documents) + len(result.drops)
    assert counts.dropped == result.record.metrics["left_out"]
    assert counts.add_up


def test_latin_bytes_are_read_and_marked(tmp_path: Path) -> None:
    result = ingested(tmp_path / "ws", bad_folder(tmp_path / "in"))
    assert "café" in result.documents["local:latin.txt"].text
    assert result.marks["local:latin.txt", "read/encoding"] == '"cp1252"'


def test_japanese_in_an_old_encoding_is_not_taken_for_western_text(tmp_path: Path) -> None:
    text = "太陽の黒点は磁場の強い場所である。観測は百年以上続く。"
    source = files(tmp_path / "in", {"a.txt": text.encode("cp932"), "b.txt": (text + "終").encode("euc_jp")})
    result = ingested(tmp_path / "ws", source)
    assert result.documents["local:a.txt"].text == text
    assert result.documents["local:b.txt"].text == text + "終"


def test_a_very_long_line_costs_that_line_only_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(lines(GOOD).encode())
        for _ in range(60):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + lines({**GOOD, "id": "z"}).encode())
    feed = Feed(path.name, str(path), path.stat().st_size, Limits(max_line_bytes=1 << 20))
    tracemalloc.start()
    found = list(guarded(BY_NAME["jsonl"], feed))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    faults = [item for item in found if isinstance(item, Fault)]
    assert [fault.reason for fault in faults] == ["line_too_long"]
    assert "line 2: 62914561 bytes" in faults[0].detail
    assert len(found) == 3
    assert peak < 12 << 20


def test_a_table_whose_first_line_never_ends_is_named_for_it(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.csv": b"x" * 300_000, "b.txt": "Words."})
    result = ingested(tmp_path / "ws", source, limits=Limits(max_line_bytes=100_000))
    assert result.reasons == {"file:a.csv": "line_too_long"}


def test_a_text_file_beyond_the_limit_is_named(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.txt": "x" * 5000, "b.txt": "Words that fit."})
    result = ingested(tmp_path / "ws", source, limits=Limits(max_file_bytes=1000))
    assert result.reasons == {"file:a.txt": "too_large"}


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_a_packed_bomb_is_left_where_it_is_found_out(tmp_path: Path, packing: str) -> None:
    data = lines(GOOD).encode() + b"0" * 30_000_000
    packed = gzip.compress(data) if packing == "gz" else zstandard.compress(data)
    source = files(tmp_path / "in", {f"a.jsonl.{packing}": packed})
    limits = Limits(free_expansion_bytes=1 << 20, max_line_bytes=1 << 16)
    result = ingested(tmp_path / "ws", source, limits=limits)
    assert result.only.id == "local:a"
    assert result.reasons == {f"file:a.jsonl.{packing}": "packed_bomb"}


def test_a_reader_that_crashes_takes_only_its_file_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = (sys.executable, "-c", "import os, sys; sys.stdin.readline(); os._exit(9)")
    monkeypatch.setattr(crew, "_COMMAND", dying)
    page = [(72, 700, 11, "A page that no reader will ever see, because the reader dies.")]
    result = ingested(tmp_path / "ws", files(tmp_path / "in", {"a.pdf": pdf([page]), "b.txt": "Still read."}))
    assert result.only.id == "local:b.txt"
    assert result.reasons == {"file:a.pdf": "reader_crashed"}


def test_a_crash_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test_a_reader_that_crashes_takes_only_its_file_along(tmp_path, monkeypatch)
    monkeypatch.undo()
    files(tmp_path / "in", {"c.txt": "One more."})
    monkeypatch.setenv("GNOMON_LANG", "en")
    assert "local:a.pdf" in ingested(tmp_path / "ws", tmp_path / "in").documents


def test_a_folder_with_nothing_usable_is_an_error_that_says_why(tmp_path: Path) -> None:
    source = files(tmp_path / "in", {"a.dat": b"\0\1", "b.csv": "x\n1\n"})
    with pytest.raises(DataError, match=r"no_text_column 1, unknown_format 1.*a\.dat") as caught:
        ingested(tmp_path / "ws", source)
    assert caught.value.exit_code == 2


def test_aliases_in_front_matter_cannot_grow(tmp_path: Path) -> None:
    bomb = "---\na: &a [x, x]\nb: [*a, *a]\n---\nThe text is still read.\n"
    result = ingested(tmp_path / "ws", files(tmp_path / "in", {"a.md": bomb}))
    assert result.only.text == "The text is still read."
    assert "aliases" in result.marks["local:a.md", "markdown/front_matter"]


def test_names_and_texts_that_no_file_can_hold_are_made_fit(tmp_path: Path) -> None:
    row = '{"id": "s", "title": "A \\ud800 B", "text": "lone \\udfff surrogate", "x\\ud801": "\\ud802"}\n'
    result = ingested(tmp_path / "ws", files(tmp_path / "in", {"a.jsonl": row}))
    assert result.only.title == "A \ufffd B"
    assert result.only.text == "lone \ufffd surrogate"
