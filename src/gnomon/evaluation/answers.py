"""The step ``evaluation/answers``: how well models predict what the assistant says in conversations held out.

The chat twin of ``evaluation/perplexity``, with its files and figures: a conversation is rendered by the chat
template as in fine-tuning, and only the tokens an assistant would have to say are scored, the end of its turn
included. Bits per byte are of the answers alone. A model that was never taught to chat is scored on the same text.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_json
from gnomon.core.hashing import canonical_json, combined_hash, plain, text_hash
from gnomon.core.memory import kept_memory
from gnomon.core.messages import Message
from gnomon.core.records import Drop, ModelRef
from gnomon.core.synthetic import Example
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.core.wording import say
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.heldout import NOT_CHOSEN
from gnomon.evaluation.perplexity import DROPS, FACTS, NOT_FINITE, ROWS
from gnomon.evaluation.perplexity_facts import DocumentPerplexity, test_facts
from gnomon.evaluation.roles import LOCAL, Role, check_roles, facts_of, open_model
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

PREFIX, FOLDER = "examples:", "examples"
TOO_LONG = "too_long"


@dataclass(frozen=True, kw_only=True)
class AnswersConfig:
    """Settings of the step."""

    models: tuple[Role, ...]
    """The models, in the order of the tables."""
    sets: tuple[str, ...]
    """Names of the sets of conversations; their artifacts are ``inputs["examples:NAME"]``."""
    domain: tuple[str, ...] = ()
    """Those of the sets that are of the domain; the others tell general ability."""
    reference: str = "base"
    """The model that the others are compared with."""
    most: int = 0
    """Most conversations of a set, chosen by seed; 0 takes all."""
    seed: int = 0
    """Of the choice and of the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    smallest_group: int = 10
    """Groups with fewer conversations are shown together."""
    dtype: str = "float32"
    """Precision of the models."""
    loader: str = LOCAL
    """Entry of a function ``(artifact or ModelRef, Settings, *, dtype) -> Speaker``."""

    def __post_init__(self) -> None:
        check_roles(self.models, self.reference, "answers")
        if not self.sets or len(set(self.sets)) < len(self.sets) or not set(self.domain) <= set(self.sets):
            raise ConfigError(
                say(f"answers: sets = {self.sets}, domain = {self.domain}.",
                    f"answers: sets = {self.sets}、domain = {self.domain}。"),
                say("Give at least one set, every name once; those of the domain are among them.",
                    "会話の集合を一つ以上、重複なく指定する。domain はその中から選ぶ。"),
            )  # fmt: skip


class Speaker(Protocol):
    """A model that says how likely each token of a conversation is (``gnomon.llm.local.LocalModel`` is one)."""

    ref: ModelRef
    """Which model it is."""
    context: int
    """Most tokens it reads at once."""

    def learnt(self, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
        """The tokens of a conversation, and which of them the assistant says."""
        ...

    def token_log_probs(self, ids: Sequence[Sequence[int]]) -> list[Any]:
        """Natural-log probabilities of every token after the first of each sequence."""
        ...


def run(config: AnswersConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Score the answers of every chosen conversation under every model, and compare.

    Raises:
        ConfigError: A tokenizer has no chat template and no marks of turns.
        DataError: A set is empty or missing.
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        chosen = {name: _chosen(name, config, inputs, drops) for name in config.sets}
        dropped = drops.rows
    kept = sum(map(len, chosen.values()))
    out.meter.total(kept * len(config.models), "conversations")
    keys = [role.name for role in config.models]
    waiting = set(out.pending(keys))
    for role in config.models:
        if role.name in waiting:
            _score_model(role, config, inputs, chosen, out)
        else:
            out.meter.advance(kept)
    rows = (row for key in keys for row in read_table(out.shards / "rows" / f"{key}.parquet", DocumentPerplexity))
    write_table(out.path / ROWS, DocumentPerplexity, rows)
    write_json(out.path / FACTS, _facts(config, inputs, dict(zip(keys, out.notes(keys), strict=True)), out))
    lost = {NOT_CHOSEN: dropped} if dropped else {}
    return Counts(taken=kept + dropped, kept=kept, dropped=lost, made={"scores": kept * len(keys)})


def _chosen(name: str, config: AnswersConfig, inputs: Mapping[str, Path], drops: TableWriter) -> list[Example]:
    """The conversations of a set that are scored; the others are written to ``drops``."""
    folder = inputs[PREFIX + name] / FOLDER
    everything = list(read_table(folder, Example)) if folder.is_dir() else []
    if not everything:
        raise DataError(
            say(f"The set {name!r} holds no conversation: {folder}.", f"集合 {name!r} に会話がない: {folder}。"),
            say("Give a step that leaves examples.", "examples を残すステップを渡す。"),
        )
    most = config.most or len(everything)
    ranked = sorted(everything, key=lambda one: (combined_hash([str(config.seed), one.id]), one.id))
    for one in ranked[most:]:
        drops.write(Drop(doc_id=one.id, reason=NOT_CHOSEN, detail=name))
    return sorted(ranked[:most], key=lambda one: one.id)


@kept_memory()
def _score_model(
    role: Role, config: AnswersConfig, inputs: Mapping[str, Path], chosen: Mapping[str, list[Example]], out: Output
) -> None:
    speaker: Speaker = open_model(role, inputs, config.loader, out.settings, dtype=config.dtype)
    rows = [row for name, examples in chosen.items() for row in score(speaker, examples, (name, role.name))]
    write_table(out.shards / "rows" / f"{role.name}.parquet", DocumentPerplexity, rows)
    note = {"ref": plain(speaker.ref), "context": speaker.context}
    out.done(role.name, Counts(taken=0, kept=0, made={"scores": len(rows)}), note=note)
    out.meter.advance(len(rows))


def score(speaker: Speaker, examples: Sequence[Example], names: tuple[str, str]) -> list[DocumentPerplexity]:
    """What the answers of each conversation give under one model, in their order.

    Args:
        speaker: The model.
        examples: Conversations; one longer than the model's context is not scored.
        names: Set and model.

    Raises:
        ConfigError: The tokenizer has no chat template and no marks of turns.
    """
    coded = [speaker.learnt(example.messages) for example in examples]
    fitting = [i for i, (ids, _) in enumerate(coded) if len(ids) <= speaker.context]
    scored = dict(zip(fitting, speaker.token_log_probs([coded[i][0] for i in fitting]), strict=True))
    return [_row(one, coded[i][1], scored.get(i), names) for i, one in enumerate(examples)]


def _row(example: Example, learnt: Sequence[bool], values: Any, names: tuple[str, str]) -> DocumentPerplexity:
    said = "".join(turn.thinking + turn.text for turn in example.messages if turn.role == "assistant")
    mask = np.asarray(learnt[1:], dtype=np.bool_)
    total = float("nan") if values is None else float(np.asarray(values, dtype=np.float64)[mask].sum())
    finite = math.isfinite(total)
    reason = TOO_LONG if values is None else "" if finite else NOT_FINITE
    turns = canonical_json([plain(turn) for turn in example.messages])
    return DocumentPerplexity(
        test=names[0], model=names[1], doc_id=example.id, text_hash=text_hash(turns), subject=example.kind, year=None,
        bytes=len(said.encode()), characters=len(said), tokens=int(mask.sum()),
        log_likelihood=total if finite else None, end_log_likelihood=None, lossless=True, reason=reason,
    )  # fmt: skip


def _facts(
    config: AnswersConfig, inputs: Mapping[str, Path], notes: Mapping[str, Mapping[str, Any]], out: Output
) -> dict[str, Any]:
    """The figures, in the shape of ``evaluation/perplexity``."""
    models = {role.name: {**facts_of(role, inputs), **notes[role.name]} for role in config.models}
    draws, names = Draws(number=config.draws, seed=config.seed), list(models)
    tests: dict[str, Any] = {}
    for name in config.sets:
        facts = test_facts(out.path / ROWS, name, names, config.reference, draws, config.smallest_group)
        kind = "domain" if name in config.domain else "general"
        tests[name] = {"kind": kind, "label": name, "part": "", "dropped": {}, "answers": True, **facts}
        out.metrics[name] = {model: facts["models"][model]["perplexity"]["value"] for model in names}
    how = {name: getattr(config, name) for name in ("seed", "draws", "dtype")}
    return {
        "reference": config.reference, "how": how, "order": {"models": names, "tests": list(tests)}, "models": models,
        "tests": tests,
    }  # fmt: skip
