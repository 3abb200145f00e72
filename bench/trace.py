"""Trace: build an index of all of astro_ph.parquet and trace texts of 200 words, beside infini-gram on bytes.

    python bench/trace.py [--data ../shared/data] [--work DIR] [--texts 60] [--no-peer]

Both get the same documents and two threads. The peer is infini-gram 2.6 as its package page sets
it up without a tokenizer (u8 tokens, two CPUs), and its own ``attribute``. Its figures hold for
the spans alone; ours include counts, documents with character offsets, and their ranking.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREADS = "2"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options.add_argument("--work", type=Path)
    options.add_argument("--texts", type=int, default=60)
    options.add_argument("--no-peer", action="store_true")
    options.add_argument("--part")
    given = options.parse_args()
    if given.part:
        say(**PARTS[given.part](given))
        return
    with tempfile.TemporaryDirectory() as folder:
        given.work = given.work or Path(folder)
        prepare(given)
        for name in ["build", "warm", "cold", "coverage"] + ([] if given.no_peer else ["peer_build", "peer_warm"]):
            part(given, name)


def part(given: argparse.Namespace, name: str) -> None:
    """Every part runs in a process of its own, so that peak memory is its own."""
    command = [sys.executable, __file__, "--data", given.data, "--work", given.work, "--texts", given.texts]
    subprocess.run([*map(str, command), "--part", name], check=True, env={**os.environ, "OMP_NUM_THREADS": THREADS})


def say(**facts: Any) -> None:
    print(json.dumps({**facts, "load": [round(x, 2) for x in os.getloadavg()]}), flush=True)


def abstracts(data: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    return pq.read_table(data / "arxiv" / "astro_ph.parquet", columns=["id", "title", "abstract"]).to_pylist()


def prepare(given: argparse.Namespace) -> None:
    from gnomon.core.records import Document, Source
    from gnomon.core.tables import write_table

    source = Source(kind="arxiv", key="astro_ph.parquet", sha256="0" * 64)
    rows = abstracts(given.data)
    made = (
        Document(id=f"arxiv:{r['id']}", title=r["title"], text=r["abstract"], lang="en", source=source) for r in rows
    )
    write_table(given.work / "in" / "documents" / "0000.parquet", Document, made)
    (given.work / "raw").mkdir(exist_ok=True)
    with (given.work / "raw" / "0.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": r["id"], "text": r["abstract"]}, ensure_ascii=False) + "\n" for r in rows)


def texts(given: argparse.Namespace) -> list[str]:
    """Texts of 200 words: half of indexed sentences from many documents, half of other fields with some such."""
    import gzip

    rng = random.Random(7)
    own = [s for row in abstracts(given.data)[::40] for s in row["abstract"].split(". ")]
    with gzip.open(given.data / "arxiv" / "other_fields.jsonl.gz", "rt", encoding="utf-8") as file:
        other = [s for line in list(file)[::40] for s in json.loads(line)["abstract"].split(". ")]
    pools = [own, other, own + other]
    return [draw(rng, pools[number % 3]) for number in range(given.texts)]


def draw(rng: random.Random, pool: list[str]) -> str:
    words: list[str] = []
    while len(words) < 200:
        words += f"{rng.choice(pool)}.".split()
    return " ".join(words[:200])


def build(given: argparse.Namespace) -> dict[str, Any]:
    from gnomon.core.settings import Settings
    from gnomon.knowledge.trace import TraceConfig, run
    from gnomon.runs import Output

    work = given.work / "out"
    work.mkdir(exist_ok=True)
    places = {"shards": given.work / "shards", "cache_path": given.work / "cache", "locks": given.work / "locks"}
    out = Output(path=work, identity="0", settings=Settings(threads=2), place=lambda key: None, **places)  # type: ignore[arg-type,return-value]
    started = time.perf_counter()
    run(TraceConfig(), {"documents": given.work / "in"}, out)
    return {"part": "build", "seconds": round(time.perf_counter() - started, 2), "peak_mib": peak(),
            "index_mib": mib(work), "documents": out.metrics["documents"], "words": out.metrics["words"]}  # fmt: skip


def peak() -> int:
    """Peak memory of this process and of its biggest child, which ran one after the other, in MiB."""
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in both) // 1024


def mib(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) >> 20


def timed(name: str, function: Callable[[str], Any], queries: list[str]) -> dict[str, Any]:
    function(queries[0])
    times = []
    for query in queries:
        started = time.perf_counter()
        function(query)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    cut = {f"p{q}_ms": round(times[min(len(times) - 1, int(len(times) * q / 100))], 1) for q in (50, 95)}
    return {"part": name, "n": len(times), **cut, "max_ms": round(times[-1], 1)}


def warm(given: argparse.Namespace) -> dict[str, Any]:
    from gnomon.knowledge.tracing import Trace

    return timed("warm: 200 words, spans and documents", Trace.open(given.work / "out").attribute, texts(given))


def cold(given: argparse.Namespace) -> dict[str, Any]:
    code = (
        "import sys\nfrom pathlib import Path\nfrom gnomon.knowledge.tracing import Trace\n"
        "Trace.open(Path(sys.argv[1])).attribute(sys.argv[2]).to_row()"
    )
    command = [sys.executable, "-c", code, str(given.work / "out")]
    return timed("cold: a new process", lambda text: subprocess.run([*command, text], check=True), texts(given)[:15])


def coverage(given: argparse.Namespace) -> dict[str, Any]:
    """Coverage of indexed abstracts, and of abstracts of other fields, by shortest stretch."""
    import gzip

    from gnomon.knowledge.tracing import Trace

    trace, rng = Trace.open(given.work / "out"), random.Random(3)
    with gzip.open(given.data / "arxiv" / "other_fields.jsonl.gz", "rt", encoding="utf-8") as file:
        other = [json.loads(line)["abstract"] for line in list(file)[::200]]
    sets = {"indexed": [r["abstract"] for r in rng.sample(abstracts(given.data), 200)], "other": other[:200]}
    found: dict[str, Any] = {"part": "coverage"}
    for name, sample in sets.items():
        for least in (4, 5, 6, 8):
            values = sorted(trace.attribute(text, min_words=least, density=0).coverage for text in sample)
            found[f"{name}_{least}"] = {"n": len(values), "median": round(values[len(values) // 2], 3),
                                        "p95": round(values[int(len(values) * 0.95)], 3)}  # fmt: skip
    return found


def peer_build(given: argparse.Namespace) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "infini_gram.indexing",
        "--data_dir",
        given.work / "raw",
        "--save_dir",
        given.work / "peer",
    ]
    command += ["--token_dtype", "u8", "--cpus", THREADS, "--mem", 8, "--shards", 1, "--add_metadata", "--ulimit", 1024]
    started = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return {"part": "peer: infini-gram on bytes, build", "seconds": round(time.perf_counter() - started, 2),
            "peak_mib": peak(), "index_mib": mib(given.work / "peer")}  # fmt: skip


def peer_warm(given: argparse.Namespace) -> dict[str, Any]:
    from infini_gram.engine import InfiniGramEngine

    engine = InfiniGramEngine(str(given.work / "peer"), eos_token_id=0, vocab_size=255, version=4, token_dtype="u8")

    def attribute(text: str) -> Any:
        ids = list(text.encode())
        return engine.attribute(input_ids=ids, delim_ids=[10, 46], min_len=30, max_cnt=1_000_000, enforce_bow=False)

    return timed("peer: infini-gram on bytes, attribute (spans alone)", attribute, texts(given))


PARTS = {
    "build": build,
    "warm": warm,
    "cold": cold,
    "coverage": coverage,
    "peer_build": peer_build,
    "peer_warm": peer_warm,
}

if __name__ == "__main__":
    main()
