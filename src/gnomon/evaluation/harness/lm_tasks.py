"""Our questions as tasks of lm-evaluation-harness: a YAML file and a JSONL file for each form and language.

The prompt is written out in full by ``evaluation.exam.prompting``, so that both harnesses ask in the same words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from gnomon.core.records import Item
from gnomon.evaluation.exam.prompting import Sheet
from gnomon.evaluation.open.questions import Sheet as OpenSheet

VERSION = 1
LETTER, OPTION, OPEN = "letter", "option", "open"
_SHEETS = {LETTER: "mmlu", OPTION: "option"}


def lm_eval_files(name: str, items: Sequence[Item]) -> Mapping[str, str]:
    """Contents by file name.

    Args:
        name: The first word of every task's name.
        items: With one right option, or with a reference answer.
    """
    files: dict[str, str] = {}
    tasks: list[str] = []
    for form in (LETTER, OPTION, OPEN):
        for lang in sorted({item.lang for item in items}):
            own = [item for item in items if item.lang == lang and bool(item.choices) == (form != OPEN)]
            if own:
                task = f"{name}_{form}_{lang}"
                tasks.append(task)
                files[f"{task}.jsonl"] = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(form, own))
                files[f"{task}.yaml"] = _yaml(task, form, lang)
    files["README.md"] = _readme(tasks)
    return files


def _rows(form: str, items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    for item in items:
        row: dict[str, Any] = {"id": item.id, "subject": item.subject}
        if form == OPEN:
            yield row | {"prompt": OpenSheet(chat=False).prompt(item), "answer": item.reference}
        else:
            options = list(item.choices) if form == OPTION else list(ascii_uppercase[: len(item.choices)])
            prompt = Sheet(form=_SHEETS[form]).prompt(item)
            yield row | {"prompt": prompt, "options": options, "answer": item.targets[0]}


def _yaml(task: str, form: str, lang: str) -> str:
    """The task; ``target_delimiter`` is the space that English puts before an answer and Japanese does not."""
    space = "" if lang == "ja" else " "
    head = (
        f"task: {task}\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {task}.jsonl\n"
        "test_split: test\nnum_fewshot: 0\ndoc_to_text: prompt\ndoc_to_target: answer\n"
        f'target_delimiter: "{space}"\n'
    )
    if form == OPEN:
        body = (
            "output_type: generate_until\ngeneration_kwargs:\n  until: [\"\\n\\n\"]\n  max_gen_toks: 512\n"
            "  do_sample: false\nmetric_list:\n  - metric: chrf\n    aggregation: chrf\n    higher_is_better: true\n"
        )  # fmt: skip
    else:
        body = (
            "output_type: multiple_choice\ndoc_to_choice: options\nmetric_list:\n  - metric: acc\n"
            "    aggregation: mean\n    higher_is_better: true\n  - metric: acc_norm\n    aggregation: mean\n"
            "    higher_is_better: true\n"
        )
    return f"{head}{body}metadata:\n  version: {VERSION}\n"


def _readme(tasks: Sequence[str]) -> str:
    return (
        "# Tasks for lm-evaluation-harness\n\nRun in this folder, because the tasks name their data files by relative"
        " paths:\n\n```sh\nlm_eval --model hf --model_args pretrained=MODEL --include_path . --tasks "
        + ",".join(tasks) + "\n```\n"
    )  # fmt: skip
