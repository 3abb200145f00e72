"""Judged pairs, and steps that leave them, for tests of what becomes of pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import write_json
from gnomon.core.records import Drop, Span
from gnomon.core.settings import Settings
from gnomon.core.synthetic import QA, Evidence, Verdict
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output, Step
from gnomon.runs.sources import FileSet


def pair(number: int, kind: str = "open", doc: str = "", **more: Any) -> QA:
    """A pair about document ``doc`` (its own when not given), told apart by its number."""
    about: dict[str, Any] = {
        "kind": kind, "lang": "en", "question": f"How far away is the star S{number}?", "answer": f"{number} pc",
        "evidence": (evidence(doc or f"local:d{number}", f"The star S{number} is {number} pc away."),),
        "writer": "rule",
    }  # fmt: skip
    if kind == "choice":
        about["choices"] = tuple(f"{number + i} pc" for i in range(4))
    return QA(**{**about, **more})


def evidence(doc: str, quote: str, start: int = 0) -> Evidence:
    return Evidence(span=Span(doc_id=doc, text_hash="b2:0", start=start, end=start + len(quote)), quote=quote)


def accepted(one: QA, probability: float) -> QA:
    return one.judged(Verdict(judge="rule-1", criterion="accept", score=probability))


def marked(one: QA, judge: str = "j", **marks: float) -> QA:
    """A pair with a model judge's marks by criterion."""
    return one.judged(*(Verdict(judge=judge, criterion=c, score=s, reason=f"{c} {s}") for c, s in marks.items()))


def output(folder: Path) -> Output:
    """What a step sees that is run without a workspace."""
    folder.mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder, shards=folder / ".shards", identity="0" * 32, settings=Settings(), place=lambda key: 1 / 0,
        cache_path=folder / ".cache.db", locks=folder,
    )  # fmt: skip


def leave(folder: Path, pairs: list[QA]) -> Path:
    """Pairs as a step leaves them."""
    write_table(folder / "pairs.parquet", QA, pairs)
    return folder


def listing(folder: Path, *files: Path) -> Path:
    """A listing of files as a step receives it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "listing.json", FileSet.scan(files).to_row())
    return folder / "listing.json"


def rows(path: Path, record: type) -> list[Any]:
    return list(read_table(path, record))


def reasons(folder: Path) -> dict[str, str]:
    """The reason each pair of this folder's drops is left out for, by its id."""
    return {drop.detail.split(" ")[0]: drop.reason for drop in rows(folder / "drops.parquet", Drop)}


@dataclass(frozen=True, kw_only=True)
class GivenConfig:
    questions: tuple[tuple[str, str, str], ...]


def give(config: GivenConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Pairs of (question, answer, document)."""
    made = [
        QA(kind="open", lang="en", question=q, answer=a, writer="rule", evidence=(evidence(d, f"{q} {a}"),))
        for q, a, d in config.questions
    ]
    leave(out.path, made)
    return Counts(taken=len(made), kept=len(made))


def given(*questions: tuple[str, str, str]) -> Step:
    return Step(name="toy/pairs", entry="choosing:give", version=1, config=GivenConfig(questions=questions))
