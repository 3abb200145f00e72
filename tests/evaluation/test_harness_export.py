import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from evaluation_kit import output

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.records import Item, ModelRef
from gnomon.core.tables import write_table
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.harness.export import ExportConfig, run
from gnomon.evaluation.roles import Role
from gnomon.evaluation.steps import harness_files, items
from gnomon.runs.record import Record
from gnomon.runs.sources import FileSet

ITEMS = [
    Item(id="a", prompt="Which is a star?", choices=("Sun", "Moon", "Mars"), targets=(0,), subject="stars"),
    Item(id="b", prompt="Which shines?", choices=("dust", "a star", "ice"), targets=(1,)),
    Item(id="c", prompt="どれが恒星か。", choices=("月", "太陽"), targets=(1,), lang="ja"),
    Item(id="d", prompt="What is a parsec?", reference="A distance of 3.26 light years."),
    Item(id="e", prompt="Which two?", choices=("x", "y"), targets=(0, 1)),
    Item(id="f", prompt="Why?"),
    Item(id="g", prompt="An example?", choices=("yes", "no"), targets=(0,), split="dev"),
]
MODELS = (
    Role(name="final", kind="specialised"),
    Role(name="hub", kind="general", ref=ModelRef(name="org/m", revision="c0")),
)


def written(folder: Path, rows: list[Item] = ITEMS, **how: Any) -> Any:
    (folder / "items").mkdir(parents=True, exist_ok=True)
    write_table(folder / "items" / "items.parquet", Item, rows)
    (folder / "final" / "model").mkdir(parents=True, exist_ok=True)
    out = output(folder)
    fields: dict[str, Any] = dict.fromkeys(Record.__dataclass_fields__, "")
    out.records = {"model:final": Record(**{**fields, "name": "training/sft", "identity": "1f", "folder": "data"})}
    config = ExportConfig(**{"models": MODELS, **how})
    return run(config, {"items": folder / "items", "model:final": folder / "final"}, out), out.path


def test_tasks_of_lm_eval_ask_in_the_words_of_the_exam(tmp_path: Path) -> None:
    counts, path = written(tmp_path)
    assert dict(counts.dropped) == {"several_answers": 1, "no_answer": 1, "in_dev": 1}
    assert counts.kept == 4
    tasks = {file.stem: yaml.safe_load(file.read_text()) for file in (path / "lm_eval").glob("*.yaml")}
    assert set(tasks) == {
        "gnomon_letter_en", "gnomon_letter_ja", "gnomon_option_en", "gnomon_option_ja", "gnomon_open_en",
    }  # fmt: skip
    for name, task in tasks.items():
        rows = [json.loads(line) for line in (path / "lm_eval" / f"{name}.jsonl").read_text().splitlines()]
        assert task["task"] == name
        assert task["dataset_kwargs"]["data_files"]["test"] == f"{name}.jsonl"
        assert all(task["doc_to_text"] in row and task["doc_to_target"] in row for row in rows)
        assert all(task.get("doc_to_choice", "prompt") in row for row in rows)
        for row in rows:
            item = next(item for item in ITEMS if item.id == row["id"])
            if item.choices:
                sheet = Sheet(form="mmlu" if "letter" in name else "option")
                assert row["prompt"] == sheet.prompt(item)
                asked = [task["target_delimiter"] + option for option in row["options"]]
                assert asked == sheet.continuations(item)
                assert row["answer"] == item.targets[0]


def test_data_sets_have_llm_jp_evals_common_format(tmp_path: Path) -> None:
    _, path = written(tmp_path)
    found = {file.stem: json.loads(file.read_text()) for file in (path / "llm_jp_eval/datasets").glob("*.json")}
    assert set(found) == {"gnomon_en_3_options", "gnomon_en_open", "gnomon_ja_2_options"}
    for name, row in found.items():
        assert set(row) == {
            "instruction", "output_length", "metrics", "samples", "label_list", "answer_extract_pattern",
            "num_few_shots", "answer_pattern_id", "language", "custom_prompt_template",
        }  # fmt: skip
        assert all(set(sample) == {"input", "output"} for sample in row["samples"])
        assert row["language"] == name.split("_")[1]
    choice = found["gnomon_en_3_options"]
    assert choice["label_list"] == ["A", "B", "C"]
    assert [sample["output"] for sample in choice["samples"]] == ["A", "B"]
    for said, letter in (("B", "B"), (" (C) because", "C"), ("**A**", "A"), ("Because", None), ("D", None)):
        match = re.search(choice["answer_extract_pattern"], said, re.DOTALL)
        assert (match[1] if match else None) == letter
    assert found["gnomon_en_open"]["metrics"] == ["char_f1"]
    listed = yaml.safe_load((path / "llm_jp_eval/datasets.yaml").read_text())
    assert sorted(listed["datasets"]) == sorted(found)
    assert {name for part in listed["categories"].values() for name in part["datasets"]} == set(found)


@pytest.mark.parametrize(("engine", "key"), [("vllm", "model"), ("transformers", "pretrained_model_name_or_path")])
def test_the_command_finds_models_from_where_it_lies_and_names_no_place_of_this_machine(
    tmp_path: Path, engine: str, key: str
) -> None:
    _, path = written(tmp_path, engine=engine)
    assert yaml.safe_load((path / "llm_jp_eval/inference-hub.yaml").read_text())["model"] == {key: "org/m"}
    script = (path / "llm_jp_eval/run.sh").read_text()
    assert 'MODEL="$RUNS/training/sft/1f/data/model"' in script
    assert "revision c0" in script
    for file in path.rglob("*"):
        assert not file.is_file() or str(tmp_path) not in file.read_text(errors="replace")
    subprocess.run(["bash", "-n", str(path / "llm_jp_eval/run.sh")], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_command_calls_dump_inference_and_eval_with_the_model(tmp_path: Path) -> None:
    _, path = written(tmp_path)
    home = tmp_path / "ws/runs/evaluation/harness_files/2a/data"
    shutil.copytree(path, home)
    (tmp_path / "bin").mkdir()
    uv = tmp_path / "bin" / "uv"
    uv.write_text(
        f'#!/bin/bash\necho "$@" >> {tmp_path}/calls\n[[ "$*" == *__version__* ]] && echo 2.1.3\n'
        f'[[ "$*" == *inference.py* ]] && mkdir -p {tmp_path}/out/offline/final\nexit 0\n'
    )
    uv.chmod(0o755)
    for name in ("eval", "inference/inference-modules/vllm"):
        (tmp_path / name).mkdir(parents=True)
    env = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "LLM_JP_EVAL": str(tmp_path / "eval"),
           "LLM_JP_EVAL_INFERENCE": str(tmp_path / "inference")}  # fmt: skip
    subprocess.run([str(home / "llm_jp_eval/run.sh"), "final", str(tmp_path / "out")], check=True, env=env)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert ["dump" in calls[1], "inference.py inference" in calls[2], " eval " in calls[3]] == [True] * 3
    assert f"--model.model={tmp_path}/ws/runs/training/sft/1f/data/model" in calls[2]
    assert f"--inference_result_dir={tmp_path}/out/offline/final" in calls[3]
    assert len(list((tmp_path / "out/datasets/2.1.3/evaluation/test").glob("*.json"))) == 3


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of 1 items"):
        written(tmp_path, [ITEMS[5]])
    for wrong in ({"name": "two words"}, {"engine": "gpu"}):
        with pytest.raises(ConfigError, match="The name is one word"):
            ExportConfig(**wrong)
    (tmp_path / "q.jsonl").write_text("{}")
    step = harness_files(items(FileSet.scan([tmp_path / "q.jsonl"])), {"hub": ModelRef(name="org/m")})
    assert set(step.inputs) == {"items"}
