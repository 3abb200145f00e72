"""Questions, models and books for the tests of the exam: tiny, written for them, without weights."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from evaluation_kit import output

from gnomon.core.exams import Output as Said
from gnomon.core.files import write_json
from gnomon.core.records import Item, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table, write_table
from gnomon.evaluation.exam.config import ExamConfig
from gnomon.evaluation.exam.scoring import Answered
from gnomon.evaluation.exam.step import run
from gnomon.llm.fakes import Scripted
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

SECRET = "secret-evidence"
SEEN: list[Item] = []
"""Items that the solver and the book of this kit were given."""


def item(number: int, options: int = 4, targets: tuple[int, ...] = (), **more: Any) -> Item:
    """A question whose right option ends with its own number, at a place that moves."""
    right = targets or (number % options,)
    choices = tuple(f"star {number}-{i}" + " yes" * (i in right) for i in range(options))
    about = {"subject": f"field{number % 2}", "evidence": SECRET, "origin": SECRET, "reference": SECRET}
    return Item(
        id=f"q{number}", prompt=f"Which star is number {number}?", choices=choices, targets=right, **{**about, **more}
    )


def leave(folder: Path, items: Sequence[Item]) -> Path:
    """Items as the step ``evaluation/items`` leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "items.parquet", Item, items)
    return folder


class Pupil:
    """A model that knows the questions whose number is below ``knows`` and says the letter ``likes`` to the others."""

    def __init__(self, knows: int = 0, likes: str = "A", how: str = "", usd: float | None = None) -> None:
        self.ref = ModelRef(name=f"pupil-{knows}", revision=likes, kind="base")
        self.knows, self.likes, self.how, self.usd = knows, likes, how, usd
        self.fake = Scripted(lambda prompt: self._says(prompt), self._likelihood)

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return self.fake.log_likelihoods(pairs)

    def complete(self, prompts: Sequence[str], options: Any) -> Any:
        return Scripted(lambda prompt: self._letter(prompt) + '", and so on', name="x").complete(prompts, options)

    def chat(self, conversations: Any, options: Any) -> Any:
        from dataclasses import replace

        return [replace(reply, cost_usd=self.usd) for reply in self.fake.chat(conversations, options)]

    def _letter(self, prompt: str) -> str:
        number = int(re.findall(r"number (\d+)\?", prompt)[-1])
        lines = re.findall(r"^([A-Z])[:.] (.*)$", prompt, re.MULTILINE)
        right = [letter for letter, text in lines if text.startswith(f"star {number}-") and text.endswith("yes")]
        return "".join(sorted(right)) if number < self.knows else self.likes

    def _says(self, prompt: str) -> str:
        if self.how == "cut" and "number 1?" in prompt:
            return "word " * 5000
        if self.how == "babble":
            return "I like stars."
        return json.dumps({"ANSWER": self._letter(prompt), "EXPLANATION": "because"})

    def _likelihood(self, context: str, continuation: str) -> float:
        after = continuation.strip()
        if len(after) == 1:
            return -0.5 if after in self._letter(context) else -2.0
        number = int(re.findall(r"number (\d+)\?", context)[-1])
        return -len(after) * (0.1 if number < self.knows and after.endswith("yes") else 0.2)


def load(source: Path | ModelRef, settings: Settings, **how: Any) -> Pupil:
    """The pupil that a folder's ``pupil.json`` describes."""
    if isinstance(source, ModelRef):
        return Pupil(knows=int(source.revision), usd=0.001)
    (source / "opened").write_text((source / "opened").read_text() + "x" if (source / "opened").exists() else "x")
    return Pupil(**json.loads((source / "pupil.json").read_text()))


class Oracle:
    """A solver and a book that remember what they were shown; the solver takes the first option."""

    def solve(self, items: Sequence[Item]) -> list[Said]:
        SEEN.extend(items)
        return [Said(chosen=(0,), seconds=0.5) for _ in items]

    def passages(self, items: Sequence[Item]) -> list[tuple[str, ...]]:
        SEEN.extend(items)
        return [(f"On {one.prompt}", "A passage about dust. " * 20) for one in items]


def oracle(inputs: Mapping[str, Path], out: Output) -> Oracle:
    assert "index" in inputs
    return Oracle()


def held(
    folder: Path,
    config: dict[str, Any],
    papers: Mapping[str, Sequence[Item]],
    pupils: Mapping[str, Mapping[str, Any]],
    dev: Mapping[str, Sequence[Item]] | None = None,
) -> tuple[Counts, dict[str, Any], list[Answered], Output]:
    """An exam as it is left behind."""
    inputs = {f"items:{name}": leave(folder / "items" / name, items) for name, items in papers.items()}
    inputs |= {f"dev:{name}": leave(folder / "dev" / name, items) for name, items in (dev or {}).items()}
    inputs["index"] = folder
    for name, how in pupils.items():
        write_json(folder / "models" / name / "pupil.json", how)
        inputs[f"model:{name}"] = folder / "models" / name
    out = output(folder)
    kit = {"loader": "exam_kit:load", "solver": "exam_kit:oracle", "book": "exam_kit:oracle", "draws": 200}
    counts = run(ExamConfig(**{**kit, **config}), inputs, out)
    assert counts.add_up
    rows = list(read_table(out.path / "results.parquet", Answered))
    return counts, json.loads((out.path / "exam.json").read_text()), rows, out


def letters(text: str) -> tuple[int, ...]:
    return tuple(ascii_uppercase.index(letter) for letter in text)
