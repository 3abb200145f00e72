"""The step ``training/export``: a model as others take it: weights, tokenizer, template, card, GGUF files, Modelfile.

Nothing leaves the machine. Everything that the card says is read off the artifacts that are given: the model's own
files, the tokens it was shown, the measures taken of it. With held-out documents every GGUF file is read back, and what
its quantisation costs is measured (``gguf.json``).
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.files import read_json, write_atomic, write_json
from gnomon.core.memory import kept_memory
from gnomon.core.records import ModelRef
from gnomon.llm.templated import template_in
from gnomon.llm.weights import read_ref, weights_of
from gnomon.runs.counts import NO_COUNTS, Counts
from gnomon.runs.output import Output
from gnomon.training.export.card import Facts, card
from gnomon.training.export.gguf import About, check_quants, write_gguf
from gnomon.training.export.measured import comparison, held_out, losses, told
from gnomon.training.export.modelfile import modelfile

MODEL, TOKENS, MEASURE, HELD_OUT = "model", "tokens", "measure:", "held_out"
MEASURED = "gguf.json"
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
    measured_documents: int = 64
    """Most held-out documents that the weights and every GGUF file are measured on."""
    measured_characters: int = 8_000
    """Characters read of each."""
    seed: int = 0
    """Of the choice of documents and of the bootstrap."""


def run(config: ExportConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Export ``inputs["model"]``; ``tokens`` (or ``tokens:STAGE`` of several) and ``measure:NAME`` tell its card more.

    GGUF files are measured on the documents of ``inputs["held_out"]``, where those are given.

    Raises:
        ConfigError: A kind of file is not known.
        DataError: The model cannot be written as GGUF, or there is no document to measure on.
    """
    check_quants(config.quants)
    ref = read_ref(inputs[MODEL])
    source = Path(weights_of(inputs[MODEL], out.settings).name_or_folder)
    _copy(source, out.path)
    if (inputs[MODEL] / ADAPTER).is_dir():
        shutil.copytree(inputs[MODEL] / ADAPTER, out.path / ADAPTER, dirs_exist_ok=True)
    names = _write_quants(config, source, ref, out)
    if names:
        write_atomic(out.path / "Modelfile", modelfile(out.path, names[-1]))
    if names and HELD_OUT in inputs:
        write_json(out.path / MEASURED, _measured(config, inputs[HELD_OUT], names, out))
    write_atomic(out.path / "README.md", card(_facts(config, inputs, out)))
    files = [path for path in out.path.rglob("*") if path.is_file()]
    return Counts(taken=len(files), kept=len(files))


def _write_quants(config: ExportConfig, source: Path, ref: ModelRef, out: Output) -> list[str]:
    """The names of the GGUF files, which are there when this returns."""
    short = ref.name.rpartition("/")[2]
    out.meter.total(len(config.quants), "files")
    for quant in config.quants:
        path = out.path / f"{short}-{quant}.gguf"
        if not path.exists():
            write_gguf(source, path, quant, About(name=ref.name, licence=ref.licence, languages=config.languages))
        out.meter.advance(1)
    return [f"{short}-{quant}.gguf" for quant in config.quants]


@kept_memory()
def _measured(config: ExportConfig, documents: Path, names: Sequence[str], out: Output) -> dict[str, Any]:
    """What every file costs against the weights as they are; a file that was measured is not measured again."""
    files = ["", *names]
    keys = [f"measured-{file or 'weights'}" for file in files]
    if list(out.pending(keys)):
        texts = held_out(documents, config.measured_documents, config.measured_characters, config.seed)
        out.meter.total(len(names) + len(keys), "files")  # those written before count too
        for key, file in zip(keys, files, strict=True):
            if list(out.pending([key])):
                out.done(key, NO_COUNTS, note=losses(out.path, file, texts).tolist())
            out.meter.advance(1)
    whole, *quantised = [np.array(rows) for rows in out.notes(keys)]
    weights = sum(path.stat().st_size for path in out.path.glob("*.safetensors"))
    about = {"documents": len(whole), "tokens": int(whole[:, 1].sum()), "bytes": weights}
    found = {
        name: {"bytes": (out.path / name).stat().st_size, **comparison(whole, rows, config.seed)}
        for name, rows in zip(names, quantised, strict=True)
    }
    out.metrics["gguf"] = {name: its["change_percent"] for name, its in found.items()}
    return about | {"perplexity": told(whole, config.seed), "files": found}


def _copy(source: Path, target: Path) -> None:
    for file in sorted(source.iterdir()):
        if file.is_file() and file.suffix in _TAKEN and not (target / file.name).exists():
            partial = target / f"{file.name}.partial"
            shutil.copyfile(file, partial)
            partial.rename(target / file.name)


def _facts(config: ExportConfig, inputs: Mapping[str, Path], out: Output) -> Facts:
    model, record = inputs[MODEL], out.records.get(MODEL)
    files = sorted((p.name, p.stat().st_size) for p in out.path.iterdir() if p.suffix in {".safetensors", ".gguf"})
    return Facts(
        ref=read_ref(model), languages=config.languages, purpose=config.purpose, limits=config.limits,
        duties=tuple((record.metrics if record else {}).get("duties", ())), files=files, watts=config.watts,
        sources=_sources(inputs),
        training=_json(model / "training.json"), merge=_json(model / "merge.json"),
        measures=[row for name, path in sorted(inputs.items()) if name.startswith(MEASURE)
                  for row in measures_of(path, read_ref(model))],
        quantised=_json(out.path / MEASURED), chats=bool(template_in(out.path)),
        seconds=record.seconds if record else 0.0,
    )  # fmt: skip


def _sources(inputs: Mapping[str, Path]) -> dict[str, Any]:
    """What every stage was shown, by source; with several stages each source says which."""
    found: dict[str, Any] = {}
    for name, artifact in sorted(inputs.items()):
        if name == TOKENS or name.startswith(f"{TOKENS}:"):
            stage = name.partition(":")[2]
            sources = read_json(artifact / "pack.json")["sources"]
            found |= {f"{source}, {stage}" if stage else source: its for source, its in sources.items()}
    return found


def _json(path: Path) -> dict[str, Any] | None:
    return read_json(path) if path.is_file() else None


def measures_of(artifact: Path, ref: ModelRef) -> list[tuple[str, str, str]]:
    """What an evaluation found about a model and its quantisations (``training/quantise``), one row a figure."""
    return [*_perplexities(_json(artifact / "perplexity.json"), ref), *_accuracies(_json(artifact / "exam.json"), ref)]


def _perplexities(facts: dict[str, Any] | None, ref: ModelRef) -> Iterator[tuple[str, str, str]]:
    for test, its in (facts or {"tests": {}})["tests"].items():
        for name, value in its["models"].items():
            which = _which((facts or {})["models"][name].get("ref"), ref)
            if which is not None:
                yield f"perplexity per token{which}", test, _told(value["perplexity"], 2)


def _accuracies(facts: dict[str, Any] | None, ref: ModelRef) -> Iterator[tuple[str, str, str]]:
    for paper, its in (facts or {"exams": {}})["exams"].items():
        for name, row in its["arms"].items():
            arm = (facts or {})["arms"][name]
            which = _which(arm.get("ref"), ref)
            if which is not None and row["accuracy"]:
                book = "open book" if arm["open_book"] else "closed book"
                yield f"accuracy, {arm['mode']}, {book}{which}", its.get("label") or paper, _told(row["accuracy"], 3)


def _which(measured: Mapping[str, Any] | None, ref: ModelRef) -> str | None:
    """Nothing for the model itself, its kind for one of its quantisations, None for another model."""
    if not measured:
        return None
    if measured.get("revision") == ref.revision:
        return ""
    name, _, quant = str(measured.get("name", "")).rpartition(":")
    return f", {quant}" if name == ref.name and tuple(measured.get("parents", ())) == (ref.name,) else None


def _told(value: Mapping[str, Any], digits: int) -> str:
    if value["value"] is None:
        return "not scored"
    whole = f"{value['value']:.{digits}f}"
    between = f" [{value['low']:.{digits}f}, {value['high']:.{digits}f}]" if value["low"] is not None else ""
    return f"{whole}{between} (n = {value['n']})"
