import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import output

import gnomon_recipes
from gnomon.core.errors import ConfigError, MissingExtra, RunError
from gnomon.core.files import write_json
from gnomon.core.records import Item, ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.tables import read_table
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.harness import running
from gnomon.evaluation.harness.config import LmEvalConfig
from gnomon.evaluation.harness.lm_tasks import lm_eval_files
from gnomon.evaluation.harness.step import Sample, result_rows, run
from gnomon.evaluation.roles import Role
from gnomon.evaluation.steps import lm_eval
from gnomon.llm.local import load_local
from gnomon.runs.sources import FileSet

NANO = Path(gnomon_recipes.__file__).parent / "nano" / "base"
needs_harness = pytest.mark.skipif(importlib.util.find_spec("lm_eval") is None, reason="lm-eval is not installed")
STARS = """task: tiny_stars
dataset_path: json
dataset_kwargs: {data_files: {test: stars.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
num_fewshot: 0
metric_list: [{metric: acc}, {metric: acc_norm}]
metadata: {version: 3.0}
"""
ROWS = [
    {"question": "Which object is a star?", "choices": ["the Sun", "the Moon", "a comet"], "answer": 0},
    {"question": "What does a telescope gather?", "choices": ["sound", "light"], "answer": 1},
    {"question": "Around what do planets move?", "choices": ["a moon", "a nebula", "a star"], "answer": 2},
    {"question": "What is a galaxy made of?", "choices": ["stars", "clouds of ice"], "answer": 0},
]


def place(folder: Path, **more: Any) -> tuple[LmEvalConfig, dict[str, Path]]:
    """A config and inputs for the nano base and the tiny task."""
    tasks = folder / "tasks"
    tasks.mkdir(parents=True, exist_ok=True)
    (tasks / "tiny.yaml").write_text(STARS)
    (tasks / "stars.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    write_json(folder / "include.json", FileSet.scan([tasks]).to_row())
    (folder / "nano").mkdir(exist_ok=True)
    (folder / "nano" / "model.json").write_text('{"name": "nano", "revision": "1", "kind": "base"}')
    if not (folder / "nano" / "model").exists():
        (folder / "nano" / "model").symlink_to(NANO)
    config = LmEvalConfig(**{"models": (Role(name="base", kind="base"),), "tasks": ("tiny_stars",), **more})
    return config, {"include": folder / "include.json", "model:base": folder / "nano"}


@needs_harness
def test_a_task_of_the_users_own_is_sat_by_real_weights_and_its_figures_kept(tmp_path: Path) -> None:
    # beside it our own questions, exported: lm-eval reads the files, and its scores are those of the exam
    items = [
        Item(id="a", prompt="Which is a star?", choices=("Sun", "Moon", "Mars"), targets=(0,)),
        Item(id="c", prompt="どれが恒星か。", choices=("月", "太陽"), targets=(1,), lang="ja"),
    ]
    (tmp_path / "tasks").mkdir()
    for name, text in lm_eval_files("own", items).items():
        (tmp_path / "tasks" / name).write_text(text, encoding="utf-8")
    config, inputs = place(tmp_path, bootstrap=100, tasks=("tiny_stars", "own_letter_en", "own_option_ja"))
    out = output(tmp_path)
    out.settings = Settings(offline=True, threads=1)
    counts = run(config, inputs, out)
    assert (counts.taken, counts.kept) == (6, 6)
    facts = json.loads((out.path / "lm_eval.json").read_text())
    assert facts["versions"]["lm_eval_version"]
    assert facts["models"]["base"]["ref"]["name"] == "nano"
    rows = {(row["task"], row["metric"]): row for row in facts["results"]}
    row = rows["tiny_stars", "acc"]
    assert (row["task"], row["n"], row["shots"], row["version"]) == ("tiny_stars", 4, 0, 3.0)
    assert row["higher_is_better"]
    assert row["low"] <= row["value"] <= row["high"]
    every = list(read_table(out.path / "samples.parquet", Sample))
    samples = [sample for sample in every if sample.task == "tiny_stars"]
    scores = [json.loads(sample.metrics)["acc"] for sample in samples]
    assert row["value"] == pytest.approx(sum(scores) / 4)
    assert [sample.doc_id for sample in samples] == [0, 1, 2, 3]
    model = load_local(inputs["model:base"], Settings(threads=1))
    for task, form, item in (("own_letter_en", "mmlu", items[0]), ("own_option_ja", "option", items[1])):
        (sample,) = [sample for sample in every if sample.task == task]
        theirs = [float(total) for total, _ in json.loads(sample.response)]
        sheet = Sheet(form=form)
        pairs = [(sheet.prompt(item), after) for after in sheet.continuations(item)]
        assert theirs == pytest.approx([one.total for one in model.log_likelihoods(pairs)], abs=1e-3)
    again = {"left": running.run_child}
    running.run_child = None  # type: ignore[assignment]
    try:
        run(config, inputs, out)  # a finished model is not run again
    finally:
        running.run_child = again["left"]


@needs_harness
@pytest.mark.slow  # the harness takes long to begin, and its way of failing is faked below
def test_the_harness_itself_knows_which_tasks_there_are(tmp_path: Path) -> None:
    config, inputs = place(tmp_path, tasks=("tiny_sters", "tiny_stars"))
    out = output(tmp_path)
    with pytest.raises(ConfigError, match=r"no task tiny_sters.*tiny_stars"):
        run(config, inputs, out)


def failing(monkeypatch: pytest.MonkeyPatch, code: int, said: str = "", left: Any = None) -> None:
    """Let the process end with a code, having printed something and left a result."""

    def ended(command: list[str], *, stdout: Any, **how: Any) -> Any:
        stdout.write(said.encode())
        if left is not None:
            Path(command[-1]).write_text(json.dumps(left), encoding="utf-8")
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(running, "check_installed", lambda: None)
    monkeypatch.setattr(running.subprocess, "run", ended)


def test_a_task_that_is_not_there_is_named_with_what_comes_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, inputs = place(tmp_path)
    failing(monkeypatch, 0, left={"unknown_tasks": ["tiny_sters"], "near": ["tiny_stars"]})
    with pytest.raises(ConfigError, match=r"no task tiny_sters.*tiny_stars"):
        run(config, inputs, output(tmp_path))


def test_what_the_harness_says_before_it_fails_is_in_the_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, inputs = place(tmp_path)
    failing(monkeypatch, 1, said="x" * 9000 + "no config.json here")
    with pytest.raises(RunError, match=r"lm-eval failed: …x+no config\.json here") as error:
        run(config, inputs, output(tmp_path))
    assert len(error.value.message) < 2000
    assert ".log" in error.value.hint


def test_without_the_harness_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config, inputs = place(tmp_path)
    with pytest.raises(MissingExtra, match=r"gnomon\[harness\]"):
        run(config, inputs, output(tmp_path))


def test_an_endpoint_is_refused_with_the_way_to_do_it() -> None:
    settings = Settings(models={"far": ModelPlace(url="http://127.0.0.1:9/v1")})
    with pytest.raises(ConfigError, match="is an endpoint"):
        running.weights_for(ModelRef(name="far"), settings)


def test_values_that_are_no_numbers_are_no_values_and_groups_stand_once() -> None:
    found = {
        "groups": {"all": {"acc,none": 0.5, "acc_stderr,none": "N/A", "alias": "all"}},
        "results": {
            "all": {"acc,none": 0.5}, "one": {"acc,none": 0.25, "acc_stderr,none": 0.1, "sample_len": 4},
            "two": {"perplexity,none": float("nan"), "perplexity_stderr,none": float("nan")},
        },
        "n-samples": {"one": {"original": 9, "effective": 4}}, "versions": {"one": 1},
    }  # fmt: skip
    rows = {row["task"]: row for row in result_rows("base", found)}
    assert set(rows) == {"all", "one", "two"}
    assert rows["all"]["group"]
    assert rows["all"]["stderr"] is None
    assert (rows["one"]["n"], rows["one"]["low"]) == (4, pytest.approx(0.054, abs=1e-3))
    assert rows["two"]["value"] is rows["two"]["stderr"] is rows["two"]["low"] is None


def test_names_that_are_no_tasks_are_refused() -> None:
    role = (Role(name="base", kind="base"),)
    for tasks in ((), ("a task",), ("../x",)):
        with pytest.raises(ConfigError, match="at least one model and one task"):
            LmEvalConfig(models=role, tasks=tasks)
    step = lm_eval({"base": ModelRef(name="x", revision="1")}, ["arc_easy"], limit=5)
    assert step.config.tasks == ("arc_easy",)
    assert step.sources == {}
