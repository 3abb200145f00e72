"""Our questions for llm-jp-eval 2 (LLM-jp; Han et al. 2024): data sets in its common format, and the command.

llm-jp-eval evaluates in three parts: it *dumps* prompts, a module of llm-jp-eval-inference answers them, and it
*evaluates* the answers. Each has an environment of its own, so nothing of it is imported: what is written here is what
its documents describe (``DATASET.md``, ``config_sample.yaml``), and the command says the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from string import ascii_uppercase
from typing import Any

from gnomon.core.records import Item
from gnomon.evaluation.exam.prompting import lettered

ENGINES = {"vllm": "model", "transformers": "pretrained_model_name_or_path"}
"""Modules of llm-jp-eval-inference, and what each calls the model."""
LETTER_TOKENS, ANSWER_TOKENS = 5, 512
WHOLE_ANSWER = r"(?s)^(.*?)(?=\n\n|\Z)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A model to be evaluated: one of the workspace, or one of the hub."""

    name: str
    """Its role."""
    artifact: str = ""
    """Its folder below ``<workspace>/runs``; empty for a model of the hub."""
    hub: str = ""
    """Its name on the hub."""
    revision: str = ""
    """Its commit there."""


def llm_jp_files(
    name: str, items: Sequence[Item], targets: Sequence[Target], engine: str
) -> Mapping[str, str | dict[str, Any]]:
    """Contents by file name; a dict is written as JSON.

    Args:
        name: The first word of every data set's name.
        items: With one right option, or with a reference answer.
        targets: The models.
        engine: One of ``ENGINES``.
    """
    sets = datasets(name, items)
    files: dict[str, str | dict[str, Any]] = {f"datasets/{key}.json": value for key, value in sets.items()}
    files["datasets.yaml"] = _dataset_config(list(sets), sets)
    files |= {f"inference-{target.name}.yaml": _inference(target, engine) for target in targets}
    files["run.sh"] = _command(list(sets), targets, engine)
    return files


def datasets(name: str, items: Sequence[Item]) -> dict[str, dict[str, Any]]:
    """Data sets in llm-jp-eval's common format, by name: one for each language, and number of options."""
    found: dict[str, dict[str, Any]] = {}
    for lang in sorted({item.lang for item in items}):
        for options in sorted({len(item.choices) for item in items if item.lang == lang}):
            own = [item for item in items if item.lang == lang and len(item.choices) == options]
            key = f"{name}_{lang}_{options}_options" if options else f"{name}_{lang}_open"
            found[key] = _choice(own, lang, options) if options else _open(own, lang)
    return found


def _choice(items: Sequence[Item], lang: str, options: int) -> dict[str, Any]:
    letters = ascii_uppercase[:options]
    ja = f"質問への正しい答えを選択肢から一つ選び、その記号（{letters[0]}〜{letters[-1]}）だけを出力してください。"
    en = f"Choose the right answer to the question and give only its letter ({letters[0]} to {letters[-1]})."
    ask = ("質問：", "選択肢：") if lang == "ja" else ("Question: ", "Options:")
    samples = [
        {"input": "\n".join([ask[0] + item.prompt, ask[1], *lettered(item.choices, ". ")]),
         "output": letters[item.targets[0]]}
        for item in items
    ]  # fmt: skip
    return _common(ja if lang == "ja" else en, LETTER_TOKENS, "exact_match", samples, lang) | {
        "label_list": list(letters), "answer_extract_pattern": rf"(?s)^\W*([{letters[0]}-{letters[-1]}])(?![A-Za-z])",
    }  # fmt: skip


def _open(items: Sequence[Item], lang: str) -> dict[str, Any]:
    ja, en = "次の質問に簡潔に答えてください。", "Answer the question concisely."
    ask = "質問：" if lang == "ja" else "Question: "
    samples = [{"input": ask + item.prompt, "output": item.reference} for item in items]
    return _common(ja if lang == "ja" else en, ANSWER_TOKENS, "char_f1", samples, lang) | {
        "label_list": [], "answer_extract_pattern": WHOLE_ANSWER,
    }  # fmt: skip


def _common(instruction: str, tokens: int, metric: str, samples: list[dict[str, str]], lang: str) -> dict[str, Any]:
    return {
        "instruction": instruction, "output_length": tokens, "metrics": [metric], "samples": samples,
        "num_few_shots": 0, "answer_pattern_id": "custom", "language": lang, "custom_prompt_template": None,
    }  # fmt: skip


def _dataset_config(names: Sequence[str], sets: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["datasets:", *(f"  - {name}" for name in names), "categories:"]
    for title, metric in (("CHOICE", "exact_match"), ("OPEN", "char_f1")):
        own = [name for name in names if sets[name]["metrics"] == [metric]]
        if own:
            lines += [f"  {title}:", f"    description: Gnomon, {title.lower()}", f"    default_metric: {metric}",
                      "    metrics: {}", "    datasets:", *(f"      - {name}" for name in own)]  # fmt: skip
    return "\n".join([*lines, "dataset_info_overrides: {}", ""])


def _inference(target: Target, engine: str) -> str:
    """The configuration of the inference module; the command puts the model and the prompts in."""
    model = target.hub or "SET-BY-run.sh"
    return (
        f"run_name: {target.name}\nwandb:\n  launch: false\n  entity: entity\n  project: project\n"
        f"tokenize_kwargs:\n  add_special_tokens: true\nmodel:\n  {ENGINES[engine]}: {model}\n"
        f"tokenizer:\n  pretrained_model_name_or_path: {model}\nprompt_json_path: SET-BY-run.sh\n"
    )


def _command(names: Sequence[str], targets: Sequence[Target], engine: str) -> str:
    """The command for one model: dump, infer, evaluate."""
    cases = [
        f'  {quote(t.name)}) MODEL="$RUNS/{t.artifact}" ;;' if t.artifact
        else f'  {quote(t.name)}) MODEL={quote(t.hub)} ;;  # revision {t.revision or "not stated"}'
        for t in targets
    ]  # fmt: skip
    return _SCRIPT.format(
        names=" ".join(names), cases="\n".join(cases), engine=engine, model=ENGINES[engine],
        roles=" | ".join([*(t.name for t in targets), "FOLDER"]),
    )  # fmt: skip


_SCRIPT = """#!/bin/bash
# Evaluate one model on {names} with llm-jp-eval 2.
#
#   LLM_JP_EVAL=<checkout of llm-jp-eval> LLM_JP_EVAL_INFERENCE=<checkout of llm-jp-eval-inference> \\
#     ./run.sh {roles} [OUT]
#
# Both have to be set up as their READMEs say (`uv sync`). Results: OUT/results.
set -eu -o pipefail
HERE="$(cd "$(dirname "$0")" && pwd)"
RUNS="$(cd "$HERE/../../../../.." && pwd)"
case "${{1:?which model: {roles}}}" in
{cases}
  *) MODEL="$1" ;;
esac
OUT="$(mkdir -p "${{2:-./llm-jp-eval-out}}" && cd "${{2:-./llm-jp-eval-out}}" && pwd)"
CONFIG="$HERE/inference-$1.yaml"
[ -f "$CONFIG" ] || CONFIG="$LLM_JP_EVAL_INFERENCE/inference-modules/{engine}/config_sample.yaml"

cd "$LLM_JP_EVAL"
VERSION="$(uv run python -c 'import llm_jp_eval; print(llm_jp_eval.__version__)')"
mkdir -p "$OUT/datasets/$VERSION/evaluation/test"
cp "$HERE"/datasets/*.json "$OUT/datasets/$VERSION/evaluation/test/"
COMMON=(--output_dir="$OUT" --eval_dataset_config_path="$HERE/datasets.yaml" --max_num_samples=-1)
uv run python scripts/evaluate_llm.py dump "${{COMMON[@]}}" --inference_input_dir="$OUT/prompts"

cd "$LLM_JP_EVAL_INFERENCE/inference-modules/{engine}"
uv run python inference.py inference --config="$CONFIG" --output_base_dir="$OUT/offline" \\
  --model.{model}="$MODEL" --tokenizer.pretrained_model_name_or_path="$MODEL" \\
  --prompt_json_path="$OUT/prompts_*/*.eval-prompt.json"

cd "$LLM_JP_EVAL"
RESULT="$(find "$OUT/offline" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)"
uv run python scripts/evaluate_llm.py eval "${{COMMON[@]}}" --inference_result_dir="$RESULT"
"""
