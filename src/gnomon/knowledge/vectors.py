"""Dense vectors: a table beside the full-text index that fills up behind it.

A *vector row* is a chunk's id, its vector and the facts a search can be limited to. Rows come in
commits of bounded size, so a killed run loses at most one of them and readers see every finished
one; a chunk whose words and model are already in the table is not embedded again. What a row *is*
(its hash) leaves the floats out: the last bits of a model's output depend on the machine.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gnomon.core.errors import ConfigError
from gnomon.core.estimates import Estimate
from gnomon.core.hashing import plain, text_hash
from gnomon.core.protocols import Embedder, resolve
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import count_rows, from_row, read_batches
from gnomon.core.wording import say
from gnomon.knowledge.filters import FACET_NAMES, FACETS, facets
from gnomon.knowledge.index import Row, blocks, create_missing, passages, store_key
from gnomon.knowledge.store import ROW_HASH, Layout, sync, with_hashes
from gnomon.llm.tuned import placed
from gnomon.runs import Counts, Output, Record
from gnomon.runs.output import Meter, StorePlace

SHARDS_AT_MOST = 400
DOCUMENTS_PER_SECOND = 20
BYTES_PER_VALUE = 4
_KEYS_PER_LOOKUP = 500
Languages = tuple[str, ...]
TEXT = "text"
WANTED = pa.schema([
    pa.field(ROW_HASH, pa.string()), pa.field("chunk_id", pa.string()), pa.field("words", pa.string()), *FACETS,
    pa.field(TEXT, pa.string()),
])  # fmt: skip
"""A row that is wanted: known by the hash of the words the model is given, which are not kept."""
HASHED = ("chunk_id", "words", *FACET_NAMES)
EMBEDDER = "embedder"
"""The input that holds a tuned embedder."""
FROM_INPUT = ModelRef(name="")
"""No model by name: the input says which."""


@dataclass(frozen=True, kw_only=True)
class VectorsConfig:
    """Which passages get vectors, and from which model."""

    library: str = "main"
    """The library's name, as in its index."""
    embedder: ModelRef = FROM_INPUT
    """The embedding model; without a name it is the artifact of the input ``embedder``."""
    loader: str = "gnomon.llm.embedders:load_embedder"
    """Entry of a function ``(ModelRef, Settings) -> Embedder``."""
    languages: tuple[str, ...] = ()
    """Languages that get vectors; empty means those the model itself says it reads (all, when it says none)."""
    weight: float = 0.4
    """What these vectors count in a hybrid search; full text counts the rest up to 1."""
    shard: int = 512
    """Passages embedded and committed at once; more when there would be too many commits."""
    flat_rows: int = 10_000
    """Up to this many rows a search looks at every vector; beyond, there is an IVF index of 8-bit values."""

    def __post_init__(self) -> None:
        if not 0 < self.weight < 1 or self.shard < 1:
            raise ConfigError(
                f"VectorsConfig: weight = {self.weight}, shard = {self.shard}.",
                "Wanted a weight between 0 and 1, and a shard of at least 1.",
            )


def vectors_key(config: VectorsConfig) -> str:
    """The key of the store of these vectors."""
    settings = [config.embedder, config.loader, config.languages, config.flat_rows]
    return store_key("vectors", config.library, settings)


def run(config: VectorsConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Make the store hold a vector for every passage in the model's languages, and tag the version.

    Args:
        config: The model and what it reads.
        inputs: ``documents`` and ``chunks`` (and ``index``, which only has to come first); a tuned ``embedder``
            when the config names none.
        out: Receives the version in ``out.stores``.

    Returns:
        Chunks taken, kept, and those left out because the model cannot read their language.

    Raises:
        ConfigError: The config names no model and there is no input to take one from.
    """
    documents, chunks = inputs["documents"] / "documents", inputs["chunks"] / "chunks"
    config, machine = settled(config, inputs.get(EMBEDDER), out.settings)
    embedder: Embedder = resolve(config.loader)(config.embedder, machine)
    languages = config.languages or tuple(embedder.languages)
    taken, wanted = _amount(documents, chunks, languages)
    shard = max(config.shard, -(-wanted // SHARDS_AT_MOST))
    layout = layout_of(embedder, config, shard, out.meter)
    out.meter.total(wanted, "passages")
    artifact = out.records[EMBEDDER].address if EMBEDDER in out.records else ""
    making = Making(config=config, languages=languages, wanted=wanted, artifact=artifact)
    announce(out.place(progress_key(out.identity)), making)
    with out.store(vectors_key(config)) as place:
        use = sync(place, layout, lambda: _rows(documents, chunks, languages), out.identity)
    out.stores.append(use)
    out.metrics.update(dimensions=embedder.dimensions, model=config.embedder.name, languages=list(languages))
    if EMBEDDER in inputs:
        out.metrics[EMBEDDER] = plain(config.embedder)
    left_out = {"language": taken - wanted} if taken > wanted else {}
    return Counts(taken=taken, kept=wanted, dropped=left_out)


def settled(config: VectorsConfig, artifact: Path | None, machine: Settings) -> tuple[VectorsConfig, Settings]:
    """The config with its model named, and settings in which that model is found.

    Args:
        config: As the recipe has it.
        artifact: The folder of the step that made the embedder; None when the config names one.
        machine: The machine.

    Raises:
        ConfigError: Neither names a model.
    """
    if config.embedder != FROM_INPUT:
        return config, machine
    if artifact is None:
        raise ConfigError(
            say("VectorsConfig: no embedder is named.", "VectorsConfig: 埋め込みモデルの指定がない。"),
            say("Give a model, or the step that tuned one.", "モデル、またはそれを調整したステップを渡す。"),
        )
    ref, machine = placed(artifact, machine)
    return dataclasses.replace(config, embedder=ref), machine


def estimate(config: VectorsConfig, documents: int, size: int) -> Estimate:
    """What embedding takes on a laptop: about twenty abstracts a second."""
    return Estimate(hours=documents / DOCUMENTS_PER_SECOND / 3600, disk_bytes=documents * 384 * BYTES_PER_VALUE)


def layout_of(embedder: Embedder, config: VectorsConfig, shard: int, meter: Meter) -> Layout:
    """The table of one embedder's vectors."""
    vector = pa.field("vector", pa.list_(pa.float32(), embedder.dimensions))

    def fill(table: Any, rows: pa.Table) -> pa.Table:
        vectors = _vectors(table, rows, embedder)
        meter.advance(rows.num_rows)
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), embedder.dimensions)
        return rows.drop_columns([TEXT]).append_column(vector, column)

    return Layout(
        schema=pa.schema([field for field in WANTED if field.name != TEXT]).append(vector), hashed=HASHED,
        index=lambda table: _index_vectors(table, config.flat_rows), fill=fill, rows_per_commit=shard,
    )  # fmt: skip


def _vectors(table: Any, rows: pa.Table, embedder: Embedder) -> npt.NDArray[np.float32]:
    """The vectors of some rows: from the table where it has the same words, else from the model."""
    words = rows["words"].to_pylist()
    known = _known(table, words)
    missing = [i for i, key in enumerate(words) if key not in known]
    result = np.zeros((len(words), embedder.dimensions), dtype=np.float32)
    for i, key in enumerate(words):
        if key in known:
            result[i] = known[key]
    if missing:
        texts = rows[TEXT].to_pylist()
        result[missing] = embedder.embed([texts[i] for i in missing])
    return result


def _known(table: Any, words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at in range(0, len(words) if table.count_rows() else 0, _KEYS_PER_LOOKUP):
        listed = ", ".join(f"'{key}'" for key in words[at : at + _KEYS_PER_LOOKUP])
        rows = table.search().where(f"words IN ({listed})").select(["words", "vector"]).to_arrow()
        found.update(zip(rows["words"].to_pylist(), rows["vector"].to_pylist(), strict=True))
    return found


def _rows(documents: Path, chunks: Path, languages: Languages) -> Iterator[pa.Table]:
    return (with_hashes(block, WANTED, HASHED) for block in blocks(_all_rows(documents, chunks, languages)))


def _all_rows(documents: Path, chunks: Path, languages: Languages) -> Iterator[dict[str, Any]]:
    for document, cut in passages(documents, chunks):
        if not _reads(languages, document["lang"]):
            continue
        facts = facets(document)
        for chunk in cut:
            text = embedded_text(document, chunk)
            yield {"chunk_id": chunk["id"], "words": text_hash(text), **facts, TEXT: text}


def embedded_text(document: Row, chunk: Row) -> str:
    """What a model is given of a passage: its title, its headings, its words."""
    body = document["text"][chunk["span"]["start"] : chunk["span"]["end"]]
    return "\n".join(part for part in (document["title"], " ".join(chunk["heading"]), body) if part)


def _reads(languages: Languages, lang: str) -> bool:
    return not languages or lang in languages


def _amount(documents: Path, chunks: Path, languages: Languages) -> tuple[int, int]:
    """How many chunks there are, and how many of them the model can read."""
    if not languages:
        return count_rows(chunks), count_rows(chunks)
    readable, taken, wanted = set[str](), 0, 0
    for batch in read_batches(documents, ["id", "lang"]):
        readable.update(row["id"] for row in batch.to_pylist() if _reads(languages, row["lang"]))
    for batch in read_batches(chunks, ["span"]):
        ids = batch.column("span").field("doc_id").to_pylist()
        taken, wanted = taken + len(ids), wanted + sum(doc_id in readable for doc_id in ids)
    return taken, wanted


def _index_vectors(table: Any, flat_rows: int) -> None:
    from lancedb.index import IvfSq

    if table.count_rows() > flat_rows:
        create_missing(table, {"vector": IvfSq(distance_type="cosine")})


# How far it is --------------------------------------------------------------------------------


def progress_key(identity: str) -> str:
    """Where an unfinished vectors step says what it is making: a small file, not a store."""
    return f"progress/{identity}"


@dataclass(frozen=True, kw_only=True)
class Making:
    """What a vectors step makes, or has made."""

    config: VectorsConfig
    """Its config, with the model named."""
    languages: Languages
    """The languages that get vectors; empty for all."""
    wanted: int
    """How many vectors there are in the end."""
    artifact: str = ""
    """Address of the step that made the model; empty for a model of the machine."""


def announce(place: StorePlace, making: Making) -> None:
    """Say what is being made, so that readers can open what there is of it."""
    fs, path = place.filesystem()
    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    note = plain(making)
    # A pipe puts the whole file at once, so that a reader on an object store never sees a part.
    fs.pipe_file(f"{path}.json", json.dumps(note, ensure_ascii=False, sort_keys=True).encode())


def announced(place: StorePlace) -> Making | None:
    """What an unfinished step said it is making; None when none has begun."""
    fs, path = place.filesystem()
    try:
        note = json.loads(fs.cat_file(f"{path}.json"))
        return Making(
            config=config_from(note["config"]),
            languages=tuple(note["languages"]),
            wanted=int(note["wanted"]),
            artifact=note.get("artifact", ""),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def made_by(record: Record) -> Making:
    """What a finished step made."""
    config = config_from(record.config)
    artifact = ""
    if config.embedder == FROM_INPUT:
        config = dataclasses.replace(config, embedder=from_row(ModelRef, record.metrics[EMBEDDER]))
        artifact = record.inputs[EMBEDDER]
    languages = tuple(record.metrics.get("languages", config.languages))
    return Making(config=config, languages=languages, wanted=record.counts.kept, artifact=artifact)


def config_from(row: Mapping[str, Any]) -> VectorsConfig:
    """The config that a record or an announcement holds."""
    return from_row(VectorsConfig, dict(row))
