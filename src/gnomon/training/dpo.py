"""The step ``training/dpo``: pairs of answers in, a model that prefers the better ones out.

*Direct preference optimisation* (Rafailov et al., arXiv 2305.18290) makes the wanted answer likelier and the other
less likely, both against the model one starts from, so that no reward model and no sampling are needed. A killed step
goes on from its last checkpoint, with the same curve and the same weights as if nothing had happened.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.records import Drop, ModelRef
from gnomon.core.tables import write_table
from gnomon.llm.hub import folder_revision
from gnomon.llm.templated import template_of
from gnomon.llm.weights import read_ref, weights_of, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.encoding import open_tokenizer
from gnomon.training.loop.job import Job
from gnomon.training.preference.config import PreferenceConfig
from gnomon.training.preference.pairs import HELD_OUT, Pairs, read_pairs
from gnomon.training.preference.trainer import trl
from gnomon.training.preference.work import FACTS, work
from gnomon.training.preflight import check_context, check_licences, check_tokenizer, with_inherited
from gnomon.training.room import check_room, decoder_of
from gnomon.training.wholeness import model_facts, tokenizer_facts

MODEL, PREFERENCES = "model", "preferences"
DROPS = "drops.parquet"
_BYTES = 4
"""Of a weight of the model one starts from, which is held in float32."""


def run(config: PreferenceConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Train ``inputs["model"]`` on the pairs of ``inputs["preferences"]``.

    Raises:
        ConfigError: The model has no chat template, its context is shorter than ``max_length``, or licences forbid it.
        DataError: There is nothing to learn from.
        MissingExtra: TRL is not installed.
        TrainingError: The loss is no number, or a checkpoint cannot be written.
        CorruptArtifact: A checkpoint is damaged.
    """
    trl()
    start = Path(weights_of(inputs[MODEL], out.settings).name_or_folder)
    out.metrics["duties"] = with_inherited(_check(config, inputs, start, out), out.records)
    tokenizer = open_tokenizer(start)
    tokenizer.chat_template = template_of(tokenizer)
    pairs = read_pairs(inputs[PREFERENCES], tokenizer, longest=config.max_length, held_out=config.held_out)
    write_table(out.path / DROPS, Drop, pairs.drops)
    folder = out.shards / "training"
    folder.mkdir(parents=True, exist_ok=True)
    job = Job(
        config=config.training(), place=out.settings.training, start=start, tokens=inputs[PREFERENCES],
        folder=folder, logs=out.logs or folder / "logs", threads=out.settings.num_threads,
    )  # fmt: skip
    work(config, job, pairs.learnt, pairs.held, out.meter)
    _take_up(config, job, inputs, out)
    return _counts(pairs, out)


def _check(config: PreferenceConfig, inputs: Mapping[str, Path], start: Path, out: Output) -> tuple[str, ...]:
    """All that can be known to fail, before any long work; returns the duties that licences leave."""
    import torch

    facts = model_facts(start)
    check_tokenizer(tokenizer_facts(start), facts)
    check_context(config.max_length, facts)
    parent = read_ref(inputs[MODEL])
    duties = check_licences(
        {parent.name: parent.licence}, _licences(out), name=config.name, licence=config.licence, use=config.use
    )
    beside = 0 if config.lora else _BYTES * decoder_of(start).total
    device = "cuda" if torch.cuda.is_available() else "cpu"
    check_room(config.training(), out.settings.training, start, 2 * config.max_length, device=device, beside=beside)
    return duties


def _licences(out: Output) -> dict[str, str]:
    """Licences of the texts behind the preferences, where the step that made them counted any."""
    record = out.records.get(PREFERENCES)
    told: Any = (record.metrics if record else {}).get("licences") or {}
    return {f"{PREFERENCES}: {licence}": licence for licence in told if licence}


def _take_up(config: PreferenceConfig, job: Job, inputs: Mapping[str, Path], out: Output) -> None:
    """Make the result the artifact."""
    for found in sorted(job.result.iterdir()):
        target = out.path / found.name
        if target.is_dir():
            shutil.rmtree(target)
        found.replace(target)
    parent = read_ref(inputs[MODEL])
    write_ref(out.path, ModelRef(
        name=config.name, revision=folder_revision(out.path / "model"), kind="instruct",
        licence=config.licence or parent.licence, parents=(parent.name,),
    ))  # fmt: skip
    out.metrics |= read_json(out.path / FACTS)


def _counts(pairs: Pairs, out: Output) -> Counts:
    dropped: dict[str, int] = {HELD_OUT: len(pairs.held)} if pairs.held else {}
    for drop in pairs.drops:
        dropped[drop.reason] = dropped.get(drop.reason, 0) + 1
    kept = len(pairs.learnt)
    return Counts(
        taken=kept + sum(dropped.values()), kept=kept, dropped=dropped, made={"tokens": out.metrics["tokens"]}
    )
