"""The step ``training/merge``: several models of one shape become one, weight by weight, through mergekit.

AstroSage takes 75 % of the tuned model and 25 % of an instruct model (arXiv 2411.09012), and gets back the manners
that tuning cost. *Linear* is the weighted mean (arXiv 2203.05482), *slerp* goes along the sphere between two models,
*TIES* (arXiv 2306.01708) and *DARE-TIES* (arXiv 2311.03099) add what each model changed against a common base, trimmed
or thinned out by chance. Everything is read from local files; tensors are read and written one by one, so memory stays
small.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError, MissingExtra
from gnomon.core.files import read_json, write_json
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.hub import folder_revision
from gnomon.llm.weights import MODEL_FOLDER, read_ref, weights_of, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.encoding import copy_tokenizer, tokenizer_revision
from gnomon.training.preflight import check_licences, with_inherited

PREFIX = "model:"
LINEAR, SLERP, TIES, DARE = "linear", "slerp", "ties", "dare_ties"
METHODS = (LINEAR, SLERP, TIES, DARE)
SHARD_PARAMETERS = 100_000_000
"""Parameters of one file of the result: what is held in memory before it is written."""
_COPIED = ("chat_template.jinja", "generation_config.json")


@dataclass(frozen=True, kw_only=True)
class MergeConfig:
    """What is merged, and how."""

    name: str
    """Name of the model that comes out."""
    weights: tuple[tuple[str, float], ...]
    """(input, weight) of each model; weights of a mean sum to 1. Slerp: the second's weight is how far to go to it."""
    method: str = LINEAR
    """``linear``, ``slerp``, ``ties`` or ``dare_ties``."""
    base: str = ""
    """Input against which changes are counted (``ties``, ``dare_ties``)."""
    density: float = 1.0
    """Share of each model's changes that is kept (``ties``, ``dare_ties``)."""
    speaker: str = ""
    """Input whose tokenizer and chat template the result carries; empty for the first that chats, else the first."""
    dtype: str = "bfloat16"
    """Of the arithmetic and the result: ``bfloat16``, ``float16`` or ``float32``."""
    seed: int = 0
    """Decides what DARE drops."""
    licence: str = ""
    """Licence the model is to carry; empty for its parents', where they agree."""
    use: str = "research"
    """What it is for: ``research`` or ``commercial``; licences are held against it."""

    def __post_init__(self) -> None:
        for problem, wrong in _problems(self).items():
            if wrong:
                raise ConfigError(
                    say(f"merge {self.name!r}: {problem}.", f"マージ {self.name!r} の設定: {problem}。"),
                    say("Mend the recipe.", "レシピを直す。"),
                )


def _problems(config: MergeConfig) -> dict[str, bool]:
    names = [name for name, _ in config.weights]
    total = sum(weight for _, weight in config.weights)
    against = config.method in {TIES, DARE}
    return {
        f"method {config.method!r}, known are {', '.join(METHODS)}": config.method not in METHODS,
        f"models {names}: at least two, each once": len(names) < 2 or len(set(names)) < len(names),
        f"{len(names)} models for slerp, which takes two": config.method == SLERP and len(names) != 2,
        f"weights sum to {total:g}, not 1": config.method in {LINEAR, SLERP} and abs(total - 1) > 1e-6,
        f"{config.method} needs a base": against and not config.base,
        f"density {config.density}: above 0, to 1": not 0 < config.density <= 1,
        f"dtype {config.dtype!r}": config.dtype not in {"bfloat16", "float16", "float32"},
    }


def run(config: MergeConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Merge the models of ``inputs["model:NAME"]``.

    Raises:
        ConfigError: A model is missing, licences forbid it, or tokenizers differ.
        DataError: The models have different shapes.
        MissingExtra: mergekit is not installed.
    """
    refs, folders = {}, {}
    for name in _names(config, inputs):
        refs[name] = read_ref(inputs[PREFIX + name])
        folders[name] = Path(weights_of(inputs[PREFIX + name], out.settings).name_or_folder)
    _check_same(folders)
    parents = {ref.name: ref.licence for ref in refs.values()}
    duties = check_licences(parents, {}, name=config.name, licence=config.licence, use=config.use)
    out.metrics["duties"] = with_inherited(duties, out.records)
    plan = recipe_of(config, {name: str(folder) for name, folder in folders.items()})
    partial = out.shards / "merged"
    shutil.rmtree(partial, ignore_errors=True)
    merge(plan, partial, config.seed, out.settings)
    speaker = config.speaker or _speaker(config, folders)
    _dress(partial, folders[speaker])
    target = out.path / MODEL_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    write_json(out.path / "merge.json", recipe_of(config, {name: ref.name for name, ref in refs.items()}))
    licences = set(parents.values())
    write_ref(out.path, ModelRef(
        name=config.name, revision=folder_revision(target), kind=refs[speaker].kind,
        licence=config.licence or (licences.pop() if len(licences) == 1 else ""), parents=tuple(parents),
    ))  # fmt: skip
    return Counts(taken=len(refs), kept=len(refs))


def _names(config: MergeConfig, inputs: Mapping[str, Path]) -> list[str]:
    """The models that take part, the base too."""
    names = list(dict.fromkeys([*(name for name, _ in config.weights), *([config.base] if config.base else [])]))
    wanted = {PREFIX + name for name in names}
    if set(inputs) != wanted or (config.speaker and config.speaker not in names):
        raise ConfigError(
            say(f"merge {config.name!r}: models {sorted(inputs)}, wanted {sorted(wanted)}, speaker {config.speaker!r}.",
                f"マージ {config.name!r}: モデル {sorted(inputs)}、必要 {sorted(wanted)}、話者 {config.speaker!r}。"),
            say("Every weight and the base name an input, and every input is named.",
                "重みと base は入力に対応し、すべての入力が使われる。"),
        )  # fmt: skip
    return names


_SHAPE = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
          "intermediate_size", "vocab_size", "tie_word_embeddings")  # fmt: skip


def _check_same(folders: Mapping[str, Path]) -> None:
    """Models of one shape, and tokens that mean the same: else a mean of weights means nothing."""
    shapes = {name: {key: read_json(f / "config.json").get(key) for key in _SHAPE} for name, f in folders.items()}
    tokenizers = {name: tokenizer_revision(folder) for name, folder in folders.items()}
    first, *others = folders
    for other in others:
        differ = [f"{key} {shapes[first][key]} / {shapes[other][key]}" for key in _SHAPE
                  if shapes[first][key] != shapes[other][key]]  # fmt: skip
        if differ or tokenizers[first] != tokenizers[other]:
            why = ", ".join(differ) or say("their tokenizers differ", "トークナイザーが異なる")
            raise DataError(
                say(f"{first!r} and {other!r} cannot be merged: {why}.",
                    f"{first!r} と {other!r} はマージできない: {why}。"),
                say("Merge models that were made from one base.", "同じベースから作ったモデルをマージする。"),
            )  # fmt: skip


def _speaker(config: MergeConfig, folders: Mapping[str, Path]) -> str:
    names = [name for name, _ in config.weights]
    return next((name for name in names if (folders[name] / _COPIED[0]).is_file()), names[0])


def recipe_of(config: MergeConfig, places: Mapping[str, str]) -> dict[str, Any]:
    """The merge as a mergekit configuration, which ``mergekit-yaml`` reads too.

    Args:
        config: What is merged.
        places: A folder or a name of each model.
    """
    against = config.method in {TIES, DARE}
    shared = {"density": config.density} if against else {}
    models = [{"model": places[name], "parameters": {"weight": weight, **shared}} for name, weight in config.weights]
    found: dict[str, Any] = {"merge_method": config.method, "models": models, "dtype": config.dtype}
    if against:
        return found | {"base_model": places[config.base], "parameters": {"normalize": True}}
    if config.method == SLERP:
        (start, _), (_, share) = config.weights
        plain = [{"model": places[name]} for name, _ in config.weights]
        return found | {"models": plain, "base_model": places[start], "parameters": {"t": share}}
    return found | {"parameters": {"normalize": False}}


def merge(plan: Mapping[str, Any], folder: Path, seed: int, settings: Settings) -> None:
    """Run a mergekit configuration, offline, without the model card that would ask the hub.

    Raises:
        MissingExtra: mergekit is not installed.
        DataError: mergekit knows no such architecture, or the files do not fit.
    """
    try:
        from mergekit.config import MergeConfiguration
        from mergekit.merge import run_merge
        from mergekit.options import MergeOptions
    except ImportError as error:
        raise MissingExtra("mergekit", "merge", say("Merging models", "モデルのマージ")) from error
    options = MergeOptions(
        copy_tokenizer=False, write_model_card=False, quiet=True, random_seed=seed, lazy_unpickle=True,
        out_shard_size=SHARD_PARAMETERS, num_threads=settings.num_threads,
    )  # fmt: skip
    with _quietly(str(folder)):
        run_merge(MergeConfiguration.model_validate(dict(plan)), str(folder), options)


@contextmanager
def _quietly(where: str) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (RuntimeError, ValueError, KeyError, OSError, SafetensorError) as error:
        raise DataError(
            say(f"The models cannot be merged into {where}: {error}.", f"{where} へマージできない: {error}。"),
            say("Are they whole, and of an architecture that mergekit knows?",
                "重みが揃い、mergekit が対応する構造か確かめる。"),
        ) from error  # fmt: skip


def _dress(folder: Path, speaker: Path) -> None:
    """Give the merged weights a tokenizer, a template and the ends of a turn."""
    copy_tokenizer(speaker, folder)
    for name in _COPIED:
        if (speaker / name).is_file():
            shutil.copyfile(speaker / name, folder / name)
