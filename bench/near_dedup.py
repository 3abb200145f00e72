"""Near-duplicates: recall and precision on real pairs, and throughput beside datatrove's MinHash pipeline.

``python bench/near_dedup.py [WORK]``. Needs ``../shared/data`` and, for the peer, the extra ``bench``
(datatrove's English tokeniser is spaCy's). The corpus is every record of ``astro_ph.parquet``, without
the papers of the true pairs, and both texts of each true pair. A pair counts as found when at most one
of its two texts is left.
Non-duplicates are the nearest that can be mined: all pairs of different arXiv records whose shingles
agree by 15 % or more. Halves are split by a hash of the id; the threshold is read off the development half.
"""

import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gnomon.core.records import Biblio, Document, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table, write_table
from gnomon.runs.output import Output, StorePlace

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
ASTRO_PH = SHARED / "arxiv" / "astro_ph.parquet"
TRUE_PAIRS = SHARED / "dedup" / "arxiv_text_variants_half.jsonl.gz"
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
THREADS = 2


def true_pairs() -> list[dict[str, Any]]:
    with gzip.open(TRUE_PAIRS, "rt", encoding="utf-8") as lines:
        return [row for row in map(json.loads, lines) if row["label"] == "duplicate"]


def half(key: str) -> str:
    return "development" if hashlib.blake2b(key.encode(), digest_size=1).digest()[0] % 2 else "test"


def documents(pairs: list[dict[str, Any]]) -> Iterator[Document]:
    known = {row["id"] for row in pairs}
    for batch in pq.ParquetFile(ASTRO_PH).iter_batches(2_000):
        for row in batch.to_pylist():
            if row["id"] not in known:
                source = Source(kind="arxiv", key=row["id"], sha256="")
                biblio = Biblio(doi=row["doi"] or "", arxiv=row["id"], date=row["date"] or "")
                yield Document(id=f"arxiv:{row['id']}", title=row["title"], text=row["abstract"], lang="en",
                               source=source, biblio=biblio)  # fmt: skip
    for row in pairs:
        for side in "ab":
            source = Source(kind="text", key=row["id"], sha256="")
            yield Document(id=f"local:{row['id']}-{side}", title=row[f"title_{side}"], text=row[f"text_{side}"],
                           lang="en", source=source)  # fmt: skip


def wilson(good: int, total: int) -> list[float]:
    """The share and its 95 % interval."""
    if not total:
        return [float("nan")] * 3
    z, p = 1.96, good / total
    middle, reach = p + z * z / (2 * total), z * (p * (1 - p) / total + z * z / (4 * total * total)) ** 0.5
    return [round(x, 4) for x in (p, (middle - reach) / (1 + z * z / total), (middle + reach) / (1 + z * z / total))]


# Ours ------------------------------------------------------------------------------------------


def output(folder: Path) -> Output:
    folder.mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder,
        shards=folder / "s",
        identity="bench",
        settings=Settings(threads=THREADS),
        place=lambda key: StorePlace(key=key, url=key),
        cache_path=folder / "c",
        locks=folder / "l",
    )


def ours(work: Path, preset: str) -> dict[str, Any]:
    import resource

    from gnomon.corpus import steps
    from gnomon.corpus.dedup import DedupConfig, run
    from gnomon.runs.step import Step

    started = time.monotonic()
    source = Step(name="bench/source", entry="bench:source", version=1, config=DedupConfig())
    out = output(work / f"ours-{preset}")
    counts = run(steps.dedup(source, preset=preset).config, {"documents": work / "in"}, out)
    seconds = time.monotonic() - started
    left = {d.id for d in read_table(out.path / "documents", Document)}
    return {"seconds": round(seconds, 2), "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "dropped": dict(counts.dropped), "metrics": out.metrics, "left": sorted(left)}  # fmt: skip


def spread(work: Path) -> dict[str, Any]:
    """Every pair from 15 % up, with what the bibliography says of it."""
    from gnomon.corpus.apart import why_apart
    from gnomon.corpus.dedup import find_in_files, read_facts
    from gnomon.corpus.minhash import NearConfig
    from gnomon.corpus.passing import document_files

    files = document_files(work / "in")
    config = NearConfig(bands=50, rows=3, threshold=0.15)
    found = find_in_files(files, config, Settings(threads=THREADS))
    facts = read_facts(files, {key for pair in found.pairs for key in (pair.a, pair.b)})
    rows = [
        [p.a, p.b, p.jaccard, why_apart(facts[p.a], facts[p.b], same_text=p.same, units=p.units)] for p in found.pairs
    ]
    return {"pairs": rows}


# The peer --------------------------------------------------------------------------------------


def datatrove(work: Path) -> dict[str, Any]:
    """The four stages of its own example, with its values, as local executors."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
    )
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    base, started = work / "datatrove", time.monotonic()
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8)
    reader = ParquetReader(str(work / "peer"), text_key="text", id_key="id", doc_progress=False)
    stages = [
        ([reader, MinhashDedupSignature(output_folder=str(base / "signatures"), config=config)], THREADS),
        ([MinhashDedupBuckets(input_folder=str(base / "signatures"), output_folder=str(base / "buckets"),
                              config=config)], config.num_buckets),
        ([MinhashDedupCluster(input_folder=str(base / "buckets"), output_folder=str(base / "remove"),
                              config=config)], 1),
        ([reader, MinhashDedupFilter(input_folder=str(base / "remove")), JsonlWriter(str(base / "left"))], THREADS),
    ]  # fmt: skip
    for number, (pipeline, tasks) in enumerate(stages):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=THREADS, logging_dir=str(base / f"log{number}")).run()
    seconds = time.monotonic() - started
    left = set()
    for file in (base / "left").iterdir():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            left |= {json.loads(line)["id"] for line in lines}
    return {"seconds": round(seconds, 2), "left": sorted(left)}


# Judging ---------------------------------------------------------------------------------------


def judged(left: set[str], pairs: list[dict[str, Any]], near: list[tuple[str, str]]) -> dict[str, Any]:
    """Recall and precision on the test half."""
    mine = [row["id"] for row in pairs if half(row["id"]) == "test"]
    found = sum(not {f"local:{key}-a", f"local:{key}-b"} <= left for key in mine)
    apart = [(a, b) for a, b in near if half(a) == "test"]
    wrong = sum(not {a, b} <= left for a, b in apart)
    return {"true_pairs": len(mine), "recall": wilson(found, len(mine)), "nearest_non_duplicates": len(apart),
            "wrongly_merged": wrong, "precision": wilson(found, found + wrong)}  # fmt: skip


def curve(rows: list[list[Any]], near: set[tuple[str, str]], total: int) -> list[dict[str, Any]]:
    """Recall and precision on the development half by threshold, with and without the bibliography."""
    table = []
    for threshold in THRESHOLDS:
        for guarded in (True, False):
            merged = [(a, b) for a, b, j, apart in rows if j >= threshold and not (guarded and apart)]
            good = sum(a[:6] == "local:" and a[:-2] == b[:-2] and half(a[6:-2]) == "development" for a, b in merged)
            bad = sum((a, b) in near and half(a) == "development" for a, b in merged)
            table.append({"threshold": threshold, "bibliography": guarded, "recall": round(good / total, 4),
                          "precision": round(good / max(1, good + bad), 4), "wrong": bad})  # fmt: skip
    return table


def isolated(task: str, work: Path, argument: str = "") -> dict[str, Any]:
    """Run one part in a process of its own: no warm caches, its own peak of memory."""
    command = [sys.executable, __file__, str(work), task, argument]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=sys.stderr)
    found: dict[str, Any] = json.loads((work / f"{task}{argument}.json").read_text())
    return found


def prepare(work: Path, pairs: list[dict[str, Any]]) -> int:
    whole = work / "in" / "documents" / "all.parquet"
    total = write_table(whole, Document, documents(pairs))
    table = pq.read_table(whole, columns=["id", "text"])
    (work / "peer").mkdir(exist_ok=True)
    for part in range(THREADS):  # datatrove deals out files, so each worker needs one
        size = -(-total // THREADS)
        pq.write_table(table.slice(part * size, size), work / "peer" / f"{part}.parquet")
    return total


def main(work: Path) -> None:
    pairs = true_pairs()
    total = prepare(work, pairs)
    rows = isolated("spread", work)["pairs"]
    near = [(a, b) for a, b, _, _ in rows if a.startswith("arxiv:") and b.startswith("arxiv:")]
    development = sum(half(row["id"]) == "development" for row in pairs)
    report: dict[str, Any] = {
        "documents": total, "load_average": [round(x, 2) for x in os.getloadavg()], "threads": THREADS,
        "development": curve(rows, set(near), development), "runs": {},
    }  # fmt: skip
    for name, task, argument in (
        ("gnomon papers", "ours", "papers"), ("gnomon llm-jp", "ours", "llm-jp"), ("datatrove", "datatrove", ""),
    ):  # fmt: skip
        try:
            result = isolated(task, work, argument)
        except subprocess.CalledProcessError as error:
            report["runs"][name] = {"failed": str(error)}
            continue
        left = set(result.pop("left"))
        result |= {"documents_per_second": round(total / result["seconds"]), "left": len(left)}
        report["runs"][name] = result | judged(left, pairs, near) | {"load_average": round(os.getloadavg()[0], 2)}
    print(json.dumps(report, indent=1))
    for name, run in report["runs"].items():
        print(f"{name:16} {run.get('seconds', 0):8} s {run.get('documents_per_second', 0):8} documents/s"
              f"  recall {run.get('recall')}  precision {run.get('precision')}")  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".gnomon/bench/near_dedup")
    folder.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) > 2:
        part = {"ours": lambda: ours(folder, sys.argv[3]), "datatrove": lambda: datatrove(folder),
                "spread": lambda: spread(folder)}[sys.argv[2]]()  # fmt: skip
        (folder / f"{sys.argv[2]}{sys.argv[3]}.json").write_text(json.dumps(part))
    else:
        main(folder)
