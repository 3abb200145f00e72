"""What the tests of ingest share: a small run, and PDFs written by hand."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.records import Document, Drop, Mark
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.corpus.steps import ingest
from gnomon.runs import FileSet, Recipe, Record, Workspace, run


@dataclass(frozen=True)
class Ingested:
    documents: dict[str, Document]
    marks: dict[tuple[str, str], str]
    drops: list[Drop]
    record: Record

    @property
    def reasons(self) -> dict[str, str]:
        return {drop.doc_id: drop.reason for drop in self.drops}

    @property
    def only(self) -> Document:
        (document,) = self.documents.values()
        return document


def ingested(workspace: Path, *sources: Path, **settings: Any) -> Ingested:
    place = Workspace(workspace, Settings(threads=1))
    step = ingest(FileSet.scan(sources), **settings)
    record = run(Recipe(name="test", goals=(step,)), place)[step.address]
    folder = place.artifact(step.address)
    return Ingested(
        documents={d.id: d for d in read_table(folder / "documents", Document)},
        marks={(m.doc_id, m.name): m.value for m in read_table(folder / "marks", Mark)},
        drops=list(read_table(folder / "drops.parquet", Drop)),
        record=record,
    )


def files(folder: Path, content: Mapping[str, bytes | str]) -> Path:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


Word = tuple[float, float, float, str]
"""x, y (upwards), font size, words; words that begin with ``*`` are bold."""


def pdf(pages: Sequence[Sequence[Word]], title: str = "", password: str = "") -> bytes:
    """A PDF with these words on its pages; with a password, encrypted with 40-bit RC4."""
    streams = [_stream(page) for page in pages]
    count = len(pages)
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(count))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    }
    key = b""
    trailer = ""
    if password:
        key, encryption = _encryption(password)
        objects[5 + 2 * count] = encryption
        trailer = f"/Encrypt {5 + 2 * count} 0 R /ID [<00> <00>]"
    if title:
        objects[6 + 2 * count] = b"<< /Title (" + title.encode("latin-1") + b") >>"
        trailer += f" /Info {6 + 2 * count} 0 R"
    for n, stream in enumerate(streams):
        body = _rc4(_object_key(key, 6 + 2 * n), stream) if key else stream
        objects[5 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {6 + 2 * n} 0 R"
            " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        ).encode()
        objects[6 + 2 * n] = f"<< /Length {len(body)} >>\nstream\n".encode() + body + b"\nendstream"
    return _file(objects, trailer)


def _stream(page: Sequence[Word]) -> bytes:
    lines = []
    for x, y, size, words in page:
        font, shown = ("F2", words[1:]) if words.startswith("*") else ("F1", words)
        escaped = shown.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        lines.append(f"BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET")
    return "\n".join(lines).encode("cp1252")


def _file(objects: Mapping[int, bytes], trailer: str) -> bytes:
    out = b"%PDF-1.4\n"
    places = {}
    for number in sorted(objects):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + objects[number] + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    table = [b"0000000000 65535 f \n"]
    table += [f"{places.get(n, 0):010} 00000 {'n' if n in places else 'f'} \n".encode() for n in range(1, size)]
    tail = f"trailer << /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n"
    return out + f"xref\n0 {size}\n".encode() + b"".join(table) + tail.encode()


_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def _encryption(password: str) -> tuple[bytes, bytes]:
    """The key and dictionary of the standard handler, revision 2 (PDF 1.4, section 3.5.2)."""
    padded = (password.encode() + _PADDING)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + (0xFFFFFFFC).to_bytes(4, "little") + b"\0").digest()[:5]
    user = _rc4(key, _PADDING)
    dictionary = f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >>"
    return key, dictionary.encode()


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[: len(key) + 5]


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j, out, i = list(range(256)), 0, bytearray(), 0
    for n in range(256):
        j = (j + state[n] + key[n % len(key)]) % 256
        state[n], state[j] = state[j], state[n]
    j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
