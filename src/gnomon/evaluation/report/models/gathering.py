"""The facts about the models of a build: pedigree, what they were shown, how they were trained, what was measured.

Steps are known by what they leave behind (``model.json``, ``pack.json``, ``perplexity.json``…), not by the names a
recipe gives them, so every recipe can hand over all it made. Without such a step there are no facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.evaluation.report.models.answered import conversation, cost, open_questions
from gnomon.evaluation.report.models.curves import thinned
from gnomon.evaluation.report.models.examined import exam
from gnomon.evaluation.report.models.measured import completion, embedding, perplexity
from gnomon.evaluation.report.models.pedigree import Found, lineage, parameters
from gnomon.runs.record import Record

MODEL, PACK, TOKENIZER = "model.json", "pack.json", "tokenizer"
MEASURES = {kind: f"{kind}.json" for kind in ("perplexity", "embedding", "completion", "exam", "open", "cost")}
MEASURES["conversation"] = "chat.json"
PREFIX = "model:"
ROOMS = ("training/", "evaluation/")
SETTINGS = (
    "learning_rate", "schedule", "warmup", "decay", "final", "batch", "betas", "weight_decay", "clip", "precision",
    "saved_precision", "lora", "extend", "frozen", "window", "seed",
)  # fmt: skip
"""Settings of training that are shown, in this order, where a step has them."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How much of the models is shown."""

    points: int = 240
    """Points of a curve."""
    pairs: int = 3
    """Pairs of documents for every two systems and direction."""
    examples: int = 4
    """Texts continued side by side."""


def gather_models(
    inputs: Mapping[str, Path], records: Mapping[str, Record], shown: Shown = Shown()
) -> dict[str, Any] | None:
    """The facts about models; None where no step made or measured one.

    Args:
        inputs: Artifacts by name.
        records: Their records by the same names.
        shown: How much is shown.
    """
    names = _once(inputs, records)
    made = {kind: _holding(inputs, names, file) for kind, file in {"model": MODEL, "tokens": PACK, **MEASURES}.items()}
    if not any(made.values()):
        return None
    found: dict[str, Any] = {
        "perplexity": [{"step": n, **perplexity(inputs[n])} for n in made["perplexity"]],
        "embedding": [{"step": n, **embedding(inputs[n], shown.pairs)} for n in made["embedding"]],
        "completion": [{"step": n, **completion(inputs[n], shown.examples)} for n in made["completion"]],
        "exam": [{"step": n, **exam(inputs[n])} for n in made["exam"]],
        "open": [{"step": n, **open_questions(inputs[n])} for n in made["open"]],
        "conversation": [{"step": n, **conversation(inputs[n])} for n in made["conversation"]],
        "cost": [{"step": n, **cost(inputs[n])} for n in made["cost"]],
    }
    measured = _measured(found)
    models = [Found(name=n, folder=inputs[n], record=records.get(n)) for n in made["model"]]
    pedigree = lineage([_model(model, measured) for model in models], measured)
    tokens = [_tokens(n, inputs[n], records.get(n), pedigree) for n in made["tokens"]]
    trained = [model for model in models if (model.folder / "curve.parquet").is_file()]
    return {
        "roles": _roles(found, pedigree),
        "pedigree": pedigree,
        "tokens": sorted(tokens, key=lambda row: min([_place(pedigree, u) for u in row["used_by"]] or [99])),
        "fertility": _fertility(inputs, names, records, measured),
        "curves": sorted(
            ({"model": _role(m, measured), **thinned(m.folder / "curve.parquet", shown.points)} for m in trained),
            key=lambda row: _place(pedigree, row["model"]),
        ),
        **found,
        "contamination": _contamination(names, records),
        "steps": [_step(n, records[n]) for n in names if n in records and records[n].name.startswith(ROOMS)],
    }


def _once(inputs: Mapping[str, Path], records: Mapping[str, Record]) -> list[str]:
    """Names of the inputs, sorted, each artifact once."""
    seen: dict[str, str] = {}
    for name in sorted(inputs):
        seen.setdefault(records[name].address if name in records else str(inputs[name]), name)
    return list(seen.values())


def _holding(inputs: Mapping[str, Path], names: Sequence[str], file: str) -> list[str]:
    return [name for name in names if (inputs[name] / file).is_file()]


# Models --------------------------------------------------------------------------------------


def _measured(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The models that were measured, in the order of their tables, each once."""
    models: dict[str, dict[str, Any]] = {}
    for facts in (facts for kind in MEASURES for facts in found[kind]):
        for model in facts["models"]:
            models.setdefault(model["name"], model)
    return list(models.values())


def _role(model: Found, measured: Sequence[Mapping[str, Any]]) -> str:
    """The name under which a model was measured, else that of the step."""
    own = model.name.removeprefix(PREFIX)
    ref = read_json(model.folder / MODEL)
    same = [row["name"] for row in measured if row["ref"] and _is(row["ref"], ref)]
    if same:
        return own if own in same else str(same[0])
    taken = any(row["name"] == own for row in measured)
    return f"{own} ({ref['name']})" if taken else own


def _is(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one.get("name"), one.get("revision")) == (other.get("name"), other.get("revision"))


def _model(model: Found, measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    record, ref = model.record, read_json(model.folder / MODEL)
    config: Mapping[str, Any] = record.config if record is not None else {}
    metrics: Mapping[str, Any] = record.metrics if record is not None else {}
    stage = record.name.removeprefix("training/") if record is not None else ""
    trained = read_json(model.folder / "training.json") if (model.folder / "training.json").is_file() else {}
    return {
        "model": _role(model, measured), "step": model.name, "stage": stage, "ref": ref,
        "address": record.address if record is not None else "",
        "inputs": dict(record.inputs) if record is not None else {},
        "parameters": metrics.get("model", {}).get("parameters") or parameters(model.folder / "model"),
        "settings": {name: config[name] for name in SETTINGS if config.get(name) not in (None, "")},
        "trained": {name: trained[name] for name in ("steps", "tokens", "context", "loss") if name in trained},
        "trial": metrics.get("trial"), "adopted": metrics.get("adopted"),
        "duties": list(metrics.get("duties", ())), "note": metrics.get("licence", {}).get("note", ""),
    }  # fmt: skip


def _roles(found: Mapping[str, Any], pedigree: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Every model that is spoken of, with the part it plays: those measured, then the rest of the pedigree."""
    roles = {row["name"]: {key: row[key] for key in ("name", "kind", "label")} for row in _measured(found)}
    for row in pedigree:
        roles.setdefault(row["model"], {"name": row["model"], "kind": "", "label": row["model"]})
    return list(roles.values())


def _place(pedigree: Sequence[Mapping[str, Any]], name: str) -> int:
    return next((at for at, row in enumerate(pedigree) if row["model"] == name), len(pedigree))


# What they were shown ------------------------------------------------------------------------


def _tokens(name: str, folder: Path, record: Record | None, pedigree: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pack = read_json(folder / PACK)
    whole = pack["tokens"] or 1
    sources = [
        {"name": source, "tokens": facts["tokens"], "share": facts["tokens"] / whole, "repeats": facts["repeats"],
         "documents": facts["documents"],
         "licences": sorted(facts["licences"].items(), key=lambda pair: (-pair[1], pair[0]))}
        for source, facts in pack["sources"].items()
    ]  # fmt: skip
    address = record.address if record is not None else ""
    return {
        "name": name, "identity": record.identity if record is not None else "",
        "used_by": [row["model"] for row in pedigree if address and address in row["inputs"].values()],
        "sources": sorted(sources, key=lambda row: (-row["tokens"], row["name"])),
        **{key: pack[key] for key in ("tokens", "targets", "sequences", "context", "fill", "vocab_size", "seed")},
        "dropped": dict(sorted(record.counts.dropped.items())) if record is not None else {},
    }  # fmt: skip


def _fertility(
    inputs: Mapping[str, Path], names: Sequence[str], records: Mapping[str, Record], measured: Sequence[Any]
) -> list[dict[str, Any]]:
    """How many tokens the vocabularies spend on a word and on a byte, by source."""
    rows = []
    for name in names:
        facts = records[name].metrics.get("fertility") if name in records else None
        if not facts or not any((inputs[name] / file).exists() for file in (MODEL, TOKENIZER)):
            continue
        model = Found(name=name, folder=inputs[name], record=records[name])
        own = _role(model, measured) if (inputs[name] / MODEL).is_file() else name
        for source, cell in sorted(facts["sources"].items()):
            kept = {key: cell[key] for key in ("tokens_per_word", "tokens_per_character", "tokens_per_byte", "n")}
            rows.append({"of": own, "vocabulary": facts["vocabulary"], "source": source, **kept})
    return rows


def _contamination(names: Sequence[str], records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """What each ``corpus/decontaminate`` looked for and kept from models."""
    rows = []
    for name in names:
        record = records.get(name)
        if record is not None and record.name == "corpus/decontaminate":
            counts = record.counts
            items, leaked = record.metrics.get("items", 0), record.metrics.get("items_leaked")
            rows.append(
                {"step": name, "items": items, "leaked": leaked, "taken": counts.taken, "kept": counts.kept,
                 "withheld": sum(counts.dropped.values())}
            )  # fmt: skip
    return rows


def _step(name: str, record: Record) -> dict[str, Any]:
    counts = record.counts
    return {
        "name": name, "step": record.name, "identity": record.identity, "taken": counts.taken, "kept": counts.kept,
        "made": dict(sorted(counts.made.items())),
    }  # fmt: skip
