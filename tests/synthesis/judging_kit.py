"""The labelled pairs of the starter library, and pairs of one's own, for tests of the judges."""

import json
from pathlib import Path
from typing import Any

from writing import document

import gnomon_recipes
from gnomon.core.records import Author, Biblio, Document, Source
from gnomon.core.synthetic import QA, Evidence
from gnomon.synthesis.judging.labelled import Labelled, is_development, read_audit
from gnomon.synthesis.judging.rule import suspicions

STARTER = Path(gnomon_recipes.__file__).parent / "starter"
SLIPHER = document(
    "local:slipher",
    "By 1917 Vesto Slipher had measured radial velocities of 25 spiral nebulae at the Lowell Observatory in Arizona."
    " Only four were approaching the Sun; the other 21 were receding."
    " The fastest nebulae exceeded 1000 km/s, and the mean speed was about 570 km/s."
    " Carl Lampland took the plates, while Percival Lowell paid for them.",
    "en",
    "Nebulae",
    1917,
)
SPOTS = document(
    "local:spots",
    "1908年、ジョージ・ヘールはウィルソン山で太陽黒点の磁場を測った。磁場は最大で約2900ガウスに達した。"
    "黒点は周囲より暗く、温度も低かった。エヴァーシェッドはガスが外側へ流れることを見つけた。",
    "ja",
    "太陽黒点の磁場",
    1908,
)


MEASURED = (
    "By 1917 Vesto Slipher had measured radial velocities of 25 spiral nebulae at the Lowell Observatory in Arizona"
)
FEW = "Only four were approaching the Sun; the other 21 were receding."
FAST = "The fastest nebulae exceeded 1000 km/s, and the mean speed was about 570 km/s."
PLATES = "Carl Lampland took the plates, while Percival Lowell paid for them."
FIELD = "磁場は最大で約2900ガウスに達した"


def pair(question: str, answer: str, quote: str, own: Document = SLIPHER, **more: Any) -> QA:
    start = own.text.index(quote)
    held = Evidence(span=own.span(start, start + len(quote)), quote=quote)
    settings = {"kind": "open", "lang": own.lang, "writer": "w", "evidence": (held,)} | more
    return QA(question=question, answer=answer, **settings)


def held_against(question: str, answer: str, quote: str, own: Document = SLIPHER, **more: Any) -> set[str]:
    """The checks that hold something against a pair, the round trip apart."""
    found = suspicions(pair(question, answer, quote, own, **more), own)
    return {name for name, held in found.items() if held.share > 0.3} - {"found", "recovered"}


def notes() -> dict[str, Document]:
    rows = [json.loads(line) for file in sorted(STARTER.glob("notes_*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    return {row["id"]: _document(row) for row in rows}


def _document(row: dict[str, Any]) -> Document:
    biblio = Biblio(authors=tuple(Author(name=name) for name in row["authors"]), year=row["year"])
    source = Source(kind="jsonl", key=row["id"], sha256="0" * 64)
    return Document(id=f"local:{row['id']}", title=row["title"], text=row["text"], lang=row["lang"], source=source,
                    biblio=biblio)  # fmt: skip


def development() -> list[Labelled]:
    found = read_audit(STARTER / "audit.jsonl", notes())
    return [one for one in found if is_development(one.document.id.removeprefix("local:"))]
