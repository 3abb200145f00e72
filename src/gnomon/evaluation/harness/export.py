"""The step ``evaluation/harness_files``: our questions as tasks of other harnesses, and the commands that run them.

Two folders. ``lm_eval/`` holds tasks for ``lm_eval --include_path`` (or ``evaluation.lm_eval``), with the very prompts
of ``evaluation/exam``; ``llm_jp_eval/`` data sets, configurations and the command for llm-jp-eval 2, which Gnomon does
not install: it lives in environments of its own. No file names a place of this machine; models of the workspace are
found from where the command lies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_atomic, write_json
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter, read_table
from gnomon.core.wording import say
from gnomon.evaluation.exam.arms import DEV_SPLITS
from gnomon.evaluation.exam.papers import IN_DEV
from gnomon.evaluation.harness.llm_jp import ENGINES, Target, llm_jp_files
from gnomon.evaluation.harness.lm_tasks import lm_eval_files
from gnomon.evaluation.roles import PREFIX, Role
from gnomon.llm.weights import MODEL_FOLDER, read_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

ITEMS, DROPS, LM_EVAL, LLM_JP = "items", "drops.parquet", "lm_eval", "llm_jp_eval"
SEVERAL, NO_ANSWER = "several_answers", "no_answer"


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Settings of the step.

    Raises:
        ConfigError: The name is no word, or there is no such engine.
    """

    name: str = "gnomon"
    """What the tasks are called, with language and form behind it: ``gnomon_letter_en``."""
    models: tuple[Role, ...] = ()
    """The models for which llm-jp-eval's configurations are written."""
    engine: str = "vllm"
    """Module of llm-jp-eval-inference: ``vllm`` or ``transformers``."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.engine not in ENGINES:
            raise ConfigError(
                say(f"harness_files: name = {self.name!r}, engine = {self.engine!r}.",
                    f"harness_files: name = {self.name!r}, engine = {self.engine!r}。"),
                say(f"The name is one word; engines: {', '.join(ENGINES)}.",
                    f"name は一語、engine は {', '.join(ENGINES)} のいずれか。"),
            )  # fmt: skip


def run(config: ExportConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write the files of both harnesses.

    Args:
        config: Names and models.
        inputs: ``items`` and ``model:ROLE`` for every model without a ``ref``.
        out: Receives ``lm_eval/``, ``llm_jp_eval/`` and ``drops.parquet``.

    Raises:
        DataError: There is nothing to export.
    """
    items = list(read_table(inputs[ITEMS] / "items.parquet", Item))
    kept, dropped = list[Item](), dict[str, int]()
    with TableWriter(out.path / DROPS, Drop) as drops:
        for item in items:
            reason = _reason(item)
            if reason:
                drops.write(Drop(doc_id=item.id, reason=reason, excerpt=item.prompt[:200]))
                dropped[reason] = dropped.get(reason, 0) + 1
            else:
                kept.append(item)
    if not kept:
        raise DataError(
            say(f"None of {len(items)} items can be exported.", f"{len(items)} 問のうち書き出せるものがない。"),
            say("Give items with one right option, or with a reference answer.",
                "正答が一つの多肢選択問題か、模範解答のある問題を渡す。"),
        )  # fmt: skip
    targets = [target(role, inputs, out) for role in config.models]
    made = _write(out.path / LM_EVAL, lm_eval_files(config.name, kept))
    made += _write(out.path / LLM_JP, llm_jp_files(config.name, kept, targets, config.engine))
    return Counts(taken=len(items), kept=len(kept), dropped=dropped, made={"files": made})


def _reason(item: Item) -> str:
    if item.split in DEV_SPLITS:
        return IN_DEV
    if item.choices:
        return SEVERAL if len(item.targets) > 1 else "" if item.targets else NO_ANSWER
    return "" if item.reference.strip() else NO_ANSWER


def target(role: Role, inputs: Mapping[str, Path], out: Output) -> Target:
    """How the command finds the weights of a model: in the workspace, or by its name on the hub."""
    folder = inputs.get(PREFIX + role.name)
    if folder is None or not (folder / MODEL_FOLDER).is_dir():
        ref = role.ref if folder is None else read_ref(folder)
        return Target(name=role.name, hub=ref.name if ref else "", revision=ref.revision if ref else "")
    record = out.records[PREFIX + role.name]
    return Target(name=role.name, artifact=f"{record.address}/{record.folder}/{MODEL_FOLDER}")


def _write(folder: Path, files: Mapping[str, str | dict[str, Any] | Sequence[Any]]) -> int:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            write_atomic(folder / name, content)
            if name.endswith(".sh"):
                (folder / name).chmod(0o755)
        else:
            write_json(folder / name, content)
    return len(files)
