"""What is measured of a completion, and the figures of ``evaluation/completion``.

*Overlap* with the true ending is ROUGE-L. *Precision* of numbers and names is the share of those a model
writes that stand anywhere in the true document, by the rules that check answers (``core.checks``); the
*new* ones are those that the prompt had not given away already. *Repetition* is the share of 4-grams
written before. A completion without a number has no number precision: it is counted as unscored, not
as zero. All of it is lexical: a right statement in other words scores low for every model alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.core.checks import facts
from gnomon.evaluation.bootstrap import Draws, Floats, interval, mean_interval, ratio
from gnomon.evaluation.overlap import overlap, repetition
from gnomon.llm.client import Completion

MEANS = ("overlap", "repetition")
SHARES = {
    "number_precision": ("numbers_true", "numbers"),
    "new_number_precision": ("new_numbers_true", "new_numbers"),
    "name_precision": ("names_true", "names"),
    "new_name_precision": ("new_names_true", "new_names"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionScore:
    """What one model wrote after one beginning, and its measures."""

    model: str
    """The model's name in the comparison, or ``another_ending``."""
    doc_id: str
    """The document."""
    text_hash: str
    """Which version of its text."""
    prompt: str
    """What was given."""
    truth: str
    """How the document goes on."""
    completion: str
    """What the model wrote."""
    tokens: int
    """Tokens it took."""
    finish: str
    """``stop`` when the model ended, ``length`` when it was cut."""
    overlap: float | None
    """ROUGE-L F1 with the true ending."""
    repetition: float | None
    """Share of repeated 4-grams; None for fewer than four terms."""
    numbers: int
    """Numbers, quantities and years written."""
    numbers_true: int
    """Those that stand in the document."""
    new_numbers: int
    """Those that the prompt does not have."""
    new_numbers_true: int
    """Those of them that stand in the document."""
    names: int
    """Names written."""
    names_true: int
    """Those that stand in the document."""
    new_names: int
    """Those that the prompt does not have."""
    new_names_true: int
    """Those of them that stand in the document."""
    reason: str = ""
    """Why there is no completion; empty when there is one."""


def scored(about: Mapping[str, Any], document: str, completion: Completion) -> CompletionScore:
    """Measure a completion.

    Args:
        about: Model, document, prompt and truth.
        document: The whole true document, its title included.
        completion: What was written.
    """
    there = facts(completion.text, document)
    given = facts(completion.text, about["prompt"])
    counts: dict[str, Any] = {name: 0 for pair in SHARES.values() for name in pair}
    for fact, known in zip(there, given, strict=True):
        kind = "names" if fact.kind == "name" else "numbers"
        for prefix in ("", "new_") if not known.supported else ("",):
            counts[f"{prefix}{kind}"] += 1
            counts[f"{prefix}{kind}_true"] += fact.supported
    return CompletionScore(
        **about, completion=completion.text, tokens=completion.tokens, finish=completion.finish,
        overlap=overlap(completion.text, about["truth"]), repetition=repetition(completion.text), **counts,
    )  # fmt: skip


def unscored(about: Mapping[str, Any], reason: str) -> CompletionScore:
    """A completion that there is not, and why."""
    counts: dict[str, Any] = {name: 0 for pair in SHARES.values() for name in pair}
    nothing: dict[str, Any] = {"completion": "", "tokens": 0, "finish": "", "overlap": None, "repetition": None}
    return CompletionScore(**about, **nothing, **counts, reason=reason)


def completion_facts(
    rows: Sequence[CompletionScore], models: Sequence[str], reference: str, draws: Draws
) -> dict[str, Any]:
    """The figures of every model, and how its overlap differs from the reference's.

    Args:
        rows: Every completion.
        models: The models, in the order of the tables.
        reference: The model that the others are compared with.
        draws: Of the bootstrap, over documents.
    """
    by_model = {name: [row for row in rows if row.model == name] for name in models}
    own = {row.doc_id: row.overlap for row in by_model[reference]}
    differences = {}
    for name, mine in by_model.items():
        pairs = [(row.overlap, own.get(row.doc_id)) for row in mine if name != reference]
        both = [a - b for a, b in pairs if a is not None and b is not None]
        if name != reference:
            found = mean_interval(both, draws).to_row()
            differences[name] = {"overlap": {**found, "unscored": len(pairs) - len(both)}}
    return {
        "reference": reference,
        "systems": {name: _measures(mine, draws) for name, mine in by_model.items()},
        "differences": differences,
    }


def _measures(rows: Sequence[CompletionScore], draws: Draws) -> dict[str, Any]:
    written = [row for row in rows if not row.reason]
    found: dict[str, Any] = {
        "completions": len(written),
        "unscored": len(rows) - len(written),
        "tokens": sum(row.tokens for row in written),
        "ended": mean_interval([float(row.finish == "stop") for row in written], draws).to_row(),
    }
    for name in MEANS:
        values = [getattr(row, name) for row in written if getattr(row, name) is not None]
        found[name] = {**mean_interval(values, draws).to_row(), "unscored": len(rows) - len(values)}
    for name, (right, all_) in SHARES.items():
        with_any = [row for row in written if getattr(row, all_)]
        table: Floats = np.array([[getattr(row, right), getattr(row, all_)] for row in with_any], dtype=np.float64)
        share = interval(table.reshape(-1, 2), ratio(0, 1), draws).to_row()
        found[name] = {
            **share,
            "written": int(table.sum(axis=0)[1]) if len(table) else 0,
            "unscored": len(rows) - len(with_any),
        }
    return found
