"""A folder full of trouble: everything readable is built, everything else is named with its reason."""

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))

from ingest_kit import pdf

GOOD = (
    "We followed the rotation of twelve spiral galaxies through their outer discs. The curves stay flat out to the last point,"
    " which asks for more mass than the stars and the gas together can provide."
)

LATIN = (
    "Größe and colour of spiral galaxies were measured on plates taken at the Königstuhl between 1910 and 1925. Their"
    " rotation could not be seen, because the slit of the spectrograph was too short for the outer arms."
)
OTHER = (
    "Gas in the halo of spiral galaxies cools and falls back within a billion years. We simulate its rotation with a grid"
    " of half a parsec and find that the angular momentum is lost before the gas reaches the disc."
)


@pytest.fixture
def trouble(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "good.md").write_text(f"# Flat curves\n\n{GOOD}\n", encoding="utf-8")
    (folder / "latin1.txt").write_bytes(LATIN.encode("latin-1"))
    rows = [json.dumps({"id": "a1", "title": "One", "abstract": OTHER}), '{"id": "a2", "abs', "[1, 2]"]
    (folder / "lines.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    pq.write_table(pa.table({"id": ["p1"], "abstract": [GOOD]}), folder / "cut.parquet")
    (folder / "cut.parquet").write_bytes((folder / "cut.parquet").read_bytes()[:-30])
    (folder / "empty.txt").touch()
    with (folder / "line.jsonl").open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 1_000_000)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "noise.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "locked.pdf").write_bytes(pdf([[(72, 700, 11, GOOD)]], password="key"))
    (folder / "scan.pdf").write_bytes(pdf([[]]))
    return folder


@pytest.mark.timeout(300)
def test_the_readable_is_built_and_the_rest_is_named(trouble: Path, tmp_path: Path, answer_json, gnomon) -> None:
    workspace = str(tmp_path / "ws")
    built = answer_json("build", str(trouble), "--name", "trouble", "--workspace", workspace)
    assert built["kept"] == 3
    assert built["dropped"] == {
        "binary": 1, "broken_line": 1, "broken_parquet": 1, "empty_file": 1, "encrypted_pdf": 1, "line_too_long": 1,
        "link_loop": 1, "not_a_record": 1, "pdf_without_text": 1,
    }  # fmt: skip
    for name in ("cut.parquet", "empty.txt", "locked.pdf", "scan.pdf", "noise.txt", "loop"):
        assert name in json.dumps(answer_json("lineage", name, "--workspace", workspace))
    hits = answer_json("search", "rotation of spiral galaxies", "--workspace", workspace)["hits"]
    assert len(hits) == 3
    gnomon("verify", "--workspace", workspace)


def test_nothing_usable_is_an_error_that_says_why(tmp_path: Path, gnomon) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "empty.txt").touch()
    (tmp_path / "papers" / "noise.bin").write_bytes(bytes(range(256)))
    done = gnomon("build", str(tmp_path / "papers"), "--workspace", str(tmp_path / "ws"), code=2)
    assert "empty" in done.stderr + done.stdout
    done = gnomon("build", str(tmp_path / "nowhere"), "--workspace", str(tmp_path / "ws"), code=2)
    assert "nowhere" in done.stderr + done.stdout
