"""The step ``training/pack``: documents of a mixture as rows of tokens, in the order of training.

Each document is a token stream ``[BOS] text [EOS]``. Streams longer than a row are cut into pieces that
each repeat the token before, so that every token but the first is a target exactly once a pass. Pieces share
rows so that hardly any place is wasted, and ``pieces/`` says whose tokens stand where. The choices and their
figures are in ``docs/design/packing.md``.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json, write_json
from gnomon.core.records import Drop
from gnomon.core.tables import TableWriter, read_batches
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.packing.mixture import PIECES, MixtureSource, check_mixture, draw, passes, some_of
from gnomon.training.packing.plan import Plan, SourcePlan, make_plan
from gnomon.training.packing.rows import Tally, write_rows
from gnomon.training.packing.shelf import EXAMPLES, File, Shelf, files_of, tokenise
from gnomon.training.packing.streams import Encoder, open_encoder

TOKENIZER, PACK = "tokenizer", "pack.json"
LIKE = "like"
"""Input with another token artifact, whose tokens are the budget."""
NO_SOURCES = (TOKENIZER, LIKE)
METHODS = ("best-fit", "stream")
NOT_DRAWN = "not_drawn"
_LEAST_CONTEXT = 8


@dataclass(frozen=True, kw_only=True)
class PackConfig:
    """How documents become rows."""

    context: int = 1_024
    """Tokens a row."""
    seed: int = 0
    """Decides the order, and which documents make up a part of a pass."""
    sources: tuple[MixtureSource, ...] = ()
    """The mixture; empty for one pass over every input."""
    budget: int = 0
    """Tokens of the whole, when sources have weights; those of ``inputs["like"]`` when that is given."""
    method: str = "best-fit"
    """``"best-fit"`` or, for comparison, ``"stream"``."""
    window: int = 1 << 24
    """Tokens that are packed together: bounds memory."""
    allow_short: bool = False
    """Whether a corpus smaller than one row is allowed: it becomes one row, mostly padding."""


def run(config: PackConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Tokenise and pack the documents of all inputs but ``inputs["tokenizer"]`` and ``inputs["like"]``.

    Raises:
        ConfigError: A setting cannot be used, or the mixture names no input.
        DataError: A source has no text, the whole is smaller than a row, or the tokenizer has no EOS.
    """
    config = _matched(config, inputs)
    sources = _sources(config, inputs)
    encoder = open_encoder(inputs[TOKENIZER], out.settings)
    files = files_of(sources, dict(inputs))
    _refuse_cut_turns(config, files)
    keys = [file.key for file in files]
    by_key = {file.key: file for file in files}
    read = [record.counts.kept for name, record in out.records.items() if name not in NO_SOURCES]
    out.meter.total(sum(read), "documents")
    for key in out.pending(keys):
        tokenise(by_key[key], encoder, config.context, out)
    shelf = Shelf(out, files, encoder.dtype)
    mixed = _mixed(config, sources, shelf)
    cut = config.method == "best-fit"
    plan = make_plan(mixed, width=config.context, window=config.window, seed=config.seed, cut=cut)
    _check_size(config, int(plan.new.sum(dtype=np.int64)))
    tally = write_rows(plan, shelf, encoder, config, out)
    used = np.zeros(len(shelf.lengths), bool)
    used[plan.document] = True
    facts = _facts(config, tally) | {"sources": {s.name: _source_facts(s, shelf, used, plan) for s in mixed}}
    out.metrics.update(facts)
    write_json(out.path / PACK, facts | _header(config, encoder, tally))
    lost = _write_drops(out, files, shelf, used)
    return _counts(out.counts(keys), lost, tally)


def _matched(config: PackConfig, inputs: Mapping[str, Path]) -> PackConfig:
    """The config with as many tokens as ``inputs["like"]`` has, where that is given: a control of equal length."""
    if LIKE not in inputs:
        return config
    return dataclasses.replace(config, budget=int(read_json(inputs[LIKE] / PACK)["tokens"]))


def _sources(config: PackConfig, inputs: Mapping[str, Path]) -> tuple[MixtureSource, ...]:
    names = sorted(name for name in inputs if name not in NO_SOURCES)
    sources = config.sources or tuple(MixtureSource(name=name) for name in names)
    problems = {
        f"the input {TOKENIZER!r} is missing": TOKENIZER not in inputs,
        f"context = {config.context}": config.context < _LEAST_CONTEXT,
        f"method = {config.method!r}": config.method not in METHODS,
        f"window = {config.window}": config.window < 1,
        f"sources {sorted(s.name for s in sources)} of inputs {names}": sorted(s.name for s in sources) != names,
        "there are no documents": not names,
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"pack: {problem}.", f"pack の設定が使えない: {problem}。"),
                say(f"context is at least {_LEAST_CONTEXT}; methods: {', '.join(METHODS)}; every input but the"
                    " tokenizer is a source of the mixture, and every source an input.",
                    f"context は {_LEAST_CONTEXT} 以上、method は {'、'.join(METHODS)}。tokenizer 以外の入力と"
                    "混合元は一対一に対応させる。"),
            )  # fmt: skip
    check_mixture(sources, config.budget)
    if config.method == "stream" and any(source.unit == PIECES for source in sources):
        raise ConfigError(
            say("pack: a stream has no pieces to draw.", "pack: stream では断片を抽出できない。"),
            say("Leave unit at documents, or use best-fit.", "unit を documents にするか、best-fit を使う。"),
        )
    return sources


def _refuse_cut_turns(config: PackConfig, files: list[File]) -> None:
    if config.method == "stream" and any(file.kind == EXAMPLES for file in files):
        raise ConfigError(
            say("pack: a stream would cut conversations in the middle of a turn.",
                "pack: stream では会話が発話の途中で切れる。"),
            say("Use best-fit.", "best-fit を使う。"),
        )  # fmt: skip


def _mixed(config: PackConfig, sources: tuple[MixtureSource, ...], shelf: Shelf) -> list[SourcePlan]:
    mixed = []
    for source in sources:
        here = shelf.documents_of(source.name)
        lengths = shelf.lengths[here.start : here.stop]
        limited = 0 < source.most_tokens < int(lengths.sum())
        bits = draw(config.seed, "most", source.name)
        chosen = some_of(lengths, source.most_tokens, bits) if limited else None
        mixed.append(SourcePlan(name=source.name, first=here.start, lengths=lengths, chosen=chosen, unit=source.unit))
    repeats = passes(sources, {s.name: s.tokens for s in mixed}, config.budget)
    return [dataclasses.replace(s, repeats=repeats[s.name]) for s in mixed]


def _check_size(config: PackConfig, total: int) -> None:
    if total == 0 or (total < config.context and not config.allow_short):
        raise DataError(
            say(f"The mixture gives {total} tokens, less than one row of {config.context}.",
                f"混合は {total} トークンしかなく、1 行 {config.context} トークンに満たない。"),
            say("Give more documents, lower context, or set allow_short to train on one padded row.",
                "文書を増やすか、context を下げるか、allow_short で埋め草の多い 1 行を許す。"),
        )  # fmt: skip


def _facts(config: PackConfig, tally: Tally) -> dict[str, Any]:
    return {
        "sequences": tally.rows, "context": config.context, "tokens": tally.new, "targets": tally.targets,
        "context_tokens": tally.stored - tally.new, "pieces": tally.pieces,
        "fill": tally.stored / (tally.rows * config.context),
    }  # fmt: skip


def _header(config: PackConfig, encoder: Encoder, tally: Tally) -> dict[str, Any]:
    return {
        "dtype": np.dtype(encoder.dtype).name, "vocab_size": encoder.size, "bos": encoder.bos, "eos": encoder.eos,
        "pad": encoder.pad, "tokenizer": encoder.revision, "method": config.method, "seed": config.seed,
        "rows_of_file": tally.rows_of_file, "learnt": "in part" if tally.targets < tally.new - tally.first else "all",
    }  # fmt: skip


def _source_facts(source: SourcePlan, shelf: Shelf, used: npt.NDArray[np.bool_], plan: Plan) -> dict[str, Any]:
    here = slice(source.first, source.first + len(source.lengths))
    shown = (plan.document >= here.start) & (plan.document < here.stop)
    tokens, once = int(plan.new[shown].sum(dtype=np.int64)), source.tokens
    documents = np.flatnonzero(used[here]) + source.first
    return {
        "tokens": tokens, "tokens_once": once, "repeats": tokens / once, "repeats_wanted": source.repeats,
        "documents": len(documents), "licences": dict(sorted(Counter(shelf.each("licence", documents)).items())),
    }  # fmt: skip


def _write_drops(out: Output, files: list[File], shelf: Shelf, used: npt.NDArray[np.bool_]) -> Counter[str]:
    lost: Counter[str] = Counter()
    with TableWriter(out.path / "drops.parquet", Drop) as writer:
        for number, file in enumerate(files):
            for batch in read_batches(out.shards / f"{file.key}.drops.parquet"):
                writer.write_batch(batch)
            first, end = int(shelf.first[number]), int(shelf.first[number + 1])
            kept = set(shelf.each("doc_id", np.flatnonzero(used[first:end]) + first)) if file.kind == EXAMPLES else ()
            left = shelf.each("doc_id", np.flatnonzero(~used[first:end]) + first)
            for doc_id in dict.fromkeys(left) if file.kind == EXAMPLES else left:
                if doc_id not in kept:  # a conversation of several lessons is shown when one of them is
                    writer.write(Drop(doc_id=doc_id, reason=NOT_DRAWN, detail=f"source {file.source}"))
                    lost[NOT_DRAWN] += 1
    return lost


def _counts(tokenised: Counts, lost: Counter[str], tally: Tally) -> Counts:
    dropped = {reason: n for reason, n in (Counter(tokenised.dropped) + lost).items() if n}
    made = {"rows": tally.rows, "pieces": tally.pieces, "tokens": tally.new}
    kept = tokenised.kept - sum(lost.values())
    return Counts(taken=tokenised.taken, kept=kept, dropped=dropped, made=made)
