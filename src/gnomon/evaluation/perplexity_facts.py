"""The figures of ``evaluation/perplexity``, drawn from what each document gave under each model.

*Perplexity* is per token of the model's own tokenizer; *bits per byte* does not depend on a
tokenizer, so it compares any two models (Gao et al., The Pile, 2020). A *change* compares two models on
the same documents, with the tokens of the one it is compared *against* as unit for both: for
models with one tokenizer that is the plain ratio of perplexities, and for others it stays a fair
one. Only documents that every model scored count; the rest are counted as unscored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gnomon.evaluation.bootstrap import Draws, Floats, Interval, Statistic, intervals

OTHER = "other"
BYTES = 0
_COLUMNS = ["test", "model", "doc_id", "subject", "year", "bytes", "tokens", "log_likelihood", "lossless"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPerplexity:
    """What one document gave under one model: everything the figures rest on."""

    test: str
    """The test set."""
    model: str
    """The model's name in the comparison."""
    doc_id: str
    """The document."""
    text_hash: str
    """Which version of its text."""
    subject: str
    """Its first category, empty when it has none."""
    year: int | None
    """Its year, None when unknown."""
    bytes: int
    """UTF-8 bytes of what was read, the title included."""
    characters: int
    """Characters of the same."""
    tokens: int
    """Tokens scored: all but the first, [BOS]."""
    log_likelihood: float | None
    """Sum of their natural-log probabilities; None when it is not a finite number."""
    end_log_likelihood: float | None
    """The end token's share of it; None when the end was not scored."""
    lossless: bool
    """Whether the tokenizer gives the text back, but for white space; bits per byte assume it."""
    reason: str = ""
    """Why there is no log-likelihood; empty when there is one."""


@dataclass(frozen=True, kw_only=True)
class _Table:
    """One test set as columns; row i is the same document under every model."""

    models: tuple[str, ...]
    """The models."""
    subjects: npt.NDArray[np.str_]
    """Subject of each document."""
    years: npt.NDArray[np.str_]
    """Year of each document, empty when unknown."""
    sums: Floats
    """Bytes, then for each model its negative log-likelihood and its tokens; shape (n, 1 + 2 * models)."""

    def of(self, chosen: npt.NDArray[np.bool_]) -> Floats:
        """The rows of some documents."""
        picked: Floats = self.sums[chosen]
        return picked

    def place(self, model: str) -> tuple[int, int]:
        """The columns of a model: negative log-likelihood and tokens."""
        i = self.models.index(model)
        return 1 + 2 * i, 2 + 2 * i


def test_facts(
    rows: Path, test: str, models: Sequence[str], reference: str, draws: Draws, smallest: int
) -> dict[str, Any]:
    """The figures of one test set.

    Args:
        rows: ``documents_perplexity.parquet``.
        test: The test set.
        models: The models, in the order of the tables.
        reference: The model that groups are compared with.
        draws: Of the bootstrap.
        smallest: Groups with fewer documents are shown together.
    """
    table, about = _read(rows, test, models)
    comparisons = [_comparison(table, a, b, draws) for b, a in _pairs(models, reference)]
    everything = np.ones(len(table.sums), dtype=np.bool_)
    found = {name: {**about[name], **_measures(table, name, everything, draws)} for name in models}
    groups = {
        "subject": table.subjects,
        "year": table.years,
        "length": np.array([length_group(int(n)) for n in table.sums[:, BYTES]], dtype=np.str_),
    }
    by = {name: _groups(table, keys, reference, draws, smallest) for name, keys in groups.items()}
    whole = {"documents": len(table.sums), "bytes": int(table.sums[:, BYTES].sum())}
    return {"reference": reference, **whole, "models": found, "comparisons": comparisons, "by": by}


test_facts.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name


def _pairs(models: Sequence[str], reference: str) -> list[tuple[str, str]]:
    """Every two models once, the reference always as the one compared against."""
    ordered = [reference, *(name for name in models if name != reference)]
    return list(combinations(ordered, 2))


def _read(rows: Path, test: str, models: Sequence[str]) -> tuple[_Table, dict[str, dict[str, Any]]]:
    """The documents of a test set that every model scored, and what each model scored in all."""
    found = pq.read_table(rows, columns=_COLUMNS, filters=[("test", "=", test)])
    parts = {name: found.filter(pc.equal(found["model"], name)) for name in models}
    losses = {name: _numbers(part, "log_likelihood") for name, part in parts.items()}
    scored = np.logical_and.reduce([np.isfinite(values) for values in losses.values()])
    first = parts[models[0]]
    columns = [_numbers(first, "bytes")]
    for name in models:
        columns += [-losses[name], _numbers(parts[name], "tokens")]
    table = _Table(
        models=tuple(models),
        subjects=np.array(first["subject"].to_pylist(), dtype=np.str_)[scored],
        years=np.array([str(year or "") for year in first["year"].to_pylist()], dtype=np.str_)[scored],
        sums=np.stack(columns, axis=1)[scored],
    )
    return table, {name: _about(part, losses[name]) for name, part in parts.items()}


def _numbers(part: pa.Table, column: str) -> Floats:
    """A column as float64, NaN where it is null."""
    numbers: Floats = np.asarray(part[column].to_numpy(), dtype=np.float64)
    return numbers


def _about(part: pa.Table, losses: Floats) -> dict[str, Any]:
    lossy = int(part.num_rows - (pc.sum(part["lossless"]).as_py() or 0))
    tokens = int(pc.sum(part["tokens"]).as_py() or 0)
    return {"tokens": tokens, "unscored": int((~np.isfinite(losses)).sum()), "not_lossless": lossy}


# Measures ------------------------------------------------------------------------------------


def _measures(table: _Table, model: str, chosen: npt.NDArray[np.bool_], draws: Draws) -> dict[str, Any]:
    loss, tokens = table.place(model)
    return _rows(
        intervals(
            table.of(chosen), {"perplexity": _exp_ratio(loss, tokens), "bits_per_byte": _bits(loss, BYTES)}, draws
        )
    )


def _comparison(table: _Table, model: str, against: str, draws: Draws) -> dict[str, Any]:
    everything = np.ones(len(table.sums), dtype=np.bool_)
    same = bool((table.sums[:, table.place(model)[1]] == table.sums[:, table.place(against)[1]]).all())
    changes = _changes(table, model, against, everything, draws)
    return {"model": model, "against": against, "same_tokens": same, **changes}


def _changes(table: _Table, model: str, against: str, chosen: npt.NDArray[np.bool_], draws: Draws) -> dict[str, Any]:
    """How much higher (positive, worse) or lower (negative, better) one model is than another, in percent."""
    mine, (theirs, tokens) = table.place(model)[0], table.place(against)
    wanted = {
        "perplexity_change_percent": _percent(_exp_difference(mine, theirs, tokens)),
        "bits_per_byte_change_percent": _percent(_over(mine, theirs)),
    }
    return _rows(intervals(table.of(chosen), wanted, draws))


def _rows(found: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: value.to_row() for name, value in found.items()}


def _exp_ratio(loss: int, tokens: int) -> Statistic:
    return lambda sums: np.exp(_divided(sums[..., loss], sums[..., tokens]))


def _exp_difference(mine: int, theirs: int, tokens: int) -> Statistic:
    return lambda sums: np.exp(_divided(sums[..., mine] - sums[..., theirs], sums[..., tokens]))


def _bits(loss: int, size: int) -> Statistic:
    return lambda sums: _divided(sums[..., loss], sums[..., size]) / np.log(2)


def _over(mine: int, theirs: int) -> Statistic:
    return lambda sums: _divided(sums[..., mine], sums[..., theirs])


def _percent(statistic: Statistic) -> Statistic:
    return lambda sums: 100 * (statistic(sums) - 1)


def _divided(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)


# Groups --------------------------------------------------------------------------------------


def length_group(size: int) -> str:
    """The doubling range that a number of bytes falls into, as ``"1024-2047"``, sorted by name within digits."""
    low = 1 << max(0, size.bit_length() - 1)
    return f"{low}-{2 * low - 1}"


def _groups(
    table: _Table, keys: npt.NDArray[np.str_], reference: str, draws: Draws, smallest: int
) -> list[dict[str, Any]]:
    """Measures of each group in order of its name, small ones together at the end."""
    names, sizes = np.unique(keys, return_counts=True)
    large = sorted((str(n) for n, size in zip(names, sizes, strict=True) if size >= smallest), key=_natural)
    rest = [str(n) for n, size in zip(names, sizes, strict=True) if size < smallest]
    chosen = [(name, keys == name) for name in large]
    if rest:
        chosen.append((OTHER, np.isin(keys, rest)))
    return [
        {
            "group": name,
            "n": int(mask.sum()),
            **({"groups": len(rest)} if name == OTHER and rest else {}),
            "models": {m: _measures(table, m, mask, draws) for m in table.models},
            "changes": {m: _changes(table, m, reference, mask, draws) for m in table.models if m != reference},
        }
        for name, mask in chosen
    ]


def _natural(name: str) -> tuple[int, str]:
    """Sorts ``512-1023`` before ``1024-2047``."""
    first = name.partition("-")[0]
    return (int(first) if first.isdigit() else 0, name)
