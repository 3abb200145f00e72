"""What ``perplexity``, ``embedding`` and ``completion`` measured: as much as a page shows, in the order of tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.tables import read_batches, read_table
from gnomon.evaluation.completion_facts import MEANS, SHARES, CompletionScore

CHANGES = ("perplexity_change_percent", "bits_per_byte_change_percent")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
EXCERPT = 1_200
LEAST_PAIRS = 20
"""Pairs that a bin of similarity needs for its distribution to be shown."""


def perplexity(folder: Path) -> dict[str, Any]:
    """Perplexities by test set, and changes against the reference and of every two models."""
    facts = read_json(folder / "perplexity.json")
    models = _models(facts)
    names = [model["name"] for model in models]
    tests = [_test(name, facts["tests"][name], names) for name in _order(facts, "tests")]
    return {"reference": facts["reference"], "how": facts["how"], "models": models, "tests": tests}


def _order(facts: Mapping[str, Any], kind: str) -> list[str]:
    """Names in the order of the tables; older files kept none."""
    return list(facts.get("order", {}).get(kind, facts[kind]))


def _models(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = facts["models"]
    names = [name for name in _order(facts, "models") if name in rows]
    return [
        {"name": name, "kind": rows[name]["kind"], "label": rows[name]["label"], "ref": rows[name].get("ref")}
        for name in names
    ]


def _test(name: str, facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    about = {key: facts[key] for key in ("kind", "label", "part", "documents", "bytes", "dropped", "comparisons")}
    models = [
        {"model": model, **{key: facts["models"][model][key] for key in
                            ("perplexity", "bits_per_byte", "tokens", "unscored", "not_lossless")}}
        for model in names
    ]  # fmt: skip
    by = {kind: [_group(row, names) for row in rows] for kind, rows in sorted(facts["by"].items())}
    return {"name": name, **about, "models": models, "by": by}


def _group(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {
        "group": row["group"], "n": row["n"], "groups": row.get("groups", 1),
        "perplexity": [[m, row["models"][m]["perplexity"]] for m in names],
        "changes": [[m, {key: row["changes"][m][key] for key in CHANGES}] for m in names if m in row["changes"]],
    }  # fmt: skip


# Embedding -----------------------------------------------------------------------------------


def embedding(folder: Path, pairs: int) -> dict[str, Any]:
    """Similarities of all pairs, the pairs on which systems disagree, retrieval and probes."""
    facts = read_json(folder / "embedding.json")
    models = _models(facts)
    names = [model["name"] for model in models]
    return {
        "reference": facts["reference"], "general": facts["general"], "models": models, "documents": facts["documents"],
        "similarity": _similarity(facts["similarity"], names), "disagreements": _disagreements(folder, pairs),
        "subjects": _subjects(facts["subjects"], names), "retrieval": _retrieval(facts["retrieval"], names),
    }  # fmt: skip


def _similarity(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    kept = ("low", "high", "histogram", "mean", "spread", "correlation_with_general")
    systems = []
    for name in names:
        row = facts["systems"][name]
        bins = [_bin(one, row["low"], row["high"]) for one in row["bins"]]
        systems.append({"system": name, **{key: row[key] for key in kept}, "bins": bins})
    return {"pairs": facts["pairs"], "bin_edges": facts["bin_edges"], "systems": systems}


def _bin(row: Mapping[str, Any], low: float, high: float) -> dict[str, Any]:
    """One bin of the general system's similarity: pairs, mean, spread and quantiles of a system's cosines."""
    histogram = row.get("histogram", [])
    pairs = sum(histogram)
    found = [quantile(histogram, low, high, q) for q in QUANTILES] if pairs >= LEAST_PAIRS else None
    return {"pairs": pairs or row["mean"]["n"], "mean": row["mean"], "spread": row["spread"], "quantiles": found}


def quantile(histogram: Sequence[int], low: float, high: float, share: float) -> float:
    """The value below which a share of a histogram lies, straight within its bin.

    Args:
        histogram: Counts of equal bins.
        low: Left border of the first.
        high: Right border of the last.
        share: 0 to 1.
    """
    wanted, below = share * sum(histogram), 0
    width = (high - low) / len(histogram)
    for at, count in enumerate(histogram):
        if count and below + count >= wanted:
            return low + width * (at + (wanted - below) / count)
        below += count
    return high


def _disagreements(folder: Path, most: int) -> list[dict[str, Any]]:
    """The pairs on which two systems disagree most, at most so many for every two systems and direction."""
    kept: dict[tuple[str, str], list[dict[str, Any]]] = {}
    path = folder / "embedding_pairs.parquet"
    for batch in read_batches(path) if path.is_file() else ():
        for row in batch.to_pylist():
            rows = kept.setdefault((row["nearer"], row["farther"]), [])
            if len(rows) < most:
                ranks = dict(zip(row["systems"], row["ranks"], strict=True))
                named = {key: row[key] for key in ("a", "b", "title_a", "title_b")}
                rows.append({**named, "ranks": [[name, round(rank, 4)] for name, rank in ranks.items()]})
    return [{"nearer": a, "farther": b, "pairs": rows} for (a, b), rows in kept.items()]


def _subjects(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    if not facts["n"]:
        return {"n": 0, "systems": [], "differences": []}
    systems = [name for name in (*names, "majority") if name in facts["systems"]]
    rows = [{"system": n, **{key: facts["systems"][n][key] for key in ("accuracy", "macro_f1")}} for n in systems]
    kept = {key: facts[key] for key in ("n", "parts", "subjects", "differences")}
    return {**kept, "systems": rows}


def _retrieval(facts: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any] | None:
    if facts is None:
        return None
    groups = [
        {"group": group, "n": facts["groups"][group]["n"], "differences": facts["groups"][group]["differences"],
         "systems": [{"system": n, **facts["groups"][group]["systems"][n]} for n in names]}
        for group in ("all", "apart", "rest") if group in facts["groups"]
    ]  # fmt: skip
    return {"passages": facts["passages"], "apart": facts["apart"], "groups": groups}


# Completion ----------------------------------------------------------------------------------


def completion(folder: Path, examples: int) -> dict[str, Any]:
    """Scores of what models wrote, and some of it beside how the documents go on."""
    facts = read_json(folder / "completion.json")
    models = _models(facts)
    measures = ("overlap", *SHARES, "repetition", "ended")
    kept, found = (*measures, "completions", "unscored"), facts["systems"]
    names = [model["name"] for model in models if model["name"] in found]
    systems = [{"system": name, **{key: found[name][key] for key in kept}} for name in names]
    return {
        "reference": facts["reference"], "how": facts["how"], "models": models, "documents": facts["documents"],
        "systems": systems, "differences": facts["differences"], "examples": _examples(folder, facts, examples),
    }  # fmt: skip


def _examples(folder: Path, facts: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """The first documents with what every model wrote, and its scores."""
    shown = {row["id"]: row for row in facts["examples"][:most]}
    found: dict[str, list[dict[str, Any]]] = {doc_id: [] for doc_id in shown}
    for row in read_table(folder / "completions.parquet", CompletionScore) if shown else ():
        if row.doc_id in found and row.model in shown[row.doc_id]["completions"]:
            counts = {name: [getattr(row, right), getattr(row, all_)] for name, (right, all_) in SHARES.items()}
            found[row.doc_id].append(
                {"model": row.model, "text": _cut(row.completion), "finish": row.finish, "reason": row.reason,
                 **{name: getattr(row, name) for name in MEANS}, **counts}
            )  # fmt: skip
    return [
        {"id": doc_id, "prompt": _cut(row["prompt"]), "truth": _cut(row["truth"]), "written": found[doc_id]}
        for doc_id, row in shown.items()
    ]


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + " …"
