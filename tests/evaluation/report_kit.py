"""A small build with models for the tests of the report: real steps over models without weights, real formats."""

import math
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from evaluation_kit import ByteModel, Parrot, WordModel, document, documents, output

from gnomon.core.files import read_json, write_json
from gnomon.core.records import Document, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.evaluation import completion, perplexity
from gnomon.evaluation.embedding import step as embedding
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import role_of
from gnomon.llm.fakes import HashEmbedder
from gnomon.llm.weights import read_ref, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.record import Record
from gnomon.training.curve import CurveRow

SUBJECTS = {
    "astro-ph.GA": "galaxies discs bulges haloes gas clusters metallicity",
    "astro-ph.SR": "stars winds flares coronae rotation oscillations dwarfs",
    "astro-ph.CO": "voids lensing power spectrum expansion clusters redshift",
    "astro-ph.EP": "planets transits orbits comets atmospheres discs dust",
}
VERBS = "trace show follow resemble exceed precede outshine outlive".split()
LIKED = {"base": "", "specialised": "ceg", "control": "tdr"}
BLIND = {"base": ["we", "the", "and", "that"], "specialised": []}
SAYS = {
    "base": "We find that the the sample is small and we find that the sample is small in 12 fields.",
    "specialised": "We measure the rotation of 40 discs and find that haloes outlive their gas by 2 billion years.",
    "control": "The garden was quiet and they walked along the river for 3 days.",
}
NAMES = ("base", "specialised", "control")


def load_bytes(artifact: Path, settings: Settings, **how: Any) -> ByteModel:
    model = ByteModel(**read_json(artifact / "bytes.json"))
    model.ref = read_ref(artifact)
    return model


def load_words(artifact: Path, settings: Settings, **how: Any) -> WordModel:
    model = WordModel(**read_json(artifact / "words.json"))
    model.ref = read_ref(artifact)
    return model


def load_parrot(artifact: Path, settings: Settings, **how: Any) -> Parrot:
    model = Parrot(**read_json(artifact / "parrot.json"))
    model.ref = read_ref(artifact)
    return model


def load_embedder(ref: ModelRef, settings: Settings) -> HashEmbedder:
    return HashEmbedder(48)


def papers(n: int, seed: int, domain: bool = True) -> list[Document]:
    """Short texts over a few subjects, or plain ones."""
    rng, made = Random(seed), []
    for i in range(n):
        subject = sorted(SUBJECTS)[i % len(SUBJECTS)]
        words = SUBJECTS[subject].split() if domain else "gardens rivers letters houses quiet evening roads".split()
        told = "We see that {} {} {} in {} cases." if domain else "A man said of {}: they {} our {} until {}."
        sentences = [
            told.format(rng.choice(words), rng.choice(VERBS), rng.choice(words), rng.randint(2, 90))
            for _ in range(rng.randint(4, 9))
        ]
        about: dict[str, Any] = {"year": 2001 + i % 4, "categories": (subject,)} if domain else {}
        made.append(document(f"local:{seed}-{i}", " ".join(sentences), title=f"On {rng.choice(words)} {i}", **about))
    return made


def build(folder: Path, n: int = 24, steps: int = 40) -> tuple[dict[str, Path], dict[str, Record]]:
    """The artifacts of a specialised model beside its base and control, with their records."""
    made = {name: _model(folder / name, name, steps) for name in NAMES}
    packs = {"tokens": {"domain": 90_000, "general": 10_000}, "control_tokens": {"general": 100_000}}
    made |= {name: _pack(folder / name, sources) for name, sources in packs.items()}
    held = documents(folder / "held", papers(n, 1))
    general = documents(folder / "aside", papers(n, 2, domain=False))
    models = {f"model:{name}": made[name] for name in NAMES}
    made["perplexity"] = _perplexity(folder / "p", models, held, general)
    made["embedding"] = _embedding(folder / "e", models, held)
    made["completion"] = _completion(folder / "c", models, held)
    return made, {name: _record(name, place) for name, place in made.items()}


def _model(folder: Path, name: str, steps: int) -> Path:
    parents = () if name == "base" else ("toy/base",)
    write_ref(
        folder,
        ModelRef(name=f"toy/{name}", revision=f"sha256:{name}", kind="base", licence="Apache-2.0", parents=parents),
    )
    write_json(folder / "bytes.json", {"liked": LIKED[name]})
    write_json(folder / "words.json", {"blind": BLIND.get(name, [])})
    write_json(folder / "parrot.json", {"says": SAYS[name]})
    if parents:
        rng, floor = Random(name), {"specialised": 3.1, "control": 3.4}[name]
        rows = [
            CurveRow(
                step=i, tokens=i * 2_500, loss=floor + 1.4 * math.exp(-6 * i / steps) + rng.gauss(0, 0.05),
                learning_rate=1e-3 * min(1.0, i / (0.05 * steps)) * (0.55 + 0.45 * math.cos(math.pi * i / steps)),
                gradient_norm=0.4 + 3 * math.exp(-9 * i / steps) + abs(rng.gauss(0, 0.1)),
            )
            for i in range(1, steps + 1)
        ]  # fmt: skip
        write_table(folder / "curve.parquet", CurveRow, rows)
        trained = {
            "sequences_per_step": 8,
            "steps": steps,
            "context": 512,
            "tokens": steps * 2_500,
            "loss": rows[-1].loss,
        }
        write_json(folder / "training.json", trained)
    return folder


def _pack(folder: Path, sources: Mapping[str, int]) -> Path:
    licences = {"domain": {"CC0-1.0": 20, "": 4}, "general": {"CC0-1.0": 12}}
    write_json(folder / "pack.json", {
        "dtype": "uint16", "context": 512, "sequences": 200, "vocab_size": 8192, "bos": 0, "eos": 1, "pad": 2,
        "tokens": sum(sources.values()), "targets": sum(sources.values()) - 30, "context_tokens": 0, "pieces": 210,
        "fill": 0.97, "method": "best-fit", "seed": 0, "tokenizer": "b2:0", "rows_of_file": [200],
        "sources": {
            name: {"tokens": tokens, "tokens_once": 40_000, "repeats": tokens / 40_000, "repeats_wanted": tokens / 40_000,
                   "documents": sum(licences[name].values()), "licences": licences[name]}
            for name, tokens in sources.items()
        },
    })  # fmt: skip
    return folder


def _record(name: str, place: Path) -> Record:
    """A record as the step would have left it, as far as the report reads it."""
    training = {"base": "adopt", "tokens": "pack", "control_tokens": "pack", "specialised": "cpt", "control": "cpt"}
    metrics: dict[str, Any] = {}
    config: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    if name in {"specialised", "control"}:
        tokens = "tokens" if name == "specialised" else "control_tokens"
        inputs = {"model": f"training/adopt/{_identity('base')}", "tokens": f"training/pack/{_identity(tokens)}"}
        config = {"learning_rate": 1e-3, "schedule": "cosine", "batch": 8, "warmup": 0.05, "seed": 0, "lora": None}
        metrics = {"duties": ["domain (CC-BY-4.0): name its makers"]}
    if name == "base":
        cell = {"n": 24, "tokens": 2_400, "bytes": 9_600, "vocabulary_used": 0.3, "tokens_per_character": None,
                "tokens_per_byte": {"value": 0.25, "low": 0.24, "high": 0.26, "n": 24},
                "tokens_per_word": {"value": 1.42, "low": 1.39, "high": 1.45, "n": 24}}  # fmt: skip
        metrics = {
            "model": {"parameters": 5_192_544, "context": 1024, "model_type": "llama", "vocabulary": 8192},
            "licence": {"name": "Apache-2.0", "from": "card", "note": ""},
            "fertility": {"vocabulary": 8192, "all": cell, "sources": {"domain": cell}, "languages": {}, "fields": {}},
        }
    return Record(
        name=f"training/{training[name]}" if name in training else f"evaluation/{name}", identity=_identity(name),
        version=1, entry="x:y", entry_hash="", config=config, inputs=inputs, sources={}, metrics=metrics, files=(),
        counts=Counts(taken=4, kept=4),
    )  # fmt: skip


def _identity(name: str) -> str:
    return (name.encode().hex() * 4)[:32]


# Measures, by the steps themselves -----------------------------------------------------------


def _perplexity(folder: Path, models: Mapping[str, Path], held: Path, general: Path) -> Path:
    tests = (TestSet(name="by_hash"), TestSet(name="general", kind="general"))
    config = perplexity.PerplexityConfig(
        models=tuple(map(role_of, NAMES)), tests=tests, loader="report_kit:load_bytes", draws=200, smallest_group=3
    )
    out = output(folder)
    perplexity.run(config, {**models, "documents:by_hash": held, "documents:general": general}, out)
    return out.path


def _embedding(folder: Path, models: Mapping[str, Path], held: Path) -> Path:
    config = embedding.EmbeddingConfig(
        models=tuple(map(role_of, NAMES[:2])), documents=TestSet(name="held_out"), embedder=ModelRef(name="hash"),
        loader="report_kit:load_words", embedder_loader="report_kit:load_embedder", draws=100, smallest_subject=5,
        disagreements=2,
    )  # fmt: skip
    out = output(folder)
    embedding.run(config, {**models, "documents:held_out": held}, out)
    return out.path


def _completion(folder: Path, models: Mapping[str, Path], held: Path) -> Path:
    config = completion.CompletionConfig(
        models=tuple(map(role_of, NAMES)), documents=TestSet(name="held_out"), loader="report_kit:load_parrot", draws=100,
        max_documents=6, least_ending=5,
    )  # fmt: skip
    out = output(folder)
    completion.run(config, {**models, "documents:held_out": held}, out)
    return out.path
