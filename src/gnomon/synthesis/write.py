"""The step ``synthesis/write``: question-answer pairs about documents, each with the words it rests on.

A model writes, or, without one, the *extractive writer*. Either way a pair exists only if its quotes are found again in
the document and its question stands alone; everything proposed and refused is a line of ``drops.parquet``. How many
pairs a document gets follows its *facts*: the sentences in it that hold a figure or a name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.records import Document, Drop, ModelRef
from gnomon.core.synthetic import QA
from gnomon.core.tables import parquet_files, read_table
from gnomon.core.wording import LANGUAGES, say
from gnomon.llm.chat import ChatOptions
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.asked import Asked, Spending, Writer, Written
from gnomon.synthesis.calls import opened
from gnomon.synthesis.extractive.options import Pool, field_of
from gnomon.synthesis.extractive.sentences import fact_sentences, language_of
from gnomon.synthesis.extractive.writer import look, propose
from gnomon.synthesis.metadata import metadata_proposals
from gnomon.synthesis.model_writers import How, write_with
from gnomon.synthesis.proposals import EXCERPT, drop, settle
from gnomon.synthesis.shards import merge_tables, shard_table

EXTRACTIVE_KINDS = ("definition", "relation", "numeric", "choice", "cloze", "metadata")
MODEL_KINDS = ("open", "choice", "summary", "dialogue", "reasoning", "metadata")
DOCUMENTS_TOGETHER = 32
LEAST_PASSAGE = 200


@dataclass(frozen=True, kw_only=True)
class WriteConfig:
    """What is written, by whom, and how much."""

    writer: ModelRef | None = None
    """The model that writes; None for the extractive writer."""
    kinds: tuple[str, ...] = ()
    """Kinds wanted, of ``core.synthetic.KINDS``; empty for all that the writer knows."""
    langs: tuple[str, ...] = ("en", "ja")
    """Languages of documents that are asked about."""
    per_fact: float = 1.0
    """Pairs a sentence with facts is worth."""
    least: int = 1
    """Fewest pairs wanted of a document that has a fact."""
    most: int = 12
    """Most pairs of a document."""
    metadata: float = 0.5
    """Metadata questions a document, beside the others; a fraction is the share of documents with one more."""
    seed: int = 0
    """Decides between candidates, options and instructions."""
    passage: int = 1_800
    """Characters of a passage that a model is shown, as cosmosage had it."""
    prompt: str = "1"
    """Version of the prompt files."""
    max_tokens: int = 1_500
    """Most tokens of a model's reply, thinking included."""
    temperature: float = 0.7
    """Of a model's sampling."""
    thinking: str = "auto"
    """Whether a model thinks before it writes: ``on``, ``off`` or ``auto``."""


def run(config: WriteConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``pairs.parquet`` and ``drops.parquet`` about ``inputs["documents"]``.

    Taken are proposals, and documents that gave rise to none; kept are pairs.

    Raises:
        ConfigError: A setting cannot be used.
        RunError: The writer does not answer; what it wrote before is in the call log.
    """
    _check(config)
    files = {file.stem: file for file in parquet_files(inputs["documents"] / "documents")}
    keys = list(files)
    waiting = list(out.pending(keys))
    out.meter.total(len(keys), "files")
    out.meter.advance(len(keys) - len(waiting))
    if waiting:
        with _writer(config, list(files.values()), out) as write:
            for key in waiting:
                out.done(key, *_shard(config, files[key], key, write, out))
                out.meter.advance(1)
    merge_tables(out, keys, "pairs", QA)
    merge_tables(out, keys, "drops", Drop)
    _sum_up(out, keys)
    return out.counts(keys)


def _check(config: WriteConfig) -> None:
    known = EXTRACTIVE_KINDS if config.writer is None else MODEL_KINDS
    problems = {
        f"kinds = {config.kinds}": not set(config.kinds) <= set(known),
        f"per_fact = {config.per_fact}": config.per_fact < 0,
        f"least = {config.least}, most = {config.most}": not 0 <= config.least <= config.most,
        f"metadata = {config.metadata}": config.metadata < 0,
        f"passage = {config.passage}": config.passage < LEAST_PASSAGE,
        f"langs = {config.langs}": not config.langs or not set(config.langs) <= set(LANGUAGES),
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"synthesis/write: {problem}.", f"synthesis/write の設定が使えない: {problem}。"),
                say(f"Kinds of this writer: {', '.join(known)}; languages: {', '.join(LANGUAGES)}; 0 <= least <= most;"
                    f" passages of {LEAST_PASSAGE} characters and more.",
                    f"この書き手の種類は {'、'.join(known)}、言語は {'、'.join(LANGUAGES)}。0 <= least <= most、"
                    f"passage は {LEAST_PASSAGE} 文字以上。"),
            )  # fmt: skip


@contextmanager
def _writer(config: WriteConfig, files: Sequence[Path], out: Output) -> Iterator[Writer]:
    """The writer of the config, ready to write."""
    if config.writer is None:
        pool = _pool(config, files)
        yield lambda asked: [_extract(config, one, pool) for one in asked]
        return
    with opened(config.writer, out) as model:
        yield lambda asked: write_with(model, asked, how_of(config))


def how_of(config: WriteConfig) -> How:
    """What of the config a model's writing depends on."""
    options = ChatOptions(
        max_tokens=config.max_tokens, temperature=config.temperature, thinking=config.thinking, seed=config.seed
    )
    return How(kinds=_kinds(config), prompt=config.prompt, passage=config.passage, seed=config.seed, options=options)


def _pool(config: WriteConfig, files: Sequence[Path]) -> Pool:
    """The entities of all documents, from which wrong options are taken."""
    pool = Pool()
    for file in files if "choice" in _kinds(config) else ():
        for document in read_table(file, Document):
            lang = language_of(document)
            if lang in config.langs:
                found = look(document, lang)
                pool.add(lang, field_of(document), (e for known in found.entities.values() for e in known))
    return pool


def _kinds(config: WriteConfig) -> tuple[str, ...]:
    return config.kinds or (EXTRACTIVE_KINDS if config.writer is None else MODEL_KINDS)


def _extract(config: WriteConfig, asked: Asked, pool: Pool) -> Written:
    found = look(asked.document, asked.lang)
    proposals, drops = propose(found, _kinds(config), asked.amount, pool, config.seed)
    return Written(proposals=proposals, drops=[*found.drops, *drops])


# One shard ------------------------------------------------------------------------------------


def _shard(config: WriteConfig, file: Path, key: str, write: Writer, out: Output) -> tuple[Counts, dict[str, Any]]:
    kinds, spending = Counter[str](), Spending()
    reasons = Counter[str]()
    with shard_table(out, key, "pairs", QA) as pairs, shard_table(out, key, "drops", Drop) as drops:
        for batch in _batches(read_table(file, Document)):
            asked, left = _asked(config, batch)
            for one, written in zip(asked, write(asked), strict=True):
                spending += written.spending
                made, refused = _settled(config, one, written)
                for pair in made:
                    pairs.write(pair)
                    kinds[pair.kind] += 1
                left += refused
            for gone in left:
                drops.write(gone)
                reasons[gone.reason] += 1
        kept = pairs.rows
    counts = Counts(
        taken=kept + reasons.total(), kept=kept, dropped=dict(sorted(reasons.items())), made={"pairs": kept}
    )
    return counts, {"kinds": dict(sorted(kinds.items())), "spending": spending.__dict__}


def _batches(documents: Iterator[Document]) -> Iterator[list[Document]]:
    """Documents whose calls are made together."""
    while batch := list(islice(documents, DOCUMENTS_TOGETHER)):
        yield batch


def _asked(config: WriteConfig, documents: Sequence[Document]) -> tuple[list[Asked], list[Drop]]:
    """The documents that are asked about, with how much is wanted of each; and why the others are not."""
    asked, left = [], []
    for document in documents:
        lang = language_of(document)
        facts = fact_sentences(document, lang) if lang in config.langs else 0
        if lang not in config.langs:
            left.append(Drop(doc_id=document.id, reason="other_language", detail=lang))
        elif not facts:
            left.append(Drop(doc_id=document.id, reason="no_facts", excerpt=document.text[:EXCERPT]))
        else:
            amount = min(max(round(facts * config.per_fact), config.least), config.most)
            asked.append(Asked(document=document, lang=lang, amount=amount))
    return asked, left


def _settled(config: WriteConfig, asked: Asked, written: Written) -> tuple[list[QA], list[Drop]]:
    """The pairs that what was written makes, each once, and what it does not make."""
    proposals = list(written.proposals)
    if "metadata" in _kinds(config):
        proposals += metadata_proposals(asked.document, asked.lang, config.seed, config.metadata)
    pairs, drops = dict[str, QA](), list(written.drops)
    for proposal in proposals:
        made = settle(proposal, asked.document)
        if isinstance(made, Drop):
            drops.append(made)
        elif made.id in pairs:
            drops.append(drop(asked.document, proposal, "repeated", made.id))
        else:
            pairs[made.id] = made
    return list(pairs.values()), drops


def _sum_up(out: Output, keys: Sequence[str]) -> None:
    """Kinds, tokens and money of the whole, from the notes of the shards."""
    notes = out.notes(keys)
    kinds = sum((Counter(note["kinds"]) for note in notes), Counter[str]())
    spent = sum((Spending(**note["spending"]) for note in notes), Spending())
    out.metrics |= {"kinds": dict(sorted(kinds.items())), **spent.__dict__}
    out.cost_usd += spent.cost_usd
