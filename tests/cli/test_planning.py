from collections.abc import Mapping
from pathlib import Path
from typing import Any

import toy_recipes

from gnomon.core.records import ModelRef
from gnomon.runs import FileSet, Recipe
from gnomon.synthesis.steps import write

PRICED = """
[models."far"]
url = "http://127.0.0.1:9/v1"
usd_per_million_tokens = 1.0
usd_per_million_output_tokens = 4.0
"""


def asking(arguments: Mapping[str, Any]) -> Recipe:
    """Pairs about the toy library, by a model."""
    library = toy_recipes.library({"files": FileSet.scan([arguments["papers"]]).to_row()})
    documents = next(step for step in library.steps() if step.name == "corpus/dedup")
    return Recipe(name="asking", goals=(write(documents, ModelRef(name="far", kind="instruct")),), arguments=arguments)


def prepared(tmp_path: Path, settings: str) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "gnomon.toml").write_text(settings)


def plan_of(gnomon: Any, papers: Path, *more: str) -> Any:
    return gnomon("plan", "test_planning:asking", "--set", f"papers={papers}", *more)


def test_a_plan_tells_what_asking_a_model_comes_to_once_the_documents_are_there(
    gnomon, papers: Path, tmp_path: Path
) -> None:
    prepared(tmp_path, PRICED)
    (before,) = plan_of(gnomon, papers, "--json").row["steps"][-1]["estimate"]["calls"]
    assert (before["calls"], before["usd"], before["hours"]) == ([0, None], [0, None], None)
    gnomon("build", papers)
    row = plan_of(gnomon, papers, "--json").row["steps"][-1]
    (calls,) = row["estimate"]["calls"]
    assert (row["step"], calls["model"]) == ("synthesis/write", "far")
    assert calls["calls"][0] == calls["calls"][1] > 0
    assert 0 < calls["usd"][0] < calls["usd"][1] == row["estimate"]["usd"]


def test_a_person_reads_a_price_or_that_it_is_unknown(gnomon, papers: Path, tmp_path: Path) -> None:
    prepared(tmp_path, PRICED.splitlines()[1] + '\nurl = "http://127.0.0.1:9/v1"\n')
    gnomon("build", papers)
    shown = plan_of(gnomon, papers).out
    assert "tokens in" in shown
    assert "no price is stated" in " ".join(shown.split())
    line = next(line for line in shown.splitlines() if line.strip().startswith("synthesis/write"))
    assert "unknown" in line
    assert "0.00" not in line
    (tmp_path / "ws" / "gnomon.toml").write_text(PRICED)
    assert "≤ " in plan_of(gnomon, papers).out
