"""The step ``training/export``: a model as others take it: weights, tokenizer, template, card, GGUF files, Modelfile.

Nothing leaves the machine. Everything that the card says is read off the artifacts that are given: the model's own
files, the tokens it was shown, the measures taken of it.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json, write_atomic
from gnomon.core.wording import say
from gnomon.llm.weights import read_ref, weights_of
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.export.card import Facts, card
from gnomon.training.export.gguf import QUANTS, About, write_gguf
from gnomon.training.export.modelfile import modelfile

MODEL, TOKENS, MEASURE = "model", "tokens", "measure:"
ADAPTER = "adapter"
_TAKEN = (".safetensors", ".json", ".jinja", ".model", ".txt")


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What is exported."""

    quants: tuple[str, ...] = ()
    """Kinds of GGUF files to write besides: ``f16``, ``q8_0``, ``q4_0``…"""
    languages: tuple[str, ...] = ("en",)
    """Languages the model reads, for its card."""
    purpose: str = ""
    """What it is for, in a sentence."""
    limits: str = ""
    """What it cannot do, in a sentence."""
    watts: float = 0.0
    """Power the machine drew while it was trained; 0 when not known."""


def run(config: ExportConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Export ``inputs["model"]``; ``inputs["tokens"]`` and ``inputs["measure:NAME"]`` tell its card more.

    Raises:
        ConfigError: A kind of file is not known.
        DataError: The model cannot be written as GGUF.
    """
    unknown = [quant for quant in config.quants if quant not in QUANTS]
    if unknown:
        raise ConfigError(
            say(f"There is no GGUF kind {unknown[0]!r}.", f"GGUF の種類 {unknown[0]!r} はない。"),
            say(f"Known: {', '.join(QUANTS)}.", f"候補: {'、'.join(QUANTS)}。"),
        )
    ref = read_ref(inputs[MODEL])
    source = Path(weights_of(inputs[MODEL], out.settings).name_or_folder)
    _copy(source, out.path)
    if (inputs[MODEL] / ADAPTER).is_dir():
        shutil.copytree(inputs[MODEL] / ADAPTER, out.path / ADAPTER, dirs_exist_ok=True)
    short = ref.name.rpartition("/")[2]
    out.meter.total(len(config.quants), "files")
    for quant in config.quants:
        path = out.path / f"{short}-{quant}.gguf"
        if not path.exists():
            write_gguf(source, path, quant, About(name=ref.name, licence=ref.licence, languages=config.languages))
        out.meter.advance(1)
    if config.quants:
        write_atomic(out.path / "Modelfile", modelfile(out.path, f"{short}-{config.quants[-1]}.gguf"))
    write_atomic(out.path / "README.md", card(_facts(config, inputs, out)))
    files = [path for path in out.path.rglob("*") if path.is_file()]
    return Counts(taken=len(files), kept=len(files))


def _copy(source: Path, target: Path) -> None:
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix in _TAKEN and not (target / file.name).exists():
            partial = target / f"{file.name}.partial"
            shutil.copyfile(file, partial)
            partial.rename(target / file.name)


def _facts(config: ExportConfig, inputs: Mapping[str, Path], out: Output) -> Facts:
    model, tokens, record = inputs[MODEL], inputs.get(TOKENS), out.records.get(MODEL)
    files = sorted((p.name, p.stat().st_size) for p in out.path.iterdir() if p.suffix in {".safetensors", ".gguf"})
    return Facts(
        ref=read_ref(model), languages=config.languages, purpose=config.purpose, limits=config.limits,
        duties=tuple((record.metrics if record else {}).get("duties", ())), files=files, watts=config.watts,
        sources=read_json(tokens / "pack.json")["sources"] if tokens else None,
        training=_json(model / "training.json"), merge=_json(model / "merge.json"),
        measures=[row for name, path in sorted(inputs.items()) if name.startswith(MEASURE)
                  for row in measures_of(path, read_ref(model).revision)],
        chats=(out.path / "chat_template.jinja").is_file(), seconds=record.seconds if record else 0.0,
    )  # fmt: skip


def _json(path: Path) -> dict[str, Any] | None:
    return read_json(path) if path.is_file() else None


def measures_of(artifact: Path, revision: str) -> list[tuple[str, str, str]]:
    """What an evaluation found about the model with that revision, one row a figure."""
    found = []
    perplexity = _json(artifact / "perplexity.json")
    if perplexity:
        names = [name for name, its in perplexity["models"].items() if its.get("ref", {}).get("revision") == revision]
        for test, its in perplexity["tests"].items():
            for name in names:
                value = its["models"][name]["perplexity"]
                found.append(("perplexity per token", test, _told(value, 2)))
    exam = _json(artifact / "exam.json")
    for arm in (exam or {}).get("arms", ()):
        if arm.get("revision") == revision and arm.get("accuracy") is not None:
            figure = {"value": arm["accuracy"], "low": arm["interval"][0], "high": arm["interval"][1], "n": arm["n"]}
            found.append((f"accuracy, {arm['name']}", str((exam or {}).get("items", "exam")), _told(figure, 3)))
    return found


def _told(value: Mapping[str, Any], digits: int) -> str:
    if value["value"] is None:
        return "not scored"
    whole = f"{value['value']:.{digits}f}"
    between = f" [{value['low']:.{digits}f}, {value['high']:.{digits}f}]" if value["low"] is not None else ""
    return f"{whole}{between} (n = {value['n']})"
