"""The doors of the solver and the book in a real run: a tiny library, an exam over it, and a step that reads the book."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.files import read_json, write_json
from gnomon.core.records import Item
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.exam.arms import Arm
from gnomon.knowledge import steps as knowledge
from gnomon.research.solve import book
from gnomon.runs import FileSet, Recipe, Step, Workspace, run
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

NOTES = (
    {"id": "basalt", "title": "Example basalt", "lang": "en", "text": "The youngest flow is 1.2 billion years old."
     " The oldest flow is 3.9 billion years old. Heating the samples released trapped argon from the glass."},
    {"id": "comet", "title": "Example comet", "lang": "en", "text": "The comet kept its ices under a crust of dust. Its"
     " nucleus turns once in 11 hours, and no jets of vapour were seen in all that time."},
)  # fmt: skip
QUESTIONS = (
    {"id": "a", "question": "How old is the youngest flow?", "answer": "B",
     "choices": ["3.9 billion years", "1.2 billion years", "11 billion years", "2 billion years"]},
    {"id": "b", "question": "What did heating release from the samples?", "answer": "D",
     "choices": ["Frozen water", "Old methane", "Solar helium", "Trapped argon"]},
    {"id": "c", "question": "What kept the ices of the comet?", "answer": "A",
     "choices": ["A crust of dust", "A magnetic field", "A bright tail", "A slow spin"]},
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """No settings."""


def open_the_book(config: Nothing, inputs: Mapping[str, Path], out: Output) -> Counts:
    asked = Item(id="a", prompt="What kept the ices?", choices=("dust", "argon"), targets=())
    write_json(out.path / "passages.json", [list(found) for found in book(inputs, out).passages([asked])])
    return Counts(taken=1, kept=1)


def lines(path: Path, rows: Sequence[Mapping[str, object]]) -> FileSet:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return FileSet.scan([path])


def test_the_solver_sits_an_exam_and_the_book_opens_in_a_step(tmp_path: Path) -> None:
    documents = corpus.ingest(lines(tmp_path / "notes.jsonl", NOTES))
    index = knowledge.index(documents, knowledge.chunk(documents), library="tiny")
    items = evaluation.items(lines(tmp_path / "questions.jsonl", QUESTIONS))
    arms = (Arm(name="chance", kind="chance"), Arm(name="solver", kind="solver", open_book=True))
    exam = evaluation.exam({}, {"tiny": items}, library={"index": index}, arms=arms, draws=200)
    reading = Step(name="toy/book", entry=f"{__name__}:open_the_book", version=1, config=Nothing(),
                   inputs={"index": index})  # fmt: skip
    records = run(Recipe(name="tiny", goals=(exam, reading)), Workspace(str(tmp_path / "workspace")))
    accuracy = records[exam.address].metrics["accuracy"]["tiny"]
    assert accuracy == {"chance": 0.25, "solver": 1.0}
    (left,) = (tmp_path / "workspace" / "runs" / "toy" / "book").glob("*/data/passages.json")
    (passages,) = read_json(left)
    assert passages[0].startswith("Example comet\nThe comet kept its ices")
