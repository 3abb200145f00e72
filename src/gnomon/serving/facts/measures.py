"""What was measured of models besides exams: perplexity (gain and forgetting) and embeddings."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gnomon.evaluation.report.models.gain import PER_BYTE, change
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.exam import Figure, figure
from gnomon.serving.facts.gathered import report_facts


class Predicted(Frozen):
    """How well a model predicts the texts of a test set."""

    model: str = Field(description="The model.")
    perplexity: Figure | None = Field(description="A token; lower is better.")
    bits_per_byte: Figure | None = Field(description="The same for any tokenizer.")
    change_percent: Figure | None = Field(
        description="Against the reference, on the same documents; negative is better."
    )
    per_byte: bool = Field(description="Whether the change is one of bits a byte, because the tokenizers differ.")
    unscored: int = Field(description="Documents whose score was no number.")


class TestSet(Frozen):
    """Documents that no model was trained on."""

    name: str = Field(description="The test set.")
    label: str = Field(description="What it is called.")
    kind: str = Field(description="`domain` shows what was gained, `general` what was forgotten.")
    documents: int = Field(description="Documents.")
    bytes: int = Field(description="Their bytes.")
    models: tuple[Predicted, ...] = Field(description="The models.")


class Perplexity(Frozen):
    """One measurement of perplexity."""

    role: str = Field(description="Its role in the expert.")
    reference: str = Field(description="The model that changes are against.")
    tests: tuple[TestSet, ...] = Field(description="The test sets.")


class Embedder(Frozen):
    """How a system sees documents from inside."""

    system: str = Field(description="A model, or the general embedder.")
    mean: Figure | None = Field(description="Mean cosine similarity of two documents.")
    spread: Figure | None = Field(description="Standard deviation of the similarities.")
    agreement: Figure | None = Field(description="Correlation with the general embedder's similarities.")
    probe: Figure | None = Field(description="Accuracy of telling subjects by nearest neighbours.")
    macro_f1: Figure | None = Field(description="The same, every subject counting alike.")


class Embedding(Frozen):
    """One comparison of embeddings."""

    role: str = Field(description="Its role in the expert.")
    documents: int = Field(description="Documents.")
    pairs: int = Field(description="Pairs of them.")
    subjects: int = Field(description="Documents that subjects were told of.")
    systems: tuple[Embedder, ...] = Field(description="The systems.")


def perplexities(opened: OpenExpert) -> tuple[Perplexity, ...]:
    """Every measurement of perplexity of an expert."""
    rows = _model_facts(opened).get("perplexity", ())
    return tuple(
        Perplexity(role=row["step"], reference=row["reference"],
                   tests=tuple(_test(test, row["reference"]) for test in row["tests"]))
        for row in rows
    )  # fmt: skip


def embeddings(opened: OpenExpert) -> tuple[Embedding, ...]:
    """Every comparison of embeddings of an expert."""
    return tuple(_embedding(row) for row in _model_facts(opened).get("embedding", ()))


def _model_facts(opened: OpenExpert) -> Mapping[str, Any]:
    found: Mapping[str, Any] = report_facts(opened).get("model") or {}
    return found


def _test(test: Mapping[str, Any], reference: str) -> TestSet:
    about = {key: test[key] for key in ("name", "label", "kind", "documents", "bytes")}
    return TestSet(**about, models=tuple(_predicted(row, test, reference) for row in test["models"]))


def _predicted(row: Mapping[str, Any], test: Mapping[str, Any], reference: str) -> Predicted:
    changed = change(test, row["model"], reference)
    return Predicted(
        model=row["model"], perplexity=figure(row["perplexity"]), bits_per_byte=figure(row["bits_per_byte"]),
        change_percent=figure(changed), per_byte=changed is not None and changed["unit"] == PER_BYTE,
        unscored=row["unscored"],
    )  # fmt: skip


def _embedding(row: Mapping[str, Any]) -> Embedding:
    probes = {probe["system"]: probe for probe in row["subjects"]["systems"]}
    systems = (_embedder(one, probes.get(one["system"], {})) for one in row["similarity"]["systems"])
    return Embedding(
        role=row["step"], documents=row["documents"]["n"], pairs=row["similarity"]["pairs"],
        subjects=row["subjects"]["n"], systems=tuple(systems),
    )  # fmt: skip


def _embedder(one: Mapping[str, Any], probe: Mapping[str, Any]) -> Embedder:
    return Embedder(
        system=one["system"], mean=figure(one["mean"]), spread=figure(one["spread"]),
        agreement=figure(one["correlation_with_general"]), probe=figure(probe.get("accuracy")),
        macro_f1=figure(probe.get("macro_f1")),
    )  # fmt: skip
