"""A small library without models, of files that are not all good: copies, records that are left out, a leaked question."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from gnomon.runs import FileSet, Workspace, run
from gnomon_recipes import library

SPECTRA = (
    "Vesto Slipher spent many nights at a spectrograph of the Lowell Observatory and measured how fast spiral nebulae"
    " move along the line of sight. Of the 25 spirals that he listed in 1917, 21 were moving away from us and only four"
    " towards us. He thought of a drift of the whole stellar system, which nobody had noticed before, and he was wrong"
    " about that; but the speeds themselves, up to 1,100 km/s, were larger than those of any star, and they stayed."
)
DUST = (
    "Robert Trumpler compared the sizes and the brightness of a hundred open clusters in 1930 and found that the distant"
    " ones looked too large, unless something between the stars dims their light. The dimming, about two thirds of a"
    " magnitude in every kiloparsec, told astronomers that the Galaxy is full of dust, and that every distance which had"
    " been measured without it was too long. His plates had been taken for another purpose altogether."
)
HOSTILE = "<script>alert(1)</script>"
QUESTION = {
    "id": "q-slipher", "question": "Of the 25 spirals that Slipher listed in 1917, how many were moving away from us and"
    " how many towards us?", "choices": ["21 away and four towards", "four away and 21 towards"], "answer": 0,
}  # fmt: skip
QUIZ = (
    "At the end of the term the school put its pupils a quiz about the sky, and the winners were allowed to look through"
    " the large telescope of the town. Hardly anybody got every answer right, which pleased the teachers very much."
)
RECORDS: tuple[dict[str, Any], ...] = (
    {"id": "slipher", "title": "Nebulae", "year": 1917, "text": SPECTRA, "licence": "CC0-1.0", "categories": ["astro-ph.CO"]},
    {"id": "again", "title": "Nebulae", "year": 1917, "text": SPECTRA.replace("many nights", "very many nights")},
    {"id": "dust", "title": "Dust between the stars", "year": 1930, "text": DUST, "licence": "CC0-1.0"},
    {"id": "leak", "title": f"A quiz {HOSTILE}", "year": 1999, "text": f"{QUIZ} {QUESTION['question']} {QUESTION['choices'][0]}."},
    {"id": "digits", "title": "Numbers", "text": "1 2 3 4 5 6 7 8 9 0 " * 30},
)  # fmt: skip


def build(folder: Path) -> Path:
    """Read and index the library, without vectors and trace, as when they are still to come; returns its workspace."""
    papers, exam = folder / "papers", folder / "exam.jsonl"
    papers.mkdir(parents=True)
    lines = [json.dumps({"lang": "en", **record}) for record in RECORDS]
    (papers / "notes.jsonl").write_text("\n".join([*lines, '{"id": "broken"']) + "\n", encoding="utf-8")
    (papers / "empty.md").write_text("", encoding="utf-8")
    exam.write_text(json.dumps(QUESTION) + "\n", encoding="utf-8")
    files, questions = FileSet.scan([papers]), FileSet.scan([exam])
    recipe = library.recipe({"files": files.to_row(), "exam": questions.to_row(), "name": "messy"})
    parts = recipe.serve.parts if recipe.serve is not None else {}
    run(replace(recipe, goals=(parts["index"], parts["report"])), Workspace(str(folder / "ws")))
    return folder / "ws"
