"""The step ``evaluation/perplexity``: how well models predict documents they were never shown.

A document is read as in training: [BOS] title, blank line, body [EOS]. Every token after the
first is scored once, with as much context as the model can hold (*stride*). What each document
gave is kept (``documents_perplexity.parquet``), so every figure of ``perplexity.json`` can be
drawn again, by other groups too, without a model. Which figures, and why: ``perplexity_facts``.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_json
from gnomon.core.hashing import plain
from gnomon.core.memory import kept_memory
from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, read_batches, write_table
from gnomon.core.text import document_text
from gnomon.core.wording import say
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.heldout import Choice, TestSet, check_tests, choose
from gnomon.evaluation.perplexity_facts import DocumentPerplexity, test_facts
from gnomon.evaluation.roles import SCORER, Role, Scorer, check_roles, facts_of, open_model
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

ROWS, FACTS, DROPS = "documents_perplexity.parquet", "perplexity.json", "drops.parquet"
NOT_FINITE = "not_finite"
CHARACTERS_AT_ONCE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class PerplexityConfig:
    """Settings of the step."""

    models: tuple[Role, ...]
    """The models, in the order of the tables."""
    tests: tuple[TestSet, ...]
    """The held-out documents, in the order of the tables."""
    reference: str = "base"
    """The model that the others are compared with."""
    stride: int = 0
    """Tokens by which the window moves in documents longer than a model's context; 0 is half the context."""
    end: bool = True
    """Whether the end-of-document token counts, as it does in training."""
    max_documents: int = 0
    """Most documents of a test set, chosen by seed; 0 takes all."""
    max_characters: int = 0
    """Characters read of each document, the same for every model; 0 reads all."""
    seed: int = 0
    """Of the choice of documents and of the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    smallest_group: int = 10
    """Subjects, years and lengths with fewer documents are shown together."""
    shard: int = 64
    """Documents scored between two savings."""
    dtype: str = "float32"
    """Precision of the models."""
    loader: str = SCORER
    """Entry of a function ``(artifact, Settings, *, dtype) -> Scorer``."""

    def __post_init__(self) -> None:
        check_roles(self.models, self.reference, "perplexity")
        check_tests(self.tests, "perplexity")
        for name, least in (("stride", 0), ("max_documents", 0), ("max_characters", 0), ("draws", 1), ("shard", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"perplexity: {name} = {getattr(self, name)}.", f"Give at least {least}.")


def run(config: PerplexityConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Score every chosen document under every model, and compare.

    Args:
        config: What is compared on what.
        inputs: ``model:NAME`` and ``documents:NAME`` for the names of the config.
        out: Receives the files named in the module's head, and ``drops.parquet``.

    Raises:
        DataError: A test set is empty or missing, or a tokenizer has neither [BOS] nor [EOS].
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        choices = [choose(test, inputs, config.max_documents, config.seed, drops) for test in config.tests]
    out.meter.total(sum(len(c.rows) for c in choices) * len(config.models), "documents")
    for number, role in enumerate(config.models):
        _score_model(number, role, (config, inputs), choices, out)
    keys = [key for j in range(len(config.models)) for key in _keys(j, choices, config.shard)]
    write_table(out.path / ROWS, DocumentPerplexity, _merged(out, keys))
    write_json(out.path / FACTS, _facts(config, inputs, choices, out))
    kept = sum(len(choice.rows) for choice in choices)
    dropped: dict[str, int] = {}
    for choice in choices:
        for reason, count in choice.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    scored = sum(out.counts(keys).made.values())
    return Counts(taken=kept + sum(dropped.values()), kept=kept, dropped=dropped, made={"scores": scored})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """A document, and what is read of it."""

    document: Document
    """The document."""
    text: str
    """What is read."""
    ends: bool
    """Whether its end is scored: asked for, and not cut off."""


# Scoring -------------------------------------------------------------------------------------


def _keys(model: int, choices: Sequence[Choice], size: int) -> list[str]:
    return [f"{model:02d}-{t:02d}-{b:06d}" for t, choice in enumerate(choices) for b in choice.keys(size)]


@kept_memory()
def _score_model(
    number: int, role: Role, task: tuple[PerplexityConfig, Mapping[str, Path]], choices: Sequence[Choice], out: Output
) -> None:
    """Score what is still missing of one model; it is loaded only when something is."""
    config, inputs = task
    keys = _keys(number, choices, config.shard)
    missing = set(out.pending(keys))
    sizes = [n for choice in choices for n in choice.sizes(config.shard)]
    done = sum(n for key, n in zip(keys, sizes, strict=True) if key not in missing)
    out.meter.advance(done)
    if not missing:
        return
    model: Scorer = open_model(role, inputs, config.loader, out.settings, dtype=config.dtype)
    note = {"ref": plain(model.ref), "context": model.context}
    for t, (test, choice) in enumerate(zip(config.tests, choices, strict=True)):
        wanted = {b for b in choice.keys(config.shard) if f"{number:02d}-{t:02d}-{b:06d}" in missing}
        for block, documents in choice.blocks(config.shard, wanted):
            key = f"{number:02d}-{t:02d}-{block:06d}"
            rows = score(model, documents, config, (test.name, role.name))
            write_table(out.shards / "rows" / f"{key}.parquet", DocumentPerplexity, rows)
            out.done(key, Counts(taken=0, kept=0, made={"scores": len(rows)}), note=note)
            out.meter.advance(len(rows))


def score(
    model: Scorer, documents: Sequence[Document], config: PerplexityConfig, names: tuple[str, str]
) -> list[DocumentPerplexity]:
    """What each document gives under one model, in their order.

    Args:
        model: The model.
        documents: What it reads.
        config: Stride, cut, and whether the end counts.
        names: Test set and model.

    Raises:
        DataError: Its tokenizer has neither [BOS] nor [EOS].
    """
    stride = config.stride or max(1, model.context // 2)
    rows: list[DocumentPerplexity] = []
    for part in _portions(_read(document, config) for document in documents):
        streams = [token_stream(model, one.text, end=one.ends) for one in part]
        scored = zip(streams, model.token_log_probs(streams, stride), strict=True)
        rows += [_row(model, one, values, names) for one, values in zip(part, scored, strict=True)]
    return rows


def _read(document: Document, config: PerplexityConfig) -> _Read:
    whole = document_text(document.title, document.text)
    text = whole[: config.max_characters] if config.max_characters else whole
    return _Read(document=document, text=text, ends=config.end and len(text) == len(whole))


def _portions(texts: Iterable[_Read]) -> Iterator[list[_Read]]:
    """Documents in runs of bounded length: sixty-four books at once would be gigabytes of token ids."""
    part: list[_Read] = []
    for one in texts:
        if part and sum(len(other.text) for other in part) + len(one.text) > CHARACTERS_AT_ONCE:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def token_stream(model: Scorer, text: str, *, end: bool) -> list[int]:
    """The tokens of a document: [BOS] text [EOS].

    A tokenizer without [BOS] gets [EOS] in its place, as lm-evaluation-harness does (Gao et al.), because
    otherwise the first token, and with it some bytes of the text, would have no probability.

    Raises:
        DataError: The tokenizer has neither.
    """
    ids = model.encode(text, bos=True)
    last = model.eos
    begins = len(model.encode("", bos=True)) > 0
    if not begins and last is None:
        raise DataError(
            say(f"The tokenizer of {model.ref.name!r} has neither a BOS nor an EOS token.",
                f"{model.ref.name!r} のトークナイザには BOS も EOS もない。"),
            say("Name one of them in its tokenizer_config.json.", "tokenizer_config.json でどちらかを指定する。"),
        )  # fmt: skip
    first = [] if begins or last is None else [last]
    return [*first, *ids, *([last] if end and last is not None else [])]


def _row(model: Scorer, one: _Read, scored: tuple[Sequence[int], Any], names: tuple[str, str]) -> DocumentPerplexity:
    document, text, ids, values = one.document, one.text, scored[0], np.asarray(scored[1], dtype=np.float64)
    total = float(values.sum())
    finite = math.isfinite(total)
    ends = one.ends and model.eos is not None
    inside = ids[1:-1] if ends else ids[1:]
    return DocumentPerplexity(
        test=names[0], model=names[1], doc_id=document.id, text_hash=document.text_hash,
        subject=document.biblio.categories[0] if document.biblio.categories else "", year=document.biblio.year,
        bytes=len(text.encode()), characters=len(text), tokens=len(values),
        log_likelihood=total if finite else None,
        end_log_likelihood=float(values[-1]) if ends and finite else None,
        lossless=_same(model.decode(inside), text), reason="" if finite else NOT_FINITE,
    )  # fmt: skip


def _same(decoded: str, text: str) -> bool:
    """Whether a tokenizer gives a text back, but for white space."""
    return decoded == text or "".join(decoded.split()) == "".join(text.split())


# What is left behind -------------------------------------------------------------------------


def _merged(out: Output, keys: Iterable[str]) -> Iterator[DocumentPerplexity]:
    for key in keys:
        for batch in read_batches(out.shards / "rows" / f"{key}.parquet"):
            for row in batch.to_pylist():
                yield DocumentPerplexity(**row)


def _facts(
    config: PerplexityConfig, inputs: Mapping[str, Path], choices: Sequence[Choice], out: Output
) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for number, role in enumerate(config.models):
        note = out.notes(_keys(number, choices, config.shard)[:1])[0]
        models[role.name] = {**facts_of(role, inputs), **note}
    tests = {}
    for test, choice in zip(config.tests, choices, strict=True):
        facts = test_facts(
            out.path / ROWS, test.name, [role.name for role in config.models], config.reference,
            Draws(number=config.draws, seed=config.seed), config.smallest_group,
        )  # fmt: skip
        about = {"kind": test.kind, "label": test.label or test.name, "part": test.part, "dropped": choice.dropped}
        tests[test.name] = {**about, **facts}
    out.metrics.update({name: _headline(facts) for name, facts in tests.items()})
    how = {name: getattr(config, name) for name in ("stride", "end", "max_characters", "seed", "draws", "dtype")}
    order = {"models": list(models), "tests": list(tests)}  # keys of a JSON file are sorted
    return {"reference": config.reference, "how": how, "order": order, "models": models, "tests": tests}


def _headline(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The few figures of a test set that a run's record carries."""
    found = {name: {k: m[k]["value"] for k in ("perplexity", "bits_per_byte")} for name, m in facts["models"].items()}
    for change in facts["comparisons"]:
        if change["against"] == facts["reference"]:
            found[change["model"]]["change_percent"] = change["perplexity_change_percent"]["value"]
    return found
