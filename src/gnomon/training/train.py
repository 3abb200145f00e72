"""The steps ``training/pretrain``, ``midtrain``, ``cpt`` and ``sft``: packed rows in, a model out.

*Pre-training* starts from a shape and chance, *mid-training* and *continued pre-training* from a model;
mid-training may lengthen the context first. *Supervised fine-tuning* is shown conversations and leaves a model that
chats. A killed step goes on from its last checkpoint, with the same curve and the same weights as if nothing had
happened.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.core.records import ModelRef
from gnomon.core.settings import TrainingPlace
from gnomon.core.wording import say
from gnomon.llm.hub import folder_revision
from gnomon.llm.templated import template_of
from gnomon.llm.weights import read_ref, weights_of, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.encoding import copy_tokenizer, open_tokenizer, tokenizer_folder
from gnomon.training.launch import launch
from gnomon.training.loop.job import Job
from gnomon.training.packed import PackedTokens
from gnomon.training.preflight import check_licences, check_run, with_inherited
from gnomon.training.recipe import TrainConfig
from gnomon.training.room import check_room
from gnomon.training.shapes import TokenIds, build


def run(config: TrainConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Train on the rows of ``inputs["tokens"]``, from ``inputs["model"]`` or from ``inputs["tokenizer"]`` and a shape.

    Raises:
        ConfigError: The start is missing, or does not fit the tokens.
        TrainingError: The loss is no number or leaps, or a checkpoint cannot be written.
        CorruptArtifact: A checkpoint is damaged.
    """
    tokens = PackedTokens(inputs["tokens"])
    folder = out.shards / "training"
    folder.mkdir(parents=True, exist_ok=True)
    start = _start(config, inputs, folder, out)
    duties = _refuse_what_must_fail(config, inputs, start, tokens, out)
    out.metrics["duties"] = with_inherited(duties, out.records)
    job = Job(
        config=config, place=out.settings.training, start=start, tokens=inputs["tokens"],
        folder=folder, logs=out.logs or folder / "logs", threads=out.settings.num_threads,
    )  # fmt: skip
    launch(job, out.meter)
    return _take_up(config, job, inputs, tokens, out)


def _refuse_what_must_fail(
    config: TrainConfig, inputs: Mapping[str, Path], start: Path, tokens: PackedTokens, out: Output
) -> tuple[str, ...]:
    """All that can be known to fail, before any long work; returns the duties that licences leave."""
    extended = config.extend.context if config.extend else 0
    check_run(start, tokens.folder, batch=config.batch, extended=extended, fresh="model" not in inputs)
    if config.chat:
        template_of(open_tokenizer(start))
    parent = read_ref(inputs["model"]) if "model" in inputs else None
    data = {
        f"{source}: {licence}": licence
        for source, facts in tokens.facts.get("sources", {}).items()
        for licence in facts["licences"]
    }
    parents = {parent.name: parent.licence} if parent else {}
    duties = check_licences(parents, data, name=config.name, licence=config.licence, use=config.use)
    place = out.settings.training
    device, ranks = _devices(place)
    check_room(config, place, start, tokens.context, device=device, ranks=ranks)
    return duties


def _devices(place: TrainingPlace) -> tuple[str, int]:
    """The kind of device, and how many of them share the weights as far as this machine can tell."""
    import torch

    devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    ranks = {"process": 1, "torchrun": place.processes * place.nodes, "accelerate": max(devices, place.processes)}
    return "cuda" if devices else "cpu", ranks.get(place.launcher, 1)


def _start(config: TrainConfig, inputs: Mapping[str, Path], folder: Path, out: Output) -> Path:
    """The folder of weights and tokenizer to start from; a fresh model is written once."""
    if "model" in inputs:
        return Path(weights_of(inputs["model"], out.settings).name_or_folder)
    if config.shape is None:
        raise ConfigError(
            say(f"training {config.name!r} has neither a model to continue nor a shape.",
                f"学習 {config.name!r} に、継続するモデルも形状もない。"),
            say("Give a shape (pretrain) or a model (cpt, midtrain).", "shape か model を指定する。"),
        )  # fmt: skip
    place = folder / "start"
    if not (place / "config.json").is_file():
        tokenizer = open_tokenizer(tokenizer_folder(inputs["tokenizer"]))
        ids = TokenIds(
            vocab_size=len(tokenizer), eos=tokenizer.eos_token_id, bos=tokenizer.bos_token_id,
            pad=tokenizer.pad_token_id,
        )  # fmt: skip
        partial = folder / "start.partial"
        copy_tokenizer(tokenizer_folder(inputs["tokenizer"]), partial)
        build(config.shape, ids, seed=config.seed).save_pretrained(partial)
        partial.rename(place)
    return place


def _take_up(config: TrainConfig, job: Job, inputs: Mapping[str, Path], tokens: PackedTokens, out: Output) -> Counts:
    """Make the result the artifact."""
    for found in sorted(job.result.iterdir()):
        target = out.path / found.name
        if target.is_dir():
            shutil.rmtree(target)
        found.replace(target)
    parent = read_ref(inputs["model"]) if "model" in inputs else None
    ref = ModelRef(
        name=config.name, revision=folder_revision(out.path / "model"), kind="instruct" if config.chat else "base",
        licence=config.licence or (parent.licence if parent else ""), parents=(parent.name,) if parent else (),
    )  # fmt: skip
    write_ref(out.path, ref)
    out.metrics |= read_json(out.path / "training.json")
    shown = min(len(tokens), out.metrics["steps"] * config.batch)
    dropped = {"beyond_last_step": len(tokens) - shown} if shown < len(tokens) else {}
    return Counts(taken=len(tokens), kept=shown, dropped=dropped, made={"tokens": out.metrics["tokens"]})
