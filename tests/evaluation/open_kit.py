"""Open questions, writers and judges for the tests: tiny, written for them, without weights."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluation_kit import output

from gnomon.core.files import write_json
from gnomon.core.records import Item, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table, write_table
from gnomon.evaluation.open.config import OpenConfig
from gnomon.evaluation.open.facts import OpenAnswer
from gnomon.evaluation.open.step import run
from gnomon.llm.fakes import Scripted
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

JUDGE = ModelRef(name="judge", kind="instruct")
SEEN: list[str] = []
"""Prompts that writers of this kit were given."""
CALLS: list[str] = []
"""What judges of this kit were given."""


def question(number: int, **more: Any) -> Item:
    about = {
        "prompt": f"How far is star {number}?",
        "reference": f"Star {number} lies at a distance of {number + 2} pc.",
    }
    return Item(id=f"q{number}", **{**about, "subject": f"field{number % 2}", "lang": "en", **more})


class Writer:
    """Knows the distance of the stars below ``knows``; ``how`` makes it silent, cut or refused on star 1."""

    def __init__(self, knows: int = 0, how: str = "", usd: float | None = None) -> None:
        self.ref = ModelRef(name=f"writer-{knows}", revision=how, kind="instruct")
        self.knows, self.how, self.usd = knows, how, usd

    def chat(self, conversations: Sequence[Any], options: Any) -> list[Any]:
        made = Scripted(self._says).chat(conversations, options)
        if self.how == "refused":
            made = [replace(m, finish="refused", text="") if "star 1?" in t[-1].text else m
                    for m, t in zip(made, conversations, strict=True)]  # fmt: skip
        return [replace(one, cost_usd=self.usd) for one in made]

    def complete(self, prompts: Sequence[str], options: Any) -> list[Any]:
        return Scripted(lambda p: self._says(p) + "\n\nQuestion: what else?").complete(prompts, options)

    def _says(self, prompt: str) -> str:
        SEEN.append(prompt)
        number = int(re.findall(r"star (\d+)\?", prompt)[-1])
        if self.how == "silent" and number == 1:
            return ""
        if self.how == "cut" and number == 1:
            return "word " * 5000
        return f"It lies at {number + 2} pc." if number < self.knows else "I wish I knew, but it lies at 999 pc."


class Marker:
    """A judge that gives 5 points to the right distance and 2 to others; ``broken`` cannot write JSON on star 2."""

    def __init__(self, *, broken: bool = False) -> None:
        self.ref, self.broken = JUDGE, broken

    def chat(self, conversations: Sequence[Any], options: Any) -> list[Any]:
        CALLS.extend(turns[-1].text for turns in conversations)
        return [replace(one, cost_usd=0.01) for one in Scripted(self._marks).chat(conversations, options)]

    def _marks(self, text: str) -> str:
        if self.broken and "star 2?" in text:
            return "Five points!"
        answer = text.split("<answer>")[1]
        right = re.search(r"distance of (\d+) pc", text)
        return json.dumps({"reason": "seen", "score": 5 if right and f" {right[1]} pc" in answer else 2})


def load(source: Path | ModelRef, settings: Settings, **how: Any) -> Any:
    if isinstance(source, ModelRef):
        return Marker(broken=source.revision == "broken") if source.name == "judge" else Writer(knows=2, usd=0.5)
    return Writer(**json.loads((source / "writer.json").read_text()))


class Shelf:
    def passages(self, items: Sequence[Item]) -> list[tuple[str, ...]]:
        assert not any(item.reference or item.evidence for item in items)
        return [(f"About: {item.prompt}", "dust " * 100) for item in items]


def book(inputs: Mapping[str, Path], out: Output) -> Shelf:
    assert "index" in inputs
    return Shelf()


def held(
    folder: Path, config: dict[str, Any], items: Sequence[Item], writers: Mapping[str, Mapping[str, Any]]
) -> tuple[Counts, dict[str, Any], list[OpenAnswer], Output]:
    """An exam of open questions as it is left behind."""
    (folder / "items").mkdir(parents=True, exist_ok=True)
    write_table(folder / "items" / "items.parquet", Item, items)
    inputs = {"items": folder / "items", "index": folder}
    for name, how in writers.items():
        write_json(folder / "models" / name / "writer.json", how)
        inputs[f"model:{name}"] = folder / "models" / name
    out = output(folder)
    kit = {"loader": "open_kit:load", "book": "open_kit:book", "draws": 200}
    counts = run(OpenConfig(**{**kit, **config}), inputs, out)
    assert counts.add_up
    rows = list(read_table(out.path / "results.parquet", OpenAnswer))
    return counts, json.loads((out.path / "open.json").read_text()), rows, out
