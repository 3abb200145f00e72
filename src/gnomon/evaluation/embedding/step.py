"""The step ``evaluation/embedding``: what changed inside a model when it learned a field.

AstroLLaMA's figure (arXiv 2309.06126, section 3) with base, specialised and a *general embedder*, and beside
it what a histogram cannot show: whether the vectors find what a paper cites, and whether they
tell its subject. Everything is in ``embedding.json``; rows behind it in the Parquet files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json, write_json
from gnomon.core.protocols import Vectors
from gnomon.core.records import Drop, ModelRef
from gnomon.core.tables import TableWriter, write_table
from gnomon.core.wording import say
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.embedding.encode import System, embedder_system, encode_all, model_system, vectors_of
from gnomon.evaluation.embedding.probe import Prediction, subject_figures
from gnomon.evaluation.embedding.retrieval import QueryScore, query_scores, retrieval_figures
from gnomon.evaluation.embedding.similarity import count, disagreements, extents, figures
from gnomon.evaluation.embedding.texts import (
    RetrievalSet,
    Texts,
    document_texts,
    passage_texts,
    query_texts,
    read_retrieval,
)
from gnomon.evaluation.heldout import Choice, TestSet, choose
from gnomon.evaluation.roles import LOCAL, Role, check_roles, facts_of
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet

FACTS, PAIRS = "embedding.json", "embedding_pairs.parquet"
QUERIES, SUBJECTS, DROPS = "embedding_queries.parquet", "embedding_subjects.parquet", "drops.parquet"
RETRIEVAL = "retrieval"


@dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """Settings of the step."""

    models: tuple[Role, ...]
    """The language models, in the order of the tables."""
    documents: TestSet
    """The documents whose pairs are compared and whose subjects are probed."""
    embedder: ModelRef
    """The general embedder."""
    embedder_name: str = "embedder"
    """Its name in the tables."""
    reference: str = "base"
    """The model that the others are compared with."""
    max_documents: int = 10_000
    """Most documents, chosen by seed; 0 takes all."""
    max_tokens: int = 512
    """Tokens a language model reads of a text; 0 reads what its context holds."""
    disagreements: int = 5
    """Pairs shown for every two systems and direction."""
    smallest_subject: int = 30
    """Documents a subject needs to be probed."""
    query_field: str = "title"
    """What of a query is asked: ``title`` or ``text``."""
    apart: str = "astro-ph"
    """Beginning of the category codes of queries that are shown apart."""
    seed: int = 0
    """Of the choice, the division and the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    shard: int = 256
    """Texts between two savings."""
    dtype: str = "float32"
    """Precision of the language models."""
    loader: str = LOCAL
    """Entry of a function ``(artifact, Settings, *, dtype)`` whose result has ``ref`` and ``hidden_means``."""
    embedder_loader: str = "gnomon.llm.embedders:load_embedder"
    """Entry of a function ``(ModelRef, Settings) -> Embedder``."""

    def __post_init__(self) -> None:
        check_roles(self.models, self.reference, "embedding")
        if self.embedder_name in {role.name for role in self.models}:
            raise ConfigError(
                f"embedding: embedder_name = {self.embedder_name!r} is a model's name too.", "Give another name."
            )
        if self.query_field not in {"title", "text"}:
            raise ConfigError(f"embedding: query_field = {self.query_field!r}.", "Use title or text.")
        least = {"max_documents": 0, "max_tokens": 0, "disagreements": 0, "smallest_subject": 5, "draws": 1, "shard": 1}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise ConfigError(f"embedding: {name} = {getattr(self, name)}.", f"Give at least {number}.")


def run(config: EmbeddingConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Make every system's vectors, and compare them.

    Args:
        config: What is compared.
        inputs: ``model:NAME`` for every model, ``documents:NAME``, and ``retrieval`` (a listing of files) or not.
        out: Receives ``embedding.json``, the rows behind it, and ``drops.parquet``.

    Raises:
        DataError: There are fewer than two documents, or the retrieval set cannot be used.
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        choice = choose(config.documents, inputs, config.max_documents, config.seed, drops)
    if len(choice.rows) < 2:
        raise DataError(
            say("Pairs need two documents; there is one.", "組の比較には二つの文書が要るが、一つしかない。"),
            say("Hold out more documents.", "評価用に取り分ける文書を増やす。"),
        )
    found = _retrieval(config, inputs)
    systems = _systems(config, inputs, out)
    documents = document_texts(choice, config.shard)
    collections = [documents]
    if found is not None:
        collections += [passage_texts(found, config.shard), query_texts(found, config.shard)]
    told = encode_all(systems, collections, out)
    models = {role.name: {**facts_of(role, inputs), **told[role.name]} for role in config.models}
    models[config.embedder_name] = {"kind": "embedder", "label": config.embedder_name, **told[config.embedder_name]}
    facts = {
        "reference": config.reference,
        "general": config.embedder_name,
        "order": {"models": list(models)},
        "models": models,
        "documents": {"n": len(choice.rows), "part": config.documents.part, "dropped": choice.dropped},
        **_about_documents(config, systems, (choice, documents), out),
        "retrieval": _about_retrieval(config, systems, found, out),
    }
    write_json(out.path / FACTS, facts)
    dropped = sum(choice.dropped.values())
    made = {"vectors": len(systems) * sum(texts.size for texts in collections)}
    return Counts(taken=len(choice.rows) + dropped, kept=len(choice.rows), dropped=choice.dropped, made=made)


def _systems(config: EmbeddingConfig, inputs: Mapping[str, Path], out: Output) -> list[System]:
    how = (config.loader, config.dtype)
    models = [model_system(role, inputs, how, out.settings, config.max_tokens) for role in config.models]
    return [
        *models,
        embedder_system(config.embedder_name, config.embedder, config.embedder_loader, out.settings),
    ]


def _retrieval(config: EmbeddingConfig, inputs: Mapping[str, Path]) -> RetrievalSet | None:
    if RETRIEVAL not in inputs:
        return None
    return read_retrieval(FileSet.from_row(read_json(inputs[RETRIEVAL])), config.query_field, config.apart)


# Documents -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class DisagreeingPair:
    """Two documents that one system finds far more alike than another does."""

    nearer: str
    """The system for which they are near."""
    farther: str
    """The one for which they are not."""
    a: str
    """Id of the first document."""
    b: str
    """Id of the second."""
    title_a: str
    """Its title."""
    title_b: str
    """Its title."""
    systems: tuple[str, ...]
    """All systems, in the order of the two lists below."""
    ranks: tuple[float, ...]
    """For each the share of all pairs that are less alike, 0 to 1."""
    cosines: tuple[float, ...]
    """For each the cosine."""


def _about_documents(
    config: EmbeddingConfig, systems: Sequence[System], task: tuple[Choice, Texts], out: Output
) -> dict[str, Any]:
    choice, texts = task
    names = [system.name for system in systems]
    vectors = [vectors_of(i, texts, out) for i in range(len(systems))]
    ids, titles, subjects = _labels(choice)
    general, draws = len(systems) - 1, Draws(number=config.draws, seed=config.seed)
    ranges = extents(vectors)
    counted = count(vectors, ranges, general, config.seed)
    pairs = disagreements(names, vectors, counted, ranges, config.disagreements)
    rows = [
        DisagreeingPair(
            nearer=p.nearer, farther=p.farther, a=ids[p.a], b=ids[p.b], title_a=titles[p.a], title_b=titles[p.b],
            systems=tuple(names), ranks=p.ranks, cosines=p.cosines,
        )
        for p in pairs
    ]  # fmt: skip
    write_table(out.path / PAIRS, DisagreeingPair, rows)
    similarity = figures(names, counted, ranges, general, draws)
    about = dict(zip(names, vectors, strict=True))
    subject, predictions = subject_figures(about, (ids, subjects), config.smallest_subject, draws)
    write_table(out.path / SUBJECTS, Prediction, predictions)
    out.metrics["similarity"] = {
        name: {key: row[key]["value"] for key in ("mean", "spread")} for name, row in similarity["systems"].items()
    }
    out.metrics["subjects"] = {name: row["accuracy"]["value"] for name, row in subject.get("systems", {}).items()}
    return {"similarity": similarity, "subjects": subject}


def _labels(choice: Choice) -> tuple[list[str], list[str], list[str]]:
    """Ids, titles and subjects of the chosen documents, in order."""
    ids, titles, subjects = [], [], []
    size = 1_000
    for _, documents in choice.blocks(size, choice.keys(size)):
        for document in documents:
            ids.append(document.id)
            titles.append(document.title)
            subjects.append(document.biblio.categories[0] if document.biblio.categories else "")
    return ids, titles, subjects


# Retrieval -----------------------------------------------------------------------------------


def _about_retrieval(
    config: EmbeddingConfig, systems: Sequence[System], found: RetrievalSet | None, out: Output
) -> dict[str, Any] | None:
    if found is None:
        return None
    passages, queries = passage_texts(found, config.shard), query_texts(found, config.shard)
    scores: dict[str, list[QueryScore]] = {}
    for i, system in enumerate(systems):
        asked: Vectors = np.asarray(vectors_of(i, queries, out))
        scores[system.name] = query_scores(system.name, asked, vectors_of(i, passages, out), found)
    write_table(out.path / QUERIES, QueryScore, (row for rows in scores.values() for row in rows))
    groups = retrieval_figures(
        scores, (config.reference, config.embedder_name), Draws(number=config.draws, seed=config.seed)
    )
    out.metrics["ndcg10"] = {name: row["ndcg10"]["value"] for name, row in groups["all"]["systems"].items()}
    return {
        "passages": len(found.row_of), "unanswered_queries": found.unanswered, "apart": config.apart, "groups": groups,
    }  # fmt: skip
