"""The step ``synthesis/judge``: verdicts about question-answer pairs, by rule and by model. Nothing is left out here.

The rule judge looks at every pair; model judges, where given, mark it. Which verdicts are good enough is decided by
``synthesis/select``, so that a threshold can be changed without judging again. Of two model judges the agreement is
measured: Cohen's kappa of each criterion.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.core.synthetic import CRITERIA, QA, Verdict
from gnomon.core.tables import count_rows, read_batches, read_table
from gnomon.core.wording import say
from gnomon.llm.chat import Chat, ChatOptions
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.asked import Spending
from gnomon.synthesis.calls import opened
from gnomon.synthesis.judging.agreement import kappa
from gnomon.synthesis.judging.lookup import Documents
from gnomon.synthesis.judging.models import Judged, Manner, check_judges, examples, judge_with
from gnomon.synthesis.judging.rule import judge as by_rule
from gnomon.synthesis.passing import PAIRS
from gnomon.synthesis.shards import merge_tables, shard_table

LEAST_PASSAGE = 200


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """Who judges, and how models are asked."""

    judges: tuple[ModelRef, ...] = ()
    """Models that judge, one or two as a rule; none for the rule alone."""
    rule: bool = True
    """Whether the rule judge looks at the pairs."""
    under_test: tuple[ModelRef, ...] = ()
    """Models that are to be trained on the pairs or measured with them: none of them may be a judge."""
    prompt: str = "1"
    """Version of the prompt files."""
    passage: int = 1_800
    """Characters of the passage that a model is shown, around the evidence."""
    max_tokens: int = 800
    """Most tokens of a model's reply, thinking included."""
    temperature: float = 0.0
    """Of a model's sampling."""
    thinking: str = "auto"
    """Whether a model thinks before it judges: ``on``, ``off`` or ``auto``."""
    seed: int = 0
    """Of a model's sampling."""
    together: int = 256
    """Pairs of one shard; their calls are made together."""


@dataclass(frozen=True, kw_only=True)
class _Note:
    """What one shard adds up."""

    spending: dict[str, Any] = field(default_factory=dict)
    """Calls, tokens, money."""
    not_judged: dict[str, dict[str, int]] = field(default_factory=dict)
    """By judge and reason, pairs that it gave no marks."""
    marks: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """By two judges and criterion, how often ``"3,4"`` was given."""


def run(config: JudgeConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``pairs.parquet``: the pairs of ``inputs["pairs"]`` with verdicts, read beside ``inputs["documents"]``.

    Raises:
        ConfigError: A setting cannot be used, or a judge would judge its own work.
        DataError: A pair's document is missing.
        RunError: A judge does not answer; finished calls are in the call log.
    """
    _check(config, inputs["pairs"] / PAIRS)
    total = count_rows(inputs["pairs"] / PAIRS)
    keys = [f"{start:09d}" for start in range(0, total, config.together)]
    waiting = set(out.pending(keys))
    out.meter.total(total, "pairs")
    if waiting:
        documents = Documents(inputs["documents"] / "documents")
        with ExitStack() as stack:
            models = [stack.enter_context(opened(ref, out)) for ref in config.judges]
            for key, pairs in zip(keys, _batches(inputs["pairs"] / PAIRS, config.together), strict=True):
                if key in waiting:
                    out.done(key, *_shard(config, key, pairs, documents, models, out))
                out.meter.advance(len(pairs))
    merge_tables(out, keys, "pairs", QA)
    _sum_up(config, out, keys)
    return out.counts(keys)


def _check(config: JudgeConfig, pairs: Path) -> None:
    problems = {
        "rule = False, judges = ()": not config.rule and not config.judges,
        f"together = {config.together}": config.together < 1,
        f"passage = {config.passage}": config.passage < LEAST_PASSAGE,
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"synthesis/judge: {problem}.", f"synthesis/judge の設定が使えない: {problem}。"),
                say(f"Let the rule judge or name a model; together >= 1, passage >= {LEAST_PASSAGE}.",
                    f"規則による審査かモデルを指定する。together >= 1、passage >= {LEAST_PASSAGE}。"),
            )  # fmt: skip
    writers = set[str]()
    for batch in read_batches(pairs, ["writer"]) if config.judges else ():
        writers |= set(pc.unique(batch.column("writer")).to_pylist())
    check_judges(config.judges, config.under_test, sorted(writers))
    for lang in ("en", "ja") if config.judges else ():
        examples(config.prompt, lang)


def _batches(file: Path, size: int) -> Iterator[list[QA]]:
    """The pairs, so many at a time."""
    held: list[QA] = []
    for pair in read_table(file, QA):
        held.append(pair)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


# One shard ------------------------------------------------------------------------------------


def _shard(
    config: JudgeConfig, key: str, pairs: Sequence[QA], documents: Documents, models: Sequence[Chat], out: Output
) -> tuple[Counts, dict[str, Any]]:
    own = documents.of(pairs)
    verdicts: list[list[Verdict]] = [
        list(by_rule(pair, document)) if config.rule else [] for pair, document in zip(pairs, own, strict=True)
    ]
    said = {model.ref.name: judge_with(model, pairs, own, manner_of(config)) for model in models}
    for judged in said.values():
        for so_far, one in zip(verdicts, judged, strict=True):
            so_far += one.verdicts
    with shard_table(out, key, "pairs", QA) as table:
        for pair, found in zip(pairs, verdicts, strict=True):
            table.write(pair.judged(*found))
    amount = len(pairs)
    return Counts(taken=amount, kept=amount, made={"pairs": amount}), _note(said).__dict__


def manner_of(config: JudgeConfig) -> Manner:
    """What of the config a model's judging depends on."""
    options = ChatOptions(
        max_tokens=config.max_tokens, temperature=config.temperature, thinking=config.thinking, seed=config.seed
    )
    return Manner(prompt=config.prompt, passage=config.passage, options=options)


def _note(said: Mapping[str, Sequence[Judged]]) -> _Note:
    spending = sum((one.spending for judged in said.values() for one in judged), Spending())
    faults = {name: dict(Counter(one.fault for one in judged if one.fault)) for name, judged in said.items()}
    marks: dict[str, dict[str, dict[str, int]]] = {}
    for first, second in combinations(said, 2):
        tables = marks.setdefault(f"{first} | {second}", {})
        for one, other in zip(said[first], said[second], strict=True):
            for mine, theirs in zip(one.verdicts, other.verdicts, strict=False):
                table = tables.setdefault(mine.criterion, {})
                place = f"{mine.score:.0f},{theirs.score:.0f}"
                table[place] = table.get(place, 0) + 1
    return _Note(spending=spending.__dict__, not_judged=faults, marks=marks)


def _sum_up(config: JudgeConfig, out: Output, keys: Sequence[str]) -> None:
    """Money, pairs not judged and the judges' agreement, of the whole."""
    notes = [_Note(**note) for note in out.notes(keys)]
    spent = sum((Spending(**note.spending) for note in notes), Spending())
    names = [judge.name for judge in config.judges]
    missing = {name: dict(sum((Counter(note.not_judged[name]) for note in notes), Counter())) for name in names}
    out.metrics |= {"not_judged": missing, **spent.__dict__}
    out.cost_usd += spent.cost_usd
    for both in (f"{first} | {second}" for first, second in combinations(names, 2)):
        out.metrics.setdefault("agreement", {})[both] = {c: _agreement(notes, both, c) for c in CRITERIA}


def _agreement(notes: Sequence[_Note], both: str, criterion: str) -> dict[str, Any]:
    """Kappa with its number of pairs."""
    table = Counter[tuple[int, int]]()
    for note in notes:
        for place, count in note.marks.get(both, {}).get(criterion, {}).items():
            first, second = place.split(",")
            table[int(first), int(second)] += count
    return {"kappa": kappa(table), "n": table.total()}
