"""The facts of a report, gathered from artifacts and records, streamed.

Memory holds counts, a few samples for each reason and the pairs of duplicates, never the texts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gnomon.core.records import Drop, Item, Leak, Pair
from gnomon.core.tables import count_rows, read_batches, read_table
from gnomon.evaluation.report.composition import composition
from gnomon.runs.output import Meter
from gnomon.runs.record import Record

FLOW = ("ingest", "withhold", "clean", "dedup", "decontaminate", "chunk", "index", "vectors", "trace")
LIBRARY = ("dedup", "clean", "ingest")
"""Where the library's documents stand, the latest step first."""
EXCERPT = 280
Limits = tuple[int, int, int]


def gather(
    title: str, inputs: Mapping[str, Path], records: Mapping[str, Record], limits: Limits, meter: Meter
) -> dict[str, Any]:
    """The facts of a report.

    Args:
        title: What it is about.
        inputs: Artifacts by name.
        records: Their records by the same names.
        limits: Samples a reason, clusters, leaks shown.
        meter: Receives progress.
    """
    library = next((inputs[name] for name in LIBRARY if name in inputs), None)
    documents = library / "documents" if library is not None else None
    meter.total(count_rows(documents) if documents is not None else 0, "documents")
    made, size = composition(documents, meter)
    duplicates = _duplicates(inputs, limits[1])
    names = {m["id"] for cluster in duplicates["clusters_shown"] for m in cluster["members"]}
    titles = _titles(inputs, names)
    for cluster in duplicates["clusters_shown"]:
        for member in cluster["members"]:
            member["title"] = titles.get(member["id"], "")
    return {
        "title": title,
        "size": {**size, **_sizes(records)},
        "flow": [_flow(name, records[name]) for name in FLOW if name in records],
        "composition": made,
        "dropped": _dropped(inputs, limits[0]),
        "rules": _rules(records, limits[0]),
        "duplicates": duplicates,
        "contamination": contamination(inputs, records, limits[2]),
        "models": _models(records),
    }


def _flow(name: str, record: Record) -> dict[str, Any]:
    counts = record.counts
    return {
        "name": name, "step": record.name, "identity": record.identity, "taken": counts.taken, "kept": counts.kept,
        "dropped": dict(sorted(counts.dropped.items())), "made": dict(sorted(counts.made.items())),
    }  # fmt: skip


def _sizes(records: Mapping[str, Record]) -> dict[str, int]:
    """Passages, vectors and traced words, where those steps were made."""
    found = {}
    for name, key in (("chunk", "chunks"), ("trace", "words")):
        if name in records and key in records[name].counts.made:
            found["passages" if name == "chunk" else "traced_words"] = int(records[name].counts.made[key])
    if "vectors" in records:
        found["vectors"] = records["vectors"].counts.kept
    read = [records[name] for name in FLOW if name in records]
    files = sum(len(listing["files"]) for record in read for listing in record.sources.values())
    return {**found, **({"files": files} if files else {})}


def _models(records: Mapping[str, Record]) -> list[dict[str, Any]]:
    record = records.get("vectors")
    model = record.config.get("embedder") if record is not None else None
    return [dict(model)] if isinstance(model, Mapping) else []


# What was left out ---------------------------------------------------------------------------


def _dropped(inputs: Mapping[str, Path], samples: int) -> list[dict[str, Any]]:
    """Reasons in order of steps, the commonest first, each with a few samples."""
    found = []
    for name in FLOW:
        path = inputs[name] / "drops.parquet" if name in inputs else None
        if path is None or not path.exists():
            continue
        counts: Counter[str] = Counter()
        kept: dict[str, list[tuple[str, dict[str, str]]]] = {}
        for drop in read_table(path, Drop):
            counts[drop.reason] += 1
            row = {"doc_id": drop.doc_id, "detail": drop.detail, "excerpt": drop.excerpt[:EXCERPT]}
            _keep_sample(kept.setdefault(drop.reason, []), row, samples)
        for reason, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
            rows = [row for _, row in kept[reason]]
            found.append({"step": name, "reason": reason, "count": number, "samples": rows})
    return found


def _keep_sample(kept: list[tuple[str, dict[str, str]]], row: dict[str, str], most: int) -> None:
    """Keep the rows whose ids have the smallest hashes: spread over the corpus, the same in every run."""
    rank = hashlib.blake2b(row["doc_id"].encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    if len(kept) < most or (kept and rank < kept[-1][0]):
        kept.append((rank, row))
        kept.sort(key=lambda pair: (pair[0], pair[1]["doc_id"]))
        del kept[most:]


def _rules(records: Mapping[str, Record], samples: int) -> list[dict[str, Any]]:
    """What each rule and repair of cleaning did, the commonest first."""
    rules = records["clean"].metrics.get("rules", {}) if "clean" in records else {}
    rows = [
        {"rule": name, "kind": found.get("kind", ""), "count": int(found.get("count", 0)),
         "samples": [dict(sample) for sample in found.get("samples", ())][:samples]}
        for name, found in rules.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["count"], row["rule"]))


# Duplicates ----------------------------------------------------------------------------------


def _duplicates(inputs: Mapping[str, Path], most: int) -> dict[str, Any]:
    path = inputs["dedup"] / "pairs.parquet" if "dedup" in inputs else None
    empty: dict[str, Any] = {
        "pairs": 0,
        "clusters": 0,
        "left_out": 0,
        "kept_apart": {},
        "sizes": [],
        "clusters_shown": [],
    }
    if path is None or not path.exists():
        return empty
    left_out = {d.doc_id for d in read_table(inputs["dedup"] / "drops.parquet", Drop)}
    clusters: dict[str, list[Pair]] = {}
    apart: Counter[str] = Counter()
    for pair in read_table(path, Pair):
        if pair.apart:
            apart[pair.apart] += 1
        if pair.cluster:
            clusters.setdefault(pair.cluster, []).append(pair)
    shown = [_cluster(name, pairs, left_out) for name, pairs in clusters.items()]
    shown.sort(key=lambda row: (-len(row["members"]), row["id"]))
    sizes = Counter(len(row["members"]) for row in shown)
    return {
        "pairs": sum(map(len, clusters.values())) + sum(apart.values()), "clusters": len(clusters),
        "left_out": len(left_out), "kept_apart": dict(sorted(apart.items())),
        "sizes": [[n, sizes[n]] for n in sorted(sizes)], "clusters_shown": shown[:most],
    }  # fmt: skip


def _cluster(name: str, pairs: Sequence[Pair], left_out: set[str]) -> dict[str, Any]:
    """The members of a cluster, those that stayed first, each with its best likeness to another."""
    best: dict[str, tuple[float, str]] = {}
    for pair in pairs:
        for member in (pair.a, pair.b):
            best[member] = max(best.get(member, (0.0, "")), (pair.jaccard, pair.kind))
    members = [
        {"id": member, "kept": member not in left_out, "jaccard": round(jaccard, 4), "kind": kind}
        for member, (jaccard, kind) in best.items()
    ]
    return {"id": name, "members": sorted(members, key=lambda m: (not m["kept"], -m["jaccard"], m["id"]))}


def _titles(inputs: Mapping[str, Path], wanted: Iterable[str]) -> dict[str, str]:
    ids = set(wanted)
    folder = next((inputs[name] for name in ("clean", "ingest") if name in inputs), None)
    found: dict[str, str] = {}
    for batch in read_batches(folder / "documents", ["id", "title"]) if ids and folder is not None else ():
        pairs = zip(batch.column("id").to_pylist(), batch.column("title").to_pylist(), strict=True)
        found.update((doc_id, title[:EXCERPT]) for doc_id, title in pairs if doc_id in ids)
    return found


# Contamination -------------------------------------------------------------------------------


def contamination(inputs: Mapping[str, Path], records: Mapping[str, Record], most: int) -> dict[str, Any] | None:
    """Exam questions that documents give away, those with most passages first; None without an exam.

    Args:
        inputs: Artifacts by name: ``decontaminate`` and ``items``.
        records: Their records by the same names.
        most: Questions that are shown.
    """
    if "decontaminate" not in inputs:
        return None
    found: dict[str, list[Leak]] = {}
    for leak in read_table(inputs["decontaminate"] / "leaks.parquet", Leak):
        found.setdefault(leak.item_id, []).append(leak)
    prompts = _prompts(inputs, found)
    rows = [_item_row(item, leaks, prompts.get(item, "")) for item, leaks in found.items()]
    rows.sort(key=lambda row: (-len(row["passages"]), row["item_id"]))
    measured = records["decontaminate"].metrics if "decontaminate" in records else {}
    withheld = sum(records["decontaminate"].counts.dropped.values()) if "decontaminate" in records else 0
    blind = measured.get("items_too_short_to_find", 0)
    return {
        "items": int(measured.get("items", len(found))), "items_leaked": len(found), "documents": withheld,
        "too_short": len(blind) if isinstance(blind, list | tuple) else int(blind), "shown": rows[:most],
    }  # fmt: skip


def _prompts(inputs: Mapping[str, Path], wanted: Mapping[str, Any]) -> dict[str, str]:
    path = inputs["items"] / "items.parquet" if "items" in inputs else None
    if path is None or not path.exists():
        return {}
    return {item.id: item.prompt[:EXCERPT] for item in read_table(path, Item) if item.id in wanted}


def _item_row(item: str, leaks: Sequence[Leak], prompt: str) -> dict[str, Any]:
    ordered = sorted(leaks, key=lambda leak: (-leak.score, leak.span))
    passages = [
        {"doc_id": leak.span.doc_id, "start": leak.span.start, "end": leak.span.end, "method": leak.method,
         "score": round(leak.score, 4), "passage": leak.passage[:EXCERPT]}
        for leak in ordered
    ]  # fmt: skip
    return {"item_id": item, "prompt": prompt, "passages": passages}
